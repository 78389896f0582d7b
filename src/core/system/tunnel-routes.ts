/** The routes and rules of one tunnel. */

import { pathMark } from '../config/marks.ts'
import { activeTable, ownTable, STEP, tunnelTable } from '../config/numbering.ts'
import type { Config, PortRange, TunnelConfig } from '../config/types.ts'
import type { Family } from '../ip/address.ts'
import { type Prefix, prefixContains } from '../ip/address.ts'
import { LEAST_IPV6_MTU, overheadOf } from '../ip/encapsulation.ts'
import { everything, hostPrefix, isHost, networkOf, PRIVATE_NETWORKS, SHARED_NETWORK } from '../ip/prefix.ts'
import type { Rule } from '../netlink/rule.ts'
import { answerRules, servedPorts } from './answer-ways.ts'
import type { DesiredRoute } from './desired-state.ts'
import type { Facts } from './facts.ts'
import { lookup } from './lookup.ts'
import type { SessionIpv6, TunnelSession, TunnelState } from './session.ts'
import type { SharedWays } from './sharing.ts'

/** A tunnel with all that its state implies. */
export interface Tunnel {
  readonly config: TunnelConfig
  /** A session is up. */
  readonly up: boolean
  readonly mtu: number
  /** IPv6 is wanted, and the device can have it. */
  readonly ipv6: boolean
  /** IPv6 can be routed into the device, if only to be refused there. */
  readonly routesIpv6: boolean
  /** `failover` decides about traffic into it. */
  readonly inFailover: boolean
  /** What a session of it is like is known, from this one or the last. */
  readonly known: boolean
  /** The address that IPCP gave, or gave last. */
  readonly address4: TunnelSession['ipv4']
  /** What IPV6CP and Router Advertisements gave, or gave last. */
  readonly session6: SessionIpv6 | undefined
  /** Those that it is to carry: without IPv6 where the configuration or the kernel has none. */
  readonly wanted: readonly Family[]
  /** Those that the session lacks, and that may still come. */
  readonly awaited: readonly Family[]
  /** Which families go into the tunnel: those of the session, or of the last one while it redials. */
  readonly carried: readonly Family[]
  readonly underlay: TunnelSession['underlay'] | undefined
  /** Without `failover`: everybody's traffic goes into it while its session is up. */
  readonly isDefault: boolean
  /** The UDP ports of this machine that it lets be asked. */
  readonly servedPorts: readonly PortRange[]
  /** Of connections over it. */
  readonly mark: NonNullable<Rule['mark']>
  readonly rulePriority: number
  /** The table of this tunnel, and that of the active path unless the tunnel keeps to a table of its own. */
  readonly tables: Readonly<Record<Family, { readonly own: number; readonly active: number | undefined }>>
  /** Position in the configuration: earlier tunnels are preferred. */
  readonly position: number
}

/** The MTU of a tunnel that never had a session: what Ethernet leaves of its 1500 octets over IPv4. */
const DEFAULT_MTU = 1500 - overheadOf(4, 'l2tp')

/** Behind every other route to the same prefix: those into tunnels have their positions. */
const LAST_METRIC = 0x7fff_ffff

