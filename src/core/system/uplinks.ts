/** Which physical ways out there are right now, and which of them can carry a tunnel. */

import { carrierNames, uplinksAround } from '../config/carriers.ts'
import type { Config, TunnelConfig, UplinkConfig } from '../config/types.ts'
import type { NoUplink, UnusedDefault } from '../failure.ts'
import type { Family } from '../ip/address.ts'
import { ipFamily } from '../ip/address.ts'
import { TABLE_MAIN } from '../netlink/route.ts'
import {
  addressesOf,
  type Facts,
  type Link,
  linkNamed,
  type Nexthop,
  OUR_PROTOCOL,
  type Route,
} from './facts.ts'

/** An uplink as it is now, of use or not. */
export type Uplink = UnusableUplink | UsableUplink

/** `absent`: no such device; `down`: not up or no carrier; `no_address`: up, but without an address to send from. */
export interface UnusableUplink extends UplinkIdentity {
  readonly state: 'absent' | 'down' | 'no_address'
  readonly link: Link | undefined
  readonly addresses: readonly string[]
}

/** An uplink over which datagrams can leave. */
export interface UsableUplink extends UplinkIdentity {
  readonly state: 'up'
  readonly link: Link
  /** Our addresses that can reach beyond the link, IPv6 first, deprecated ones last in their family; never empty. */
  readonly addresses: readonly string[]
  /** How each family that may be tried leaves the device, IPv6 first; never empty. */
  readonly ways: readonly Way[]
}

interface UplinkIdentity {
  /** As configured; an uplink learnt from the system bears its device's name. */
  readonly name: string
  readonly device: string
  /** Configured; undefined: the kernel's choice. */
  readonly source: string | undefined
  /** Configured resolvers; empty: to be learnt from the system. */
  readonly dns: readonly string[]
}

/** How datagrams of a family leave an uplink. */
export interface Way {
  readonly family: Family
  /** Undefined where nothing is known: then only neighbours can be reached. */
  readonly nexthop: Pick<Nexthop, 'gateway' | 'onlink'> | undefined
}

/**
 * All uplinks in the order of the configuration, and last the one that the system itself uses, if a tunnel leaves the
 * choice to it and it is not configured by name.
 */
export function uplinks(config: Config, facts: Facts): Uplink[] {
  const configured = configuredUplinks(config, facts)
  const devices = new Set(configured.map(({ device }) => device))
  const learnt = config.tunnels
    .filter((tunnel) => carrierNames(tunnel, config) === undefined)
    .flatMap((tunnel) => systemUplink(tunnel, config, facts) ?? [])
    .filter(({ device }) => !devices.has(device) && devices.add(device))
  return [...configured, ...learnt.map((uplink) => describe(uplink, facts))]
}

/** Those that have a section, in its order. */
export function configuredUplinks(config: Pick<Config, 'uplinks'>, facts: Facts): Uplink[] {
  return config.uplinks.map((uplink) => describe(found(uplink, facts), facts))
}

/**
 * The uplinks that can carry the tunnel now, the most preferred first. A tunnel for which none is named gets the one
 * that the system uses, and follows it. `spent`: names of uplinks that are not used any more this month.
 */
export function carriersOf(
  tunnel: TunnelConfig,
  config: Config,
  facts: Facts,
  spent: ReadonlySet<string> = new Set(),
): UsableUplink[] {
  const names = carrierNames(tunnel, config)
  const named = names?.flatMap((name) => config.uplinks.find((uplink) => uplink.name === name) ?? [])
  return (named?.map((uplink) => found(uplink, facts)) ?? [systemUplink(tunnel, config, facts)])
    .filter((uplink) => uplink !== undefined)
    .map((uplink) => describe(uplink, facts))
    .filter((uplink) => uplink.state === 'up')
    .filter(({ name }) => !spent.has(name))
}

/** An uplink that has addresses, but not the one that it is to send from. */
export interface LackingSource {
  readonly uplink: string
  readonly address: string
}

/** The configured uplinks that are of no use because of their option `source`. */
export function lackingSources(config: Pick<Config, 'uplinks'>, facts: Facts): LackingSource[] {
  return configuredUplinks(config, facts).flatMap(({ name, state, addresses, source }) => {
    const lacks = state === 'no_address' && addresses.length > 0 && source !== undefined
    return lacks ? [{ uplink: name, address: source }] : []
  })
}

