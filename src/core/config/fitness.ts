/** The one judgement of addresses by what there is around a tunnel that nothing of its peer's may displace. */
import { formatPrefix, ipFamily, type Prefix, prefixContains } from '../ip/address.ts'
import { isHost } from '../ip/prefix.ts'
import { unfitAnywhere, unfitByItself } from '../ip/unfit.ts'
import type { Config, TunnelConfig } from './types.ts'

/** What an address is to be used for. */
export type AddressUse =
  /** This machine is to bear it. */
  | 'own'
  /** Whoever bears it is to be the other end of a tunnel. */
  | 'peer'
  /** It is to be asked for names. */
  | 'resolver'

/** Whom and what there is around. */
export interface Surroundings {
  /** What the links of this machine bear, those of our tunnels left out. */
  readonly links: readonly LinkNetwork[]
  readonly hosts: readonly KnownHost[]
}

/** A network that a link of this machine is in. */
export interface LinkNetwork {
  readonly device: string
  readonly uplink: boolean
  /** Our own address there. */
  readonly address: string
  /** Without host bits. */
  readonly network: Prefix
}

/** Somebody who has to stay where he is. */
export interface KnownHost {
  readonly address: string
  /** Fit to follow `is`: `the gateway of fibre`. */
  readonly words: string
  readonly role: 'lns' | 'gateway' | 'resolver' | 'other'
}

/**
 * Why an address of a tunnel's peer, or of its configuration, is not to be used so, as a predicate: `is a loopback address`,
 * `lies in 192.168.1.0/24, the network of br-lan`. Undefined where nothing speaks against it. An address that an uplink
 * bears is shared with it and right, and so is what lies in a block that the tunnel's configuration names.
 */
export function unfit(
  address: string,
  use: AddressUse,
  tunnel: Pick<TunnelConfig, 'ipaddrs' | 'ip6addrs' | 'ip6prefixes'>,
  { links, hosts }: Surroundings,
): string | undefined {
  const byItself = use === 'own' ? unfitByItself(address) : unfitAnywhere(address)
  if (byItself !== undefined) return byItself
  const host = hosts.find((one) => one.address === address && COUNTS[use].includes(one.role))
  if (host?.role === 'lns' || host?.role === 'gateway') return `is ${host.words}`
  if (use === 'own' && links.some((link) => link.uplink && link.address === address)) return undefined
  const blocks = [...tunnel.ipaddrs, ...tunnel.ip6addrs, ...tunnel.ip6prefixes]
  if (blocks.some((block) => prefixContains(block, address))) return undefined
  if (host !== undefined) return `is ${host.words}`
  // One address alone is no network: nobody else can be in it.
  const taken = links.find(({ network }) => !isHost(network) && prefixContains(network, address))
  return taken && `lies in ${formatPrefix(taken.network)}, the network of ${taken.device}`
}

/** Whom an address may not be taken from. Resolvers and peers are only sent to, so that many may be what they are. */
const COUNTS: Readonly<Record<AddressUse, readonly KnownHost['role'][]>> = {
  own: ['lns', 'gateway', 'resolver', 'other'],
  peer: ['gateway', 'resolver'],
  resolver: ['gateway'],
}

/** LNSes and gateways that the configuration names by address. */
export function hostsOf(lines: Config['uplinks'], tunnels: Config['tunnels']): KnownHost[] {
  const gateways = lines.flatMap(({ name, gateway, gateway6 }) =>
    [gateway, gateway6].flatMap((address) => (address === undefined ? [] : gatewayOf(name, address))),
  )
  return literal([
    ...tunnels.flatMap(({ name, servers }) => servers.map(({ host }) => lnsOf(name, host))),
    ...gateways,
  ])
}

/** Those whose address is no name. */
export function literal(hosts: readonly KnownHost[]): KnownHost[] {
  return hosts.filter(({ address }) => ipFamily(address) !== undefined)
}

/** The LNS of a tunnel. */
export function lnsOf(tunnel: string, address: string): KnownHost {
  return { address, words: `the address of the LNS itself (tunnel ${tunnel})`, role: 'lns' }
}

/** Who is asked for names over an uplink. */
export function resolverOf(uplink: string, address: string): KnownHost {
  return { address, words: `a resolver of ${uplink}`, role: 'resolver' }
}

/** The next hop of an uplink. */
export function gatewayOf(uplink: string, address: string): KnownHost {
  return { address, words: `the gateway of ${uplink}`, role: 'gateway' }
}

/** Anybody else; `words` are fit to follow `is`. */
export function other(address: string, words: string): KnownHost {
  return { address, words, role: 'other' }
}
