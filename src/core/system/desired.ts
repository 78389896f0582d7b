/** What the kernel should hold, as a pure function: devices, addresses, routes, rules and filters. */

import { activeTable, STEP } from '../config/numbering.ts'
import type { Config } from '../config/types.ts'
import { identityOf } from '../equal.ts'
import type { Sharing } from '../failover/sharing.ts'
import type { ActiveRoute } from '../failover/types.ts'
import { firewallText } from '../firewall/firewall.ts'
import { TABLE_MAIN } from '../netlink/route.ts'
import type { Rule } from '../netlink/rule.ts'
import { activeRoutes, refusesIpv6 } from './active-routes.ts'
import { type DesiredRoute, type DesiredState, NOTHING_DESIRED } from './desired-state.ts'
import { desiredDevice } from './device.ts'
import type { Facts } from './facts.ts'
import { firewallInput } from './firewall-input.ts'
import { lookup } from './lookup.ts'
import type { TunnelState } from './session.ts'
import { leader, SharedWays, sharingNow } from './sharing.ts'
import { type Learnt, NOTHING_KNOWN } from './surroundings.ts'
import { tunnelRoutes, tunnelRules } from './tunnel-routes.ts'
import { tunnelsOf } from './tunnels.ts'
import { serverRoutes, uplinkPaths, uplinkRules } from './uplink-routes.ts'

/**
 * What is desired by a configuration, given what the system is like and which sessions are up. `states` by name of the
 * tunnel; those without one have not dialled yet. `active`: where `failover` sends the traffic, without effect where
 * there is no such section; left out before the first decision, so that what an earlier process decided stays.
 * `sharing`: which paths have the same address, by what they bear now or bore last, so that filters stay as they are
 * while an uplink is away; left out where nothing was seen of them before. `learnt`: what is known of hosts that no
 * address of a session may take the place of.
 */
export function desiredState(
  config: Config,
  facts: Facts,
  states: ReadonlyMap<string, TunnelState>,
  active?: ActiveRoute,
  sharing?: Sharing,
  learnt: Learnt = NOTHING_KNOWN,
): DesiredState {
  const tunnels = tunnelsOf(config, facts, states, learnt)
  const covers = config.firewalls.some(({ paths }) => paths.length > 0)
  if (tunnels.length === 0 && config.failover === undefined && !covers) return NOTHING_DESIRED
  const uplinks = uplinkPaths(config, facts, tunnels)
  const shared = sharing ?? sharingNow(config, facts, states, learnt)
  const ways = new SharedWays(config, shared, tunnels, uplinks, active)
  const own = [
    ...tunnels.flatMap(tunnelRoutes),
    ...(config.failover === undefined ? [] : activeRoutes(config, facts, tunnels, uplinks, active)),
  ]
  const routes = [
    ...serverRoutes(activeTable(config.lifeline), own, tunnels, uplinks),
    ...own,
    ...uplinks.flatMap((uplink) => uplink.routes),
  ]
  const refused = refusesIpv6(config, own)
  const rules = [
    ...tunnels.flatMap((tunnel) => tunnelRules(tunnel, ways)),
    ...uplinks.flatMap((uplink) => uplinkRules(uplink, ways, tunnels, refused)),
  ]
  return {
    filters: {
      kind: 'table',
      script: firewallText(firewallInput(config, facts, tunnels, uplinks, shared)),
    },
    devices: tunnels.map((tunnel) => desiredDevice(tunnel, facts, leader(active))),
    routes: distinct(routes, ({ family, table, destination, metric }) => [
      family,
      table,
      destination,
      metric,
    ]),
    rules: distinct(framed(config, rules, routes), (rule) => rule),
    switchTable: config.failover && activeTable(config.lifeline),
  }
}

/** Our rules between the first step, which spares main's own routes, and the last, which asks for the active path. */
function framed(config: Config, rules: readonly Rule[], routes: readonly DesiredRoute[]): Rule[] {
  const base = config.lifeline.rulePriority
  const table = activeTable(config.lifeline)
  const families = ([4, 6] as const).filter((family) => rules.some((rule) => rule.family === family))
  return families.flatMap((family) => [
    { ...lookup(family, base + STEP.main, TABLE_MAIN), suppressPrefixLength: 0 },
    ...rules.filter((rule) => rule.family === family),
    // With `failover` it stays, so that a switch changes routes only.
    ...(config.failover !== undefined ||
    routes.some((route) => route.family === family && route.table === table)
      ? [lookup(family, base + STEP.active, table)]
      : []),
  ])
}

/** The first of those with the same key: two tunnels may share an address or a prefix. */
function distinct<T>(items: readonly T[], key: (item: T) => unknown): T[] {
  const seen = new Map<string, T>()
  for (const item of items) {
    const identity = identityOf(key(item))
    if (!seen.has(identity)) seen.set(identity, item)
  }
  return [...seen.values()]
}