export function describeTunnel(
  config: Config,
  facts: Facts,
  tunnel: TunnelConfig,
  position: number,
  state: TunnelState | undefined,
): Tunnel {
  const { lifeline, failover } = config
  const { session, held } = state ?? { session: undefined, held: undefined }
  const mtu = held?.mtu ?? (tunnel.mtu === 'auto' ? DEFAULT_MTU : tunnel.mtu)
  const inFailover = failover?.paths.includes(tunnel.name) ?? false
  const possible6 = facts.ipv6 && mtu >= LEAST_IPV6_MTU
  const ipv6 = tunnel.ipv6 && possible6
  const current = session ?? held
  const tables = (family: Family) => ({
    own: tunnelTable(lifeline, tunnel, position, family),
    active: ownTable(tunnel, family) === undefined ? activeTable(lifeline) : undefined,
  })
  return {
    config: tunnel,
    up: session !== undefined,
    known: current !== undefined,
    mtu,
    ipv6,
    routesIpv6: ipv6 || (inFailover && possible6),
    inFailover,
    isDefault: tunnel.defaultroute && failover === undefined,
    servedPorts: servedPorts(config, tunnel),
    mark: { value: pathMark(config, tunnel.name) ?? 0, mask: lifeline.markMask },
    address4: held?.ipv4,
    session6: ipv6 ? held?.ipv6 : undefined,
    wanted: tunnel.ipv6 && facts.ipv6 ? [4, 6] : [4],
    awaited: (session?.awaited ?? []).filter((family) => family === 4 || ipv6),
    carried: [...(current?.ipv4 ? ([4] as const) : []), ...(ipv6 && current?.ipv6 ? ([6] as const) : [])],
    underlay: session?.underlay,
    rulePriority: lifeline.rulePriority,
    tables: { 4: tables(4), 6: tables(6) },
    position,
  }
}

/** Defaults for the families it carries, its peer, and what of its own blocks is nowhere in use. */
export function tunnelRoutes(tunnel: Tunnel): DesiredRoute[] {
  const { isDefault, carried, tables } = tunnel
  const defaults = carried
    .filter((family) => hasAddress(tunnel, family))
    .flatMap((family) => {
      const { own, active } = tables[family]
      const chosen = isDefault && active !== undefined ? [own, active] : [own]
      return chosen.map((table) => intoTunnel(tunnel, everything(family), table))
    })
  return [
    ...defaults,
    ...refusals(tunnel),
    ...peerRoutes(tunnel),
    ...blocks(tunnel).flatMap((block) => aggregates(tunnel, block)),
  ]
}

/** A session is up, and this machine could be answered over it in at least one family. */
export function usable(tunnel: Tunnel): boolean {
  return tunnel.up && tunnel.carried.some((family) => hasAddress(tunnel, family))
}

/**
 * Whoever wants all traffic in the tunnel does not want half of it beside: a family that the session lacks is refused, so
 * that programs use the other one at once. Behind every tunnel that does carry it; not while the session itself is gone.
 * One that may still come leads into the device, which throws it away: should this process die meanwhile, it falls through.
 */
function refusals(tunnel: Tunnel): DesiredRoute[] {
  const { isDefault, tables, carried, wanted, awaited } = tunnel
  if (!isDefault || !usable(tunnel)) return []
  return wanted
    .filter((family) => !carried.includes(family) || !hasAddress(tunnel, family))
    .flatMap((family) => {
      const { active } = tables[family]
      if (active === undefined) return []
      return awaited.includes(family)
        ? [{ ...intoTunnel(tunnel, everything(family), active), metric: LAST_METRIC }]
        : [refusal(family, active, everything(family), LAST_METRIC)]
    })
}

/**
 * Sockets on the device use its table, packets from its addresses and replies of its connections that of the path which
 * carries them now. A prefix falls through where none does: its hosts are to be told, not kept waiting.
 */
export function tunnelRules(tunnel: Tunnel, ways: SharedWays): Rule[] {
  const { config, tables, rulePriority: base, ipv6, session6, mark, isDefault } = tunnel
  const families: Family[] = ipv6 ? [4, 6] : [4]
  const carrier = ways.carrier(config.name)
  const carrying = (family: Family) => carrier?.tables[family] ?? tables[family].own
  const forBlocks = carrier?.kind === 'uplink' && !ways.leads(config.name) ? undefined : carrier
  const from = (prefix: Prefix, step: number, table: (family: Family) => number): Rule => {
    const family = prefix.address.includes(':') ? 6 : 4
    return { ...lookup(family, base + step, table(family)), from: prefix }
  }
  const statics6 = ipv6 ? config.ip6addrs.map(({ address }) => address) : []
  // Where the machine's own traffic keeps out of it; `failover` decides for itself.
  const aside = (family: Family) => !tunnel.inFailover && !(isDefault && tables[family].active !== undefined)
  return [
    ...families.map((family) => ({
      ...lookup(family, base + STEP.device, tables[family].own),
      oif: config.device,
    })),
    ...ipv4Of(tunnel).map((address) => from(hostPrefix(address), STEP.address, carrying)),
    // Advertised in the tunnel, so of no other path.
    ...(session6?.addresses ?? []).map(({ address }) =>
      from(hostPrefix(address), STEP.address, (family) => tables[family].own),
    ),
    ...statics6.map((address) => from(hostPrefix(address), STEP.address, carrying)),
    ...blocks(tunnel).map((block) =>
      from(block, STEP.prefix, (family) => forBlocks?.tables[family] ?? tables[family].own),
    ),
    ...families.map((family) => ({ ...lookup(family, base + STEP.flow, carrying(family)), mark })),
    ...families
      .filter((family) => aside(family) && hasAddress(tunnel, family))
      .flatMap((family) => answerRules(tunnel.servedPorts, family, tables[family].own)),
  ]
}

