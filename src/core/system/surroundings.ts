/** What there is around tunnels, from configuration, facts and what was learnt. */
import {
  gatewayOf,
  hostsOf,
  type KnownHost,
  literal,
  lnsOf,
  other,
  resolverOf,
  type Surroundings,
} from '../config/fitness.ts'
import type { Config } from '../config/types.ts'
import { DEFAULT_TARGETS } from '../failover/targets.ts'
import { networkOf } from '../ip/prefix.ts'
import { ALIAS_PREFIX } from './device.ts'
import { type Facts, type Link, OUR_PROTOCOL } from './facts.ts'
import { uplinks } from './uplinks.ts'

/** What is known beyond configuration and facts. */
export interface Learnt {
  /** Addresses at which LNSes are dialled, by the tunnel's name. */
  readonly targets: ReadonlyMap<string, readonly string[]>
  /** Resolvers of uplinks that the system knows, by the uplink's name. */
  readonly resolvers: ReadonlyMap<string, readonly string[]>
}

/** Nothing beyond configuration and facts, as at the start. */
export const NOTHING_KNOWN: Learnt = { targets: new Map(), resolvers: new Map() }

/** What stands around the tunnels that no address of a session may take the place of. */
export function surroundingsOf(config: Config, facts: Facts, learnt: Learnt = NOTHING_KNOWN): Surroundings {
  const ways = uplinks(config, facts)
  const own = new Set(config.tunnels.map(({ device }) => device))
  // That of a tunnel that is no more is there until the desired state without it is written.
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

function learntHosts({ targets, resolvers }: Learnt): KnownHost[] {
  return [
    ...[...targets].flatMap(([tunnel, addresses]) => addresses.map((address) => lnsOf(tunnel, address))),
    ...[...resolvers].flatMap(([uplink, addresses]) => addresses.map((one) => resolverOf(uplink, one))),
  ]
}
