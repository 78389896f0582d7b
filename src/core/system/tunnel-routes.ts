/** The routes and rules of one tunnel. */

import { STEP } from '../config/numbering.ts'
import type { Family, Prefix } from '../ip/address.ts'
import { liesInAny, PRIVATE, SHARED } from '../ip/networks.ts'
import { everything, hostPrefix } from '../ip/prefix.ts'
import type { Rule } from '../netlink/rule.ts'
import { answerRules } from './answer-ways.ts'
import { hasAddress } from './assigned.ts'
import type { DesiredRoute } from './desired-state.ts'
import { lookup } from './lookup.ts'
import type { SharedWays } from './sharing.ts'
import { ipcpAddress, type Tunnel, usable } from './tunnel.ts'

/** Behind every other route to the same prefix: those into tunnels have their positions. */
const LAST_METRIC = 0x7fff_ffff

/** Defaults for the families it carries, its peer, and what of its own prefixes is nowhere in use. */
export function tunnelRoutes(tunnel: Tunnel): DesiredRoute[] {
  const { assigned, isDefault, carried, tables } = tunnel
  const defaults = carried
    .filter((family) => hasAddress(assigned, family))
    .flatMap((family) => {
      const { own, active } = tables[family]
      const chosen = isDefault && active !== undefined ? [own, active] : [own]
      return chosen.map((table) => intoTunnel(tunnel, everything(family), table))
    })
  return [
    ...defaults,
    ...refusals(tunnel),
    ...peerRoutes(tunnel),
    ...assigned.prefixes.flatMap((prefix) => aggregates(tunnel, prefix)),
  ]
}

/**
 * Whoever wants all traffic in the tunnel does not want half of it beside: a family that the session lacks is refused, so
 * that programs use the other one at once. Behind every tunnel that does carry it; not while the session itself is gone.
 * One that may still come leads into the device, which throws it away: should this process die meanwhile, it falls through.
 */
function refusals(tunnel: Tunnel): DesiredRoute[] {
  const { assigned, isDefault, tables, carried, wanted, awaited } = tunnel
  if (!isDefault || !usable(tunnel)) return []
  return wanted
    .filter((family) => !carried.includes(family) || !hasAddress(assigned, family))
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
  const { assigned, config, tables, rulePriority: base, ipv6, mark, isDefault } = tunnel
  const families: Family[] = ipv6 ? [4, 6] : [4]
  const carrier = ways.carrier(config.name)
  const carrying = (family: Family) => carrier?.tables[family] ?? tables[family].own
  const forPrefixes = carrier?.kind === 'uplink' && !ways.leads(config.name) ? undefined : carrier
  const from = (prefix: Prefix, step: number, table: (family: Family) => number): Rule => {
    const family = prefix.address.includes(':') ? 6 : 4
    return { ...lookup(family, base + step, table(family)), from: prefix }
  }
  // Where the machine's own traffic keeps out of it; `failover` decides for itself.
  const aside = (family: Family) => !tunnel.inFailover && !(isDefault && tables[family].active !== undefined)
  return [
    ...families.map((family) => ({
      ...lookup(family, base + STEP.device, tables[family].own),
      oif: config.device,
    })),
    ...assigned.addresses.map(({ address, by }) =>
      from(hostPrefix(address), STEP.address, by === 'router' ? (family) => tables[family].own : carrying),
    ),
    ...assigned.prefixes.map((prefix) =>
      from(prefix, STEP.prefix, (family) => forPrefixes?.tables[family] ?? tables[family].own),
    ),
    ...families.map((family) => ({ ...lookup(family, base + STEP.flow, carrying(family)), mark })),
    ...families
      .filter((family) => aside(family) && hasAddress(assigned, family))
      .flatMap((family) => answerRules(tunnel.servedPorts, family, tables[family].own)),
  ]
}

/**
 * The peer's address may also be one of the LAN's: it must not come before main's own routes. Any host of the internet may
 * be named there: where traffic does not go into the tunnel anyway, only a private address is led to it.
 */
function peerRoutes(tunnel: Tunnel): DesiredRoute[] {
  const { tables, carried, underlay, isDefault } = tunnel
  const peer = ipcpAddress(tunnel)?.peer
  if (!carried.includes(4) || peer === undefined || peer === underlay?.server) return []
  const isPrivate = liesInAny([...PRIVATE, SHARED], peer)
  const { own, active } = tables[4]
  return isDefault || isPrivate ? [intoTunnel(tunnel, hostPrefix(peer), active ?? own)] : []
}

/**
 * What comes in for an unused part of a prefix is refused here; by a default route it would go back into the tunnel,
 * and round and round (RFC 7084 section 4.3, WPD-5).
 */
function aggregates({ tables }: Tunnel, prefix: Prefix): DesiredRoute[] {
  const family = prefix.address.includes(':') ? 6 : 4
  const { own, active } = tables[family]
  return [own, ...(active === undefined ? [] : [active])].map((table) =>
    refusal(family, table, prefix, LAST_METRIC),
  )
}

function refusal(family: Family, table: number, destination: Prefix, metric: number): DesiredRoute {
  return { family, table, destination, via: 'unreachable', metric, source: undefined }
}

/**
 * The route that leads a destination into a tunnel, from its IPv4 address; a tunnel that is earlier in the configuration
 * wins.
 */
export function intoTunnel(tunnel: Tunnel, destination: Prefix, table: number): DesiredRoute {
  const family = destination.address.includes(':') ? 6 : 4
  return {
    family,
    table,
    destination,
    via: { device: tunnel.config.device, gateway: undefined, onlink: false },
    metric: tunnel.position + 1,
    source: family === 4 ? ipcpAddress(tunnel)?.address : undefined,
  }
}