/** Its IPv4 addresses: the one that IPCP gave, now or last, and those of the configuration. */
export function ipv4Of({ address4, config }: Tunnel): string[] {
  return [
    ...(address4 === undefined ? [] : [address4.address]),
    ...config.ipaddrs.map(({ address }) => address),
  ]
}

/** The addresses that packets into the tunnel may come from, without blocks behind them. */
export function addressesOf(tunnel: Tunnel): string[] {
  const { config, ipv6, session6 } = tunnel
  return [
    ...ipv4Of(tunnel),
    ...(session6?.addresses ?? []).map(({ address }) => address),
    ...(ipv6 ? config.ip6addrs : []).map(({ address }) => address),
  ]
}

/** Blocks that the provider routes to us, larger than one address. */
export function blocks({ config, ipv6 }: Tunnel): Prefix[] {
  const wide = config.ipaddrs.filter((prefix) => !isHost(prefix))
  return [...wide, ...(ipv6 ? config.ip6prefixes : [])].map(networkOf)
}

/** Without an address of its own, or one behind it, nothing could be answered to this machine. */
export function hasAddress({ address4, session6, config }: Tunnel, family: Family): boolean {
  if (family === 4) return address4 !== undefined
  return (session6?.addresses.length ?? 0) + config.ip6addrs.length + config.ip6prefixes.length > 0
}

/**
 * The peer's address may also be one of the LAN's: it must not come before main's own routes. Any host of the internet may
 * be named there: where traffic does not go into the tunnel anyway, only a private address is led to it.
 */
function peerRoutes(tunnel: Tunnel): DesiredRoute[] {
  const { address4, tables, carried, underlay, isDefault } = tunnel
  const peer = address4?.peer
  if (!carried.includes(4) || peer === undefined || peer === underlay?.server) return []
  const isPrivate = [...PRIVATE_NETWORKS, SHARED_NETWORK].some((network) => prefixContains(network, peer))
  const { own, active } = tables[4]
  return isDefault || isPrivate ? [intoTunnel(tunnel, hostPrefix(peer), active ?? own)] : []
}

/**
 * What comes in for an unused part of a block is refused here; by a default route it would go back into the tunnel,
 * and round and round (RFC 7084 section 4.3, WPD-5).
 */
function aggregates({ tables }: Tunnel, block: Prefix): DesiredRoute[] {
  const family = block.address.includes(':') ? 6 : 4
  const { own, active } = tables[family]
  return [own, ...(active === undefined ? [] : [active])].map((table) =>
    refusal(family, table, block, LAST_METRIC),
  )
}

function refusal(family: Family, table: number, destination: Prefix, metric: number): DesiredRoute {
  return { family, table, destination, via: 'unreachable', metric, source: undefined }
}

export function intoTunnel(
  { config, address4, position }: Tunnel,
  destination: Prefix,
  table: number,
): DesiredRoute {
  const family = destination.address.includes(':') ? 6 : 4
  return {
    family,
    table,
    destination,
    via: { device: config.device, gateway: undefined, onlink: false },
    metric: position + 1,
    source: family === 4 ? address4?.address : undefined,
  }
}
