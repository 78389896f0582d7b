/** The routes and rules of the uplinks that carry tunnels: device-bound sockets need no default route in main. */
import type { Config } from '../config/types.ts'
import type { Family } from '../netlink/address.ts'
import type { Rule } from '../netlink/rule.ts'
import { type DesiredRoute, lookup } from './desired.ts'
import { type Facts, linkNamed } from './facts.ts'
import { STEP, uplinkTable } from './numbering.ts'
import { everything, hostPrefix } from './prefix.ts'
import type { Tunnel } from './tunnel-routes.ts'
import { wayOut } from './uplinks.ts'

export interface UplinkPath {
  readonly device: string
  readonly routes: readonly DesiredRoute[]
  readonly rules: readonly Rule[]
}

interface Uplink {
  readonly device: string
  readonly gateway: string | undefined
  readonly gateway6: string | undefined
  readonly source: string | undefined
}

/** One for each configured uplink, and for each other device that carries a session. */
export function uplinkPaths(config: Config, facts: Facts, tunnels: readonly Tunnel[]): UplinkPath[] {
  const configured: Uplink[] = [...config.uplinks]
  const others = tunnels
    .flatMap(({ underlay }) => (underlay === undefined ? [] : [underlay.device]))
    .filter((device) => !configured.some((uplink) => uplink.device === device))
  const uplinks: Uplink[] = [
    ...configured,
    ...[...new Set(others)].map((device) => ({
      device,
      gateway: undefined,
      gateway6: undefined,
      source: undefined,
    })),
  ]
  return uplinks.map((uplink, position) => {
    const table = uplinkTable(config.lifeline, position)
    const routes = defaults(facts, uplink, table)
    const rules = routes.map(({ family }) => ({
      ...lookup(family, config.lifeline.rulePriority + STEP.device, table),
      oif: uplink.device,
    }))
    return { device: uplink.device, routes, rules }
  })
}

/**
 * The second belt: wherever the active table leads into a tunnel, the servers of tunnels are reached over their
 * uplinks, so that no tunnel runs inside itself or another even if a socket were not bound to its device.
 */
export function serverRoutes(
  active: number,
  own: readonly DesiredRoute[],
  tunnels: readonly Tunnel[],
  uplinks: readonly UplinkPath[],
): DesiredRoute[] {
  return tunnels.flatMap(({ underlay }) => {
    if (underlay === undefined) return []
    const destination = hostPrefix(underlay.server)
    const family = destination.length === 32 ? 4 : 6
    if (!own.some((route) => route.family === family && route.table === active)) return []
    const uplink = uplinks.find(({ device }) => device === underlay.device)
    const way = uplink?.routes.find((route) => route.family === family)
    return way === undefined ? [] : [{ ...way, table: active, destination }]
  })
}

function defaults(facts: Facts, uplink: Uplink, table: number): DesiredRoute[] {
  const link = linkNamed(facts, uplink.device)
  if (link === undefined || !link.up) return []
  const families: Family[] = facts.ipv6 ? [4, 6] : [4]
  return families.flatMap((family) => {
    const way = wayOut(facts, uplink, link, family)
    if (way === undefined) return []
    const via = { device: link.name, ...way }
    const source = family === 4 ? uplink.source : undefined
    return [
      { family, table, destination: everything(family), via, metric: 1, source: present(facts, source) },
    ]
  })
}

/** The kernel refuses a route whose source address is not there. */
function present(facts: Facts, source: string | undefined): string | undefined {
  return facts.addresses.some(({ address }) => address === source) ? source : undefined
}
