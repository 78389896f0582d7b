/** Kinds of option values that describe what a firewall lets through. */

import type { Prefix } from '../ip/address.ts'
import { ipFamily } from '../ip/address.ts'
import { err, ok, type Result } from '../result.ts'
import type { Kind } from './kinds.ts'
import { networkOrHost } from './network-kinds.ts'

/** The transport protocols that have ports, of those that rules can name. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp'
/** Named as nftables does. */
export type AllowedProtocol = PortProtocol | 'esp' | 'ah' | 'gre'

/** Both ends included, 1 to 65535. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** What may come in to this machine. */
export interface AllowRule {
  readonly protocols: readonly AllowedProtocol[]
  /** Ascending, apart from one another; empty only for protocols without ports. */
  readonly ports: readonly PortRange[]
  /** Networks of either family; empty means anyone. */
  readonly sources: readonly Prefix[]
}

/** What may come in to hosts behind this machine. */
export interface ForwardRule extends AllowRule {
  /** The host, or network, of the LAN. */
  readonly destination: Prefix
}

const WITH_PORTS: Readonly<Record<string, readonly PortProtocol[]>> = {
  tcp: ['tcp'],
  udp: ['udp'],
  tcpudp: ['tcp', 'udp'],
  sctp: ['sctp'],
}
const WITHOUT_PORTS: readonly AllowedProtocol[] = ['esp', 'ah', 'gre']

const network = networkOrHost()

/** What may come in: `22/tcp`, `25,443/tcp`, `6000-6100/udp from 192.0.2.0/24`, `esp`. */
export const allowRule: Kind<AllowRule> = {
  name: 'allowance',
  spaced: true,
  allowed:
    'PORTS/PROTOCOL such as 22/tcp, 25,443/tcp, 6000-6100/udp or 53/tcpudp, or one of esp, ah and gre; with `from 192.0.2.0/24` behind it only from there',
  parse(text) {
    const parts = divide(text)
    if (parts === undefined) return notOne(text)
    return parts.service.includes('=') ? err(`'${text}' belongs to allow_forward`) : ruleOf(parts)
  },
  print: (rule) => `${formatService(rule)}${formatSources(rule)}`,
}

/** What may come in to a host of the LAN: `443/tcp=2001:db8::5`, with `from` as in `allowRule`. */
export const forwardRule: Kind<ForwardRule> = {
  name: 'allowance to a host',
  spaced: true,
  allowed:
    'PORTS/PROTOCOL=ADDRESS such as 443/tcp=2001:db8::5 or 6000-6100/udp=2001:db8:2::/64; with `from 2001:db8:3::/48` behind it only from there',
  parse(text) {
    const parts = divide(text)
    const [service = '', host, ...more] = parts?.service.split('=') ?? []
    if (parts === undefined || more.length > 0) return notOne(text)
    if (host === undefined) return err(`'${text}' does not say to which host`)
    const rule = ruleOf({ ...parts, service })
    if (!rule.ok) return rule
    const destination = network.parse(host)
    if (!destination.ok) return destination
    const family = ipFamily(destination.value.address)
    const stranger = rule.value.sources.find(({ address }) => ipFamily(address) !== family)
    if (stranger) return err(`'${stranger.address}' cannot reach '${host}': one is IPv4, the other IPv6`)
    return ok({ ...rule.value, destination: destination.value })
  },
  print: (rule) => `${formatService(rule)}=${network.print(rule.destination)}${formatSources(rule)}`,
}

/** One port or a range of them, as in OpenWrt's firewall. */
export const portRange: Kind<PortRange> = {
  name: 'port or range',
  allowed: 'a port such as 443, or a range such as 6000-6100',
  parse: (text) => {
    const range = rangeOf(text)
    return typeof range === 'string' ? err(range) : ok(range)
  },
  print: formatRange,
}

