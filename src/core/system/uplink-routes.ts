/** The routes and rules of the uplinks that carry tunnels: device-bound sockets need no default route in main. */

import { pathMark, steeringMark } from '../config/marks.ts'
import { STEP, uplinkTable } from '../config/numbering.ts'
import type { Config } from '../config/types.ts'
import type { Family } from '../ip/address.ts'
import { prefixContains } from '../ip/address.ts'
import { everything, hostPrefix } from '../ip/prefix.ts'
import { TABLE_MAIN } from '../netlink/route.ts'
import { IPPROTO_TCP, type Rule } from '../netlink/rule.ts'
import type { DesiredRoute } from './desired-state.ts'
import { type Facts, type Link, linkNamed } from './facts.ts'
import { lookup } from './lookup.ts'
import type { SharedWays } from './sharing.ts'
import { addressesOf, type Tunnel } from './tunnel.ts'
import type { UplinkPath } from './uplink-path.ts'
import { leadsMain, type UsableUplink, uplinks, type Way, wayOut } from './uplinks.ts'

/**
 * Answers and connections that are open. When IPv6 finds no way the kernel chooses a source address all the same and asks
 * again, which a rule for any packet from the address would answer; a TCP socket has no port yet when it asks so.
 */
const TCP_WITH_PORT: Pick<Rule, 'ipProtocol' | 'sourcePorts'> = {
  ipProtocol: IPPROTO_TCP,
  sourcePorts: { first: 1, last: 65_534 },
}

interface WaysOut {
  readonly name: string
  readonly device: string
  readonly addresses: readonly string[]
  readonly ways: readonly Way[]
  readonly source: string | undefined
}

/** One for each uplink, and for each other device that still carries a session. */
export function uplinkPaths(config: Config, facts: Facts, tunnels: readonly Tunnel[]): UplinkPath[] {
  const known = uplinks(config, facts).map(
    (uplink): WaysOut => ({
      name: uplink.name,
      device: uplink.device,
      addresses: uplink.addresses,
      ways: uplink.state === 'up' ? [...uplink.ways, ...unnumbered(config, facts, uplink)] : [],
      // The kernel refuses a route whose source address is not there.
      source: uplink.addresses.find((address) => address === uplink.source),
    }),
  )
  const carrying = tunnels.flatMap(({ underlay }) => (underlay === undefined ? [] : [underlay.device]))
  const others = [...new Set(carrying)].filter((device) => !known.some((uplink) => uplink.device === device))
  return [...known, ...others.map((device) => learnt(device, facts))].map((uplink, position) =>
    path(config, facts, uplink, uplinkTable(config.lifeline, position)),
  )
}

/**
 * Sockets on the device use its table. So do packets from its addresses, where the traffic of all others goes elsewhere:
 * replies leave by the uplink whose address was asked. An address that is routed into a tunnel has its rule there. Of a
 * path of `failover` or a firewall, so does whatever belongs to its connections or is steered over it. `refusesIpv6`: the
 * table of the active path does, and so new sockets are to have none over another uplink either.
 */
export function uplinkRules(
  uplink: UplinkPath,
  shared: SharedWays,
  tunnels: readonly Tunnel[],
  refusesIpv6: boolean,
): Rule[] {
  const { name, device, table, routes, marks, families, rulePriority: base } = uplink
  const carrier = shared.carrier(name)
  const bound = routes.map(({ family }) => ({ ...lookup(family, base + STEP.device, table), oif: device }))
  const replies = answeredAddresses(uplink, tunnels).flatMap((address) => {
    const from = hostPrefix(address)
    const family = from.length === 32 ? 4 : 6
    const carried = replyTable(uplink, address, family, shared, tunnels)
    if (carried === undefined) return []
    const all = { ...lookup(family, base + STEP.address, carried), from }
    return [family === 6 && refusesIpv6 ? { ...all, ...TCP_WITH_PORT } : all]
  })
  if (marks === undefined) return [...bound, ...replies]
  return [
    ...bound,
    ...routes.map(({ family }) => ({ ...lookup(family, base + STEP.steering, table), mark: marks.steering })),
    ...replies,
    ...families.map((family) => ({
      ...lookup(family, base + STEP.flow, carrier?.tables[family] ?? table),
      mark: marks.flow,
    })),
  ]
}

