/** The table of the active path: where everything goes that no other rule knows a way for. */

import { activeTable } from '../config/numbering.ts'
import type { Config } from '../config/types.ts'
import type { ActiveRoute } from '../failover/types.ts'
import type { Family } from '../ip/address.ts'
import { everything } from '../ip/prefix.ts'
import type { Route } from '../netlink/route.ts'
import type { DesiredRoute } from './desired-state.ts'
import { type Facts, OUR_PROTOCOL } from './facts.ts'
import { leader } from './sharing.ts'
import type { Tunnel } from './tunnel.ts'
import { intoTunnel } from './tunnel-routes.ts'
import type { UplinkPath } from './uplink-path.ts'

/**
 * The default routes of both families. Traffic that waits for a tunnel goes into its device, whose carrier is on
 * although there is no session: what arrives there is thrown away, and when this process dies the kernel turns the
 * carrier off and lookups fall through to main, as no blackhole route would let them. Before the first decision
 * (`undefined`) what an earlier process left stays.
 */
export function activeRoutes(
  { lifeline }: Config,
  facts: Facts,
  tunnels: readonly Tunnel[],
  uplinks: readonly UplinkPath[],
  active: ActiveRoute | undefined,
): DesiredRoute[] {
  const table = activeTable(lifeline)
  if (active === undefined) return leftBehind(facts, table)
  const families: Family[] = facts.ipv6 ? [4, 6] : [4]
  const name = leader(active)
  const tunnel = tunnels.find(({ config }) => config.name === name)
  if (tunnel !== undefined)
    return families.map((family) =>
      family === 4 || tunnel.routesIpv6
        ? { ...intoTunnel(tunnel, everything(family), table), metric: 1 }
        : refused(family, table, 'unreachable'),
    )
  // There is no tunnel to wait for and none of the uplinks may be used.
  if (active.kind === 'hold') return families.map((family) => refused(family, table, 'blackhole'))
  const uplink = uplinks.find((candidate) => candidate.name === name)
  if (uplink === undefined) return []
  // A family that only this path lacks fails at once, so that hosts use the other; with no way at all, packets are lost
  // as on a line that is cut, until another path is chosen.
  const refusal = uplink.routes.length > 0 ? 'unreachable' : 'blackhole'
  return families.map((family) => {
    const route = uplink.routes.find((candidate) => candidate.family === family)
    return route === undefined ? refused(family, table, refusal) : { ...route, table }
  })
}

/** Whether it refuses all IPv6 that gets there: a tunnel that carries some comes before the refusal of another one. */
export function refusesIpv6({ lifeline }: Config, routes: readonly DesiredRoute[]): boolean {
  const defaults = routes.filter(({ family, destination }) => family === 6 && destination.length === 0)
  const ways = defaults.filter(({ table }) => table === activeTable(lifeline)).map(({ via }) => via)
  return ways.length > 0 && ways.every((via) => typeof via === 'string')
}

function refused(family: Family, table: number, via: 'unreachable' | 'blackhole'): DesiredRoute {
  return { family, table, destination: everything(family), via, metric: 1, source: undefined }
}

function leftBehind(facts: Facts, table: number): DesiredRoute[] {
  return facts.routes
    .filter((route) => route.protocol === OUR_PROTOCOL && route.table === table)
    .filter(({ destination }) => destination.length === 0)
    .flatMap((route) => asDesired(route, facts) ?? [])
}

function asDesired(route: Route, facts: Facts): DesiredRoute | undefined {
  const { family, table, destination, type, metric, source, nexthops } = route
  const common = { family, table, destination, metric, source }
  if (type === 'unreachable' || type === 'blackhole') return { ...common, via: type }
  const [nexthop] = nexthops
  const device = facts.links.find(({ index }) => index === nexthop?.link)?.name
  if (nexthop === undefined || device === undefined) return undefined
  return { ...common, via: { device, gateway: nexthop.gateway, onlink: nexthop.onlink } }
}