/** Protocols as OpenWrt's firewall writes them: `tcp`, `udp`, `tcp udp`, `tcpudp`. */
export const portProtocols: Kind<readonly PortProtocol[]> = {
  spaced: true,
  name: '`tcp`, `udp`, `tcp udp`, `sctp`',
  allowed: 'tcp, udp, tcp udp or sctp',
  parse(text) {
    const words = text.trim().split(/\s+/)
    const protocols = words.map((word) => (Object.hasOwn(WITH_PORTS, word) ? WITH_PORTS[word] : undefined))
    const wrong = words.find((_, i) => protocols[i] === undefined)
    if (wrong !== undefined) return err(`'${wrong}' is no protocol with ports`)
    return ok([...new Set(protocols.flatMap((some) => some ?? []))])
  },
  print: (protocols) => protocols.join(' '),
}

interface Parts {
  /** Ports and protocol, and what follows them without a space. */
  readonly service: string
  readonly from: string | undefined
}

function divide(text: string): Parts | undefined {
  const [, service, from] = /^\s*(\S+)(?:\s+from\s+(\S+))?\s*$/.exec(text) ?? []
  return service === undefined ? undefined : { service, from }
}

function notOne(text: string): Result<never, string> {
  return err(`'${text}' is not one allowance`)
}

function ruleOf({ service, from }: Parts): Result<AllowRule, string> {
  const [, ports, protocol = ''] = /^(?:([^/]*)\/)?([^/]*)$/.exec(service) ?? []
  const sources: Prefix[] = []
  for (const text of from?.split(',') ?? []) {
    const source = network.parse(text)
    if (!source.ok) return source
    sources.push(source.value)
  }
  const bare = WITHOUT_PORTS.find((candidate) => candidate === protocol)
  if (bare !== undefined)
    return ports === undefined
      ? ok({ protocols: [bare], ports: [], sources })
      : err(`'${service}': ${bare} has no ports`)
  const protocols = Object.hasOwn(WITH_PORTS, protocol) ? WITH_PORTS[protocol] : undefined
  if (protocols === undefined)
    return err(
      ports === undefined && /^\d[\d,-]*$/.test(protocol)
        ? `'${service}' lacks a protocol`
        : `'${protocol}' is no protocol that is known here`,
    )
  if (ports === undefined) return err(`'${service}' lacks its ports`)
  const ranges = ports.split(',').map(rangeOf)
  const wrong = ranges.find((range) => typeof range === 'string')
  return typeof wrong === 'string'
    ? err(wrong)
    : ok({ protocols, ports: merged(ranges as PortRange[]), sources })
}

/** The range, or what is wrong with the text. */
function rangeOf(text: string): PortRange | string {
  const [, from, to = from] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text) ?? []
  if (from === undefined) return `'${text}' is neither a port nor a range of ports`
  const [first, last] = [Number(from), Number(to)]
  if (first < 1 || first > 65535 || last < 1 || last > 65535) return `'${text}' lies outside 1 to 65535`
  return first > last ? `'${text}' runs backwards` : { first, last }
}

/** The same ports, ascending, those that overlap as one range. */
function merged(ranges: readonly PortRange[]): PortRange[] {
  const result: PortRange[] = []
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = result.at(-1)
    if (before !== undefined && range.first <= before.last)
      result[result.length - 1] = { first: before.first, last: Math.max(before.last, range.last) }
    else result.push(range)
  }
  return result
}

function formatRange({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`
}

function formatService({ protocols, ports }: AllowRule): string {
  const protocol = protocols.join('')
  return ports.length === 0 ? protocol : `${ports.map(formatRange).join(',')}/${protocol}`
}

function formatSources({ sources }: AllowRule): string {
  return sources.length === 0 ? '' : ` from ${sources.map(network.print).join(',')}`
}

/** Whether two lists of ranges have a port in common. */
export function portsOverlap(a: readonly PortRange[], b: readonly PortRange[]): boolean {
  return a.some((one) => b.some((other) => one.first <= other.last && other.first <= one.last))
}
