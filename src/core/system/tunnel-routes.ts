/** The routes and rules of one tunnel. */

import { STEP } from '../config/numbering.ts'
import { type Family, type Prefix, prefixContains } from '../ip/address.ts'
import { everything, hostPrefix, PRIVATE_NETWORKS, SHARED_NETWORK } from '../ip/prefix.ts'
import type { Rule } from '../netlink/rule.ts'
import { answerRules } from './answer-ways.ts'
import type { DesiredRoute } from './desired-state.ts'
import { lookup } from './lookup.ts'
import type { SharedWays } from './sharing.ts'
import { blocks, hasAddress, ipv4Of, type Tunnel, usable } from './tunnel.ts'

/** Behind every other route to the same prefix: those into tunnels have their positions. */
const LAST_METRIC = 0x7fff_ffff

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

/**
 * The route that leads a destination into a tunnel, from its IPv4 address; a tunnel that is earlier in the configuration
 * wins.
 */
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