/** Why a tunnel has no uplink to be dialled over. `spent`: names of uplinks that are not used any more this month. */
export function noUplink(
  tunnel: TunnelConfig,
  config: Config,
  facts: Facts,
  spent: ReadonlySet<string> = new Set(),
): NoUplink {
  const uplinks = carrierNames(tunnel, config)
  const own = lackingSources(config, facts).filter(({ uplink }) => uplinks?.includes(uplink) ?? true)
  const cutOff = (uplinks ?? []).filter((name) => spent.has(name))
  return {
    code: 'no_uplink',
    uplinks: uplinks ?? [],
    ...(own.length > 0 && { lacking: own }),
    ...(cutOff.length > 0 && { spent: cutOff }),
    ...(uplinks === undefined && { defaults: unusedDefaults(tunnel, config, facts) }),
  }
}

/** The default routes of others that are there, and why none of them carries the tunnel; main's first. */
export function unusedDefaults(tunnel: TunnelConfig, config: Config, facts: Facts): UnusedDefault[] {
  const replaced = replacedDevices(tunnel, config, facts)
  const routes = ([4, 6] as const).flatMap((family) => byMetric(foreignDefaults(facts, family)))
  const inMain = routes.filter(({ table }) => table === TABLE_MAIN)
  const unused = (inMain.length > 0 ? inMain : routes).flatMap(({ table, nexthops }) =>
    nexthops.flatMap(({ link }): UnusedDefault[] => {
      const device = facts.links.find(({ index }) => index === link)?.name
      if (device === undefined) return []
      if (config.tunnels.some((each) => each.device === device)) return [{ device, why: 'tunnel' }]
      if (replaced.includes(device)) return [{ device, why: 'replaced' }]
      if (table !== TABLE_MAIN) return [{ device, why: 'table', table }]
      const { state } = describe(learnt(device, facts), facts)
      return state === 'down' || state === 'no_address' ? [{ device, why: state }] : []
    }),
  )
  return unused.filter(({ device }, i) => unused.findIndex((other) => other.device === device) === i)
}

/** Whether a socket that was bound to the uplink's device, and sends from `source`, still leads out of it. */
export function stillLeads(uplink: UsableUplink, link: Link, source: string): boolean {
  return uplink.link.index === link.index && uplink.addresses.includes(source)
}

/** The addresses of a server that can be tried over an uplink, the families alternating, IPv6 first (RFC 8305 section 4). */
export function candidateAddresses(addresses: readonly string[], uplink: UsableUplink): string[] {
  const [first = [], second = []] = uplink.ways.map(({ family }) =>
    addresses.filter((address) => ipFamily(address) === family),
  )
  const longest = Math.max(first.length, second.length)
  const pairs = Array.from({ length: longest }, (_, i) => [
    ...first.slice(i, i + 1),
    ...second.slice(i, i + 1),
  ])
  return [...new Set(pairs.flat())]
}

/**
 * How packets of a family leave a device: by the configured gateway, else by the best default route over it, main's
 * before other tables'. Undefined if there is none and neighbours have to be resolved.
 */
export function wayOut(
  facts: Facts,
  uplink: Pick<UplinkConfig, 'gateway' | 'gateway6'>,
  link: Link,
  family: Family,
): Pick<Nexthop, 'gateway' | 'onlink'> | undefined {
  const gateway = family === 4 ? uplink.gateway : uplink.gateway6
  if (gateway !== undefined) return { gateway, onlink: true }
  const routes = foreignDefaults(facts, family)
  const ofMain = byMetric(routes.filter(({ table }) => table === TABLE_MAIN))
  const ofOthers = byMetric(routes.filter(({ table }) => table !== TABLE_MAIN))
  const known = [...ofMain, ...ofOthers]
    .flatMap(({ nexthops }) => nexthops)
    .find((nexthop) => nexthop.link === link.index)
  if (known !== undefined) return { gateway: known.gateway, onlink: known.onlink }
  return link.noArp ? { gateway: undefined, onlink: false } : undefined
}

/** Whether main's default route, the one of the lowest metric, leads out of this link and no other. */
export function leadsMain(facts: Facts, link: Link, family: Family): boolean {
  const defaults = facts.routes.filter(
    (route) => route.family === family && route.table === TABLE_MAIN && route.destination.length === 0,
  )
  const best = Math.min(...defaults.map(({ metric }) => metric))
  const nexthops = defaults.filter(({ metric }) => metric === best).flatMap((route) => route.nexthops)
  return nexthops.length > 0 && nexthops.every((nexthop) => nexthop.link === link.index)
}

