/** What there is around a tunnel that nothing of its peer's may displace, and the one judgement of addresses by it. */
import type { Config, TunnelConfig } from '../config/types.ts'
import { DEFAULT_TARGETS } from '../failover/targets.ts'
import { formatPrefix, ipFamily, type Prefix, prefixContains } from '../ip/address.ts'
import { isHost, networkOf } from '../ip/prefix.ts'
import { unfitAnywhere, unfitByItself } from '../ip/unfit.ts'
import { ALIAS_PREFIX } from './device.ts'
import { type Facts, type Link, OUR_PROTOCOL } from './facts.ts'
import { uplinks } from './uplinks.ts'

/** What an address is to be used for. */
export type AddressUse =
  /** This machine is to bear it. */
  | 'own'
  /** Whoever bears it is to be the other end of a tunnel. */
  | 'peer'
  /** It is to be asked for names. */
  | 'resolver'

export interface Surroundings {
  /** What the links of this machine bear, those of our tunnels left out. */
  readonly links: readonly LinkNetwork[]
  readonly hosts: readonly KnownHost[]
}

interface LinkNetwork {
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

/** What is known beyond configuration and facts. */
export interface Learnt {
  /** Addresses at which LNSes are dialled, by the tunnel's name. */
  readonly targets: ReadonlyMap<string, readonly string[]>
  /** Resolvers of uplinks that the system knows, by the uplink's name. */
  readonly resolvers: ReadonlyMap<string, readonly string[]>
}

export const NOTHING_KNOWN: Learnt = { targets: new Map(), resolvers: new Map() }

export function surroundingsOf(config: Config, facts: Facts, learnt: Learnt = NOTHING_KNOWN): Surroundings {
  const ways = uplinks(config, facts)
  const own = new Set(config.tunnels.map(({ device }) => device))
  // That of a tunnel that is no more is there until the wish without it is written.
  const isOurs = ({ name, alias }: Link) => own.has(name) || (alias?.startsWith(ALIAS_PREFIX) ?? false)
  const links = facts.links.filter((link) => link.up && !isOurs(link))
  const nameOf = (device: string) => ways.find((uplink) => uplink.device === device)?.name ?? device
  const onLinks = links.flatMap(({ index, name }) =>
    facts.addresses.filter(({ link }) => link === index).map((address) => ({ ...address, device: name })),
  )
  const gateways = facts.routes
    .filter(({ protocol, destination }) => protocol !== OUR_PROTOCOL && destination.length === 0)
    .flatMap(({ nexthops }) => nexthops)
    .flatMap(({ gateway, link }): KnownHost[] => {
      const device = links.find(({ index }) => index === link)?.name
      if (gateway === undefined || device === undefined) return []
      return [gatewayOf(nameOf(device), gateway)]
    })
  const peers = onLinks.flatMap(({ peer, device }): KnownHost[] =>
    peer === undefined ? [] : [other(peer, `the other end of ${device}`)],
  )
  return {
    links: onLinks.map(({ device, address, length, peer }) => ({
      device,
      uplink: ways.some((uplink) => uplink.device === device),
      address,
      // Where there is a peer the length is that of its network.
      network: networkOf({ address: peer ?? address, length }),
    })),
    hosts: [
      ...hostsOf(config.uplinks, config.tunnels),
      ...othersOf(config),
      ...gateways,
      ...peers,
      ...learntHosts(learnt),
    ],
  }
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

/** Others that it names: who is asked, probed, told or led to. */
function othersOf({ uplinks: lines, tunnels, failover, mqtt, redirects }: Config): KnownHost[] {
  const probes = [failover?.probe, ...lines.map(({ probe }) => probe), ...tunnels.map(({ probe }) => probe)]
  const targets = [...probes.flatMap((probe) => probe?.targets ?? []), ...(failover ? DEFAULT_TARGETS : [])]
  return literal([
    ...lines.flatMap(({ name, dns }) => dns.map((address) => resolverOf(name, address))),
    ...targets.map(({ address }) => other(address, 'a target of probes')),
    ...mqtt.map(({ name, url }) => other(url.host, `the MQTT broker ${name}`)),
    ...redirects.map(({ name, destIp }) => other(destIp, `the host that redirect ${name} leads to`)),
  ])
}

function literal(hosts: readonly KnownHost[]): KnownHost[] {
  return hosts.filter(({ address }) => ipFamily(address) !== undefined)
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

function learntHosts({ targets, resolvers }: Learnt): KnownHost[] {
  return [
    ...[...targets].flatMap(([tunnel, addresses]) => addresses.map((address) => lnsOf(tunnel, address))),
    ...[...resolvers].flatMap(([uplink, addresses]) => addresses.map((one) => resolverOf(uplink, one))),
  ]
}

function lnsOf(tunnel: string, address: string): KnownHost {
  return { address, words: `the address of the LNS itself (tunnel ${tunnel})`, role: 'lns' }
}

function resolverOf(uplink: string, address: string): KnownHost {
  return { address, words: `a resolver of ${uplink}`, role: 'resolver' }
}

function gatewayOf(uplink: string, address: string): KnownHost {
  return { address, words: `the gateway of ${uplink}`, role: 'gateway' }
}

function other(address: string, words: string): KnownHost {
  return { address, words, role: 'other' }
}