/**
 * Its addresses, if what comes in to them would be answered elsewhere without a rule of theirs. One that another device has
 * too would have one rule for both: the marks of connections tell them apart.
 */
function answeredAddresses(
  { addresses, twins, marks }: UplinkPath,
  tunnels: readonly Tunnel[],
): readonly string[] {
  if (marks !== undefined) return addresses.filter((address) => !twins.includes(address))
  return tunnels.some(({ isDefault, inFailover }) => isDefault || inFailover) ? addresses : []
}

/**
 * The table of whoever packets from an address of the uplink belong to; undefined where a rule of a tunnel says so, which
 * has the address or a prefix that it lies in. Paths that share an address share what is routed behind it.
 */
function replyTable(
  { name, replies }: UplinkPath,
  address: string,
  family: Family,
  shared: SharedWays,
  tunnels: readonly Tunnel[],
): number | undefined {
  if (tunnels.some((tunnel) => addressesOf(tunnel).includes(address))) return undefined
  const behind = tunnels.filter((tunnel) =>
    tunnel.assigned.prefixes.some((prefix) => prefixContains(prefix, address)),
  )
  if (behind.length === 0) return replies[family]
  const partners = shared.partners(name)
  const isShared = behind.every(({ config }) => partners.includes(config.name))
  return isShared ? shared.carrier(name)?.tables[family] : undefined
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

function path(config: Config, facts: Facts, uplink: WaysOut, table: number): UplinkPath {
  const { name, device, addresses, ways, source } = uplink
  const routes = ways.flatMap(({ family, nexthop }): DesiredRoute[] => {
    if (nexthop === undefined) return []
    const preferred = family === 4 ? source : undefined
    const via = { device, gateway: nexthop.gateway, onlink: nexthop.onlink }
    return [{ family, table, destination: everything(family), via, metric: 1, source: preferred }]
  })
  const link = linkNamed(facts, device)
  const inFailover = config.failover?.paths.includes(name) ?? false
  const replies = (family: Family) =>
    !inFailover && link !== undefined && leadsMain(facts, link, family) ? TABLE_MAIN : table
  return {
    name,
    device,
    mtu: link?.mtu,
    addresses,
    twins: link === undefined ? [] : addresses.filter((address) => hasTwin(facts, link, address)),
    table,
    replies: { 4: replies(4), 6: replies(6) },
    marks: isPath(config, name) ? marksOf(config, name) : undefined,
    rulePriority: config.lifeline.rulePriority,
    families: facts.ipv6 ? [4, 6] : [4],
    routes,
  }
}

function hasTwin({ addresses }: Facts, { index }: Link, address: string): boolean {
  return (
    !address.includes(':') && addresses.some((other) => other.address === address && other.link !== index)
  )
}

/** Not merely something that carries tunnels. */
function isPath({ failover, firewalls }: Config, name: string): boolean {
  return [failover, ...firewalls].some((section) => section?.paths.includes(name))
}

function marksOf(config: Config, name: string): UplinkPath['marks'] {
  const mask = config.lifeline.markMask
  const flow = pathMark(config, name)
  return flow === undefined
    ? undefined
    : { flow: { value: flow, mask }, steering: { value: steeringMark(config, name), mask } }
}

/**
 * A path whose hosts have IPv6 addresses of a delegated prefix need not have one itself: then its default route says that
 * it carries IPv6. A tunnel could not be sent over it, which has to come from an address.
 */
function unnumbered(config: Config, facts: Facts, { name, ways, link }: UsableUplink): Way[] {
  const uplink = config.uplinks.find((candidate) => candidate.name === name)
  if (!uplink || !isPath(config, name) || !facts.ipv6 || ways.some(({ family }) => family === 6)) return []
  const nexthop = wayOut(facts, uplink, { ...link, noArp: false }, 6)
  return nexthop === undefined ? [] : [{ family: 6, nexthop }]
}

/** What the system knows about a device that no uplink names. */
function learnt(device: string, facts: Facts): WaysOut {
  const link = linkNamed(facts, device)
  const unconfigured = { gateway: undefined, gateway6: undefined }
  const ways = ([4, 6] as const)
    .filter((family) => link?.up && (family === 4 || facts.ipv6))
    .map((family): Way => ({ family, nexthop: link && wayOut(facts, unconfigured, link, family) }))
  return { name: device, device, addresses: [], ways, source: undefined }
}