/**
 * The device of main's default route as an uplink: IPv4's, or IPv6's where there is no other; the lowest metric whose
 * device is usable, else the lowest. Never a device of our own tunnels, nor of an uplink that the tunnel is there to
 * replace, as it comes first in `failover`.
 */
function systemUplink(tunnel: TunnelConfig, config: Config, facts: Facts): Found | undefined {
  const own = new Set([
    ...config.tunnels.map(({ device }) => device),
    ...replacedDevices(tunnel, config, facts),
  ])
  const devices = ([4, 6] as const)
    .flatMap((family) => byMetric(foreignDefaults(facts, family).filter(({ table }) => table === TABLE_MAIN)))
    .flatMap(({ nexthops }) => nexthops)
    .flatMap((nexthop) => facts.links.find(({ index }) => index === nexthop.link)?.name ?? [])
    .filter((name) => !own.has(name))
  const usable = devices.find((device) => describe(learnt(device, facts), facts).state === 'up')
  const device = usable ?? devices[0]
  if (device === undefined) return undefined
  const configured = config.uplinks.map((uplink) => found(uplink, facts))
  return configured.find((uplink) => uplink.device === device) ?? learnt(device, facts)
}

/** Devices of the uplinks that the tunnel is there to replace. */
function replacedDevices(tunnel: TunnelConfig, config: Config, facts: Facts): string[] {
  const { before } = uplinksAround(tunnel, config)
  const replaced = config.uplinks.filter(({ name }) => before.includes(name))
  return replaced.map((uplink) => found(uplink, facts).device)
}

interface Found extends UplinkIdentity, Pick<UplinkConfig, 'gateway' | 'gateway6'> {
  readonly link: Link | undefined
}

/** The one place that looks for the device of an uplink: all others are told which one it is. */
function found({ device: { name: device }, ...uplink }: UplinkConfig, facts: Facts): Found {
  return { ...uplink, device, link: linkNamed(facts, device) }
}

function learnt(device: string, facts: Facts): Found {
  const unconfigured = { gateway: undefined, gateway6: undefined, source: undefined, dns: [] }
  return { ...unconfigured, name: device, device, link: linkNamed(facts, device) }
}

function describe(uplink: Found, facts: Facts): Uplink {
  const { name, device, source, dns, link } = uplink
  const identity = { name, device, source, dns }
  if (link === undefined) return { ...identity, state: 'absent', link, addresses: [] }
  const addresses = sourcesOn(facts, link)
  if (!link.up || !link.carrier) return { ...identity, state: 'down', link, addresses }
  const sourceThere = source === undefined || facts.addresses.some(({ address }) => address === source)
  if (addresses.length === 0 || !sourceThere) return { ...identity, state: 'no_address', link, addresses }
  const families = ([6, 4] as const).filter((family) =>
    addresses.some((address) => ipFamily(address) === family),
  )
  const ways = families.map((family) => ({ family, nexthop: wayOut(facts, uplink, link, family) }))
  const leading = ways.filter(({ nexthop }) => nexthop !== undefined)
  // Without any gateway an LNS on the link itself can still be reached.
  return { ...identity, state: 'up', link, addresses, ways: leading.length > 0 ? leading : ways }
}

/** Addresses of a link that may be sent from to the world: no link-local ones, none whose duplicate detection runs. */
function sourcesOn(facts: Facts, link: Link): string[] {
  return addressesOf(facts, link)
    .filter(({ scope, tentative }) => (scope === 'global' || scope === 'site') && !tentative)
    .sort((a, b) => b.family - a.family || Number(a.deprecated) - Number(b.deprecated))
    .map(({ address }) => address)
}

/** Default routes that are not ours. */
function foreignDefaults(facts: Facts, family: Family): Route[] {
  return facts.routes.filter(
    (route) =>
      route.family === family &&
      route.destination.length === 0 &&
      route.type === 'unicast' &&
      route.protocol !== OUR_PROTOCOL,
  )
}

function byMetric(routes: readonly Route[]): Route[] {
  return [...routes].sort((a, b) => a.metric - b.metric)
}
