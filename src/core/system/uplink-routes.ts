/** The routes and rules of the uplinks that carry tunnels: device-bound sockets need no default route in main. */
import type { Config } from '../config/types.ts'
import type { Rule } from '../netlink/rule.ts'
import { type DesiredRoute, lookup } from './desired.ts'
import { type Facts, linkNamed } from './facts.ts'
import { STEP, uplinkTable } from './numbering.ts'
import { everything, hostPrefix } from './prefix.ts'
import type { Tunnel } from './tunnel-routes.ts'
import { uplinks, type Way, wayOut } from './uplinks.ts'

export interface UplinkPath {
  readonly device: string
  readonly routes: readonly DesiredRoute[]
  readonly rules: readonly Rule[]
}

interface WaysOut {
  readonly device: string
  readonly ways: readonly Way[]
  readonly source: string | undefined
}

/** One for each uplink, and for each other device that still carries a session. */
export function uplinkPaths(config: Config, facts: Facts, tunnels: readonly Tunnel[]): UplinkPath[] {
  const known = uplinks(config, facts).map(
    (uplink): WaysOut => ({
      device: uplink.device,
      ways: uplink.state === 'up' ? uplink.ways : [],
      // The kernel refuses a route whose source address is not there.
      source: uplink.addresses.find((address) => address === uplink.source),
    }),
  )
  const carrying = tunnels.flatMap(({ underlay }) => (underlay === undefined ? [] : [underlay.device]))
  const others = [...new Set(carrying)].filter((device) => !known.some((uplink) => uplink.device === device))
  return [...known, ...others.map((device) => learnt(device, facts))].map((uplink, position) =>
    path(config, uplink, uplinkTable(config.lifeline, position)),
  )
}

/**
 * The second belt: wherever the active table leads into a tunnel, the servers of tunnels are reached over their
 * uplinks, so that no tunnel runs inside itself or another even if a socket were not bound to its device.
 */
export function serverRoutes(
  active: number,
  own: readonly DesiredRoute[],
  tunnels: readonly Tunnel[],
  paths: readonly UplinkPath[],
): DesiredRoute[] {
  return tunnels.flatMap(({ underlay }) => {
    if (underlay === undefined) return []
    const destination = hostPrefix(underlay.server)
    const family = destination.length === 32 ? 4 : 6
    if (!own.some((route) => route.family === family && route.table === active)) return []
    const carrier = paths.find(({ device }) => device === underlay.device)
    const way = carrier?.routes.find((route) => route.family === family)
    return way === undefined ? [] : [{ ...way, table: active, destination }]
  })
}

function path(config: Config, { device, ways, source }: WaysOut, table: number): UplinkPath {
  const routes = ways.flatMap(({ family, nexthop }): DesiredRoute[] => {
    if (nexthop === undefined) return []
    const preferred = family === 4 ? source : undefined
    const via = { device, gateway: nexthop.gateway, onlink: nexthop.onlink }
    return [{ family, table, destination: everything(family), via, metric: 1, source: preferred }]
  })
  const priority = config.lifeline.rulePriority + STEP.device
  return {
    device,
    routes,
    rules: routes.map(({ family }) => ({ ...lookup(family, priority, table), oif: device })),
  }
}

/** What the system knows about a device that no uplink names. */
function learnt(device: string, facts: Facts): WaysOut {
  const link = linkNamed(facts, device)
  const unconfigured = { gateway: undefined, gateway6: undefined }
  const ways = ([4, 6] as const)
    .filter((family) => link?.up && (family === 4 || facts.ipv6))
    .map((family): Way => ({ family, nexthop: link && wayOut(facts, unconfigured, link, family) }))
  return { device, ways, source: undefined }
}
