/** What has to be done so that the kernel holds what it should: an ordered list of changes. */
import { equal, identityOf } from '../equal.ts'
import type { DesiredFilters } from '../firewall/filters.ts'
import type { LinkAddress } from '../netlink/address.ts'
import type { LinkChange } from '../netlink/link.ts'
import type { Route } from '../netlink/route.ts'
import type { Rule } from '../netlink/rule.ts'
import { type Change, kernelRoute } from './change.ts'
import type { DesiredAddress, DesiredDevice, DesiredRoute, DesiredState } from './desired-state.ts'
import { ALIAS_PREFIX } from './device.ts'
import { addressesOf, type Facts, type Link, linkNamed, OUR_PROTOCOL } from './facts.ts'

/** What facts cannot tell. */
export interface Holdings {
  /** The nft script that was loaded; undefined if our table does not exist; empty if that is not known. */
  readonly nft: string | undefined
  /** A value below /proc/sys, without its newline; undefined where the path does not exist. */
  readSysctl(path: string): string | undefined
}

/**
 * The changes from what is to what should be, empty if all is well. Devices that go come first; then filters, before
 * any device can carry; then devices, addresses, routes and rules, what is new before what is old goes, so that there
 * is never a moment without a way; the carriers at last.
 */
export function difference(desired: DesiredState, facts: Facts, holdings: Holdings): Change[] {
  const filters = filterChanges(desired.filters, holdings.nft)
  const doomed = unwantedDevices(desired, facts)
  const present = desired.devices.map((device) => ({ device, link: linkNamed(facts, device.name) }))
  return [
    ...present.filter(({ device, link }) => link?.carrier && !device.carrier).map(carrier),
    ...doomed.map(({ name, index }): Change => ({ kind: 'removeDevice', device: name, index })),
    ...filters.filter(({ kind }) => kind === 'loadNft'),
    ...present
      .filter(({ link }) => link === undefined)
      .map(({ device }): Change => ({ kind: 'createDevice', device: device.name })),
    ...present.flatMap(({ device, link }) => deviceChanges(device, link, holdings)),
    ...present.flatMap(({ device, link }) => addressChanges(device, link ? addressesOf(facts, link) : [])),
    ...routeChanges(desired, facts, doomed),
    ...filters.filter(({ kind }) => kind === 'removeNft'),
    ...present.filter(({ device, link }) => device.carrier && !link?.carrier).map(carrier),
  ]
}

function filterChanges(desired: DesiredFilters, loaded: Holdings['nft']): Change[] {
  switch (desired.kind) {
    case 'none':
      return loaded === undefined ? [] : [{ kind: 'removeNft' }]
    case 'table':
      return loaded === desired.script ? [] : [{ kind: 'loadNft', text: desired.script }]
  }
}

function carrier({ device }: { readonly device: DesiredDevice }): Change {
  return { kind: 'setCarrier', device: device.name, on: device.carrier }
}

function unwantedDevices(desired: DesiredState, facts: Facts): Link[] {
  return facts.links.filter(
    ({ name, kind, alias }) =>
      kind === 'tun' &&
      alias?.startsWith(ALIAS_PREFIX) &&
      !desired.devices.some((device) => device.name === name),
  )
}

/** Everything is set before the device comes up, since the kernel makes addresses at that moment. */
function deviceChanges(device: DesiredDevice, link: Link | undefined, holdings: Holdings): Change[] {
  const { name, mtu, alias, sysctls } = device
  const settings: LinkChange = {
    ...(link?.mtu === mtu ? {} : { mtu }),
    ...(link?.alias === alias ? {} : { alias }),
  }
  const wrong = sysctls.filter(({ path, value }) => {
    if (link === undefined) return true
    const current = holdings.readSysctl(path)
    return current !== undefined && current !== value
  })
  return [
    ...(Object.keys(settings).length === 0
      ? []
      : [{ kind: 'setLink', device: name, change: settings } as const]),
    ...wrong.map((sysctl): Change => ({ kind: 'setSysctl', device: name, sysctl })),
    ...(link?.up ? [] : [{ kind: 'setLink', device: name, change: { up: true } } as const]),
  ]
}

/**
 * Old IPv4 addresses go first: a new one with the same peer would be secondary to the old, and vanish with it. The
 * device has no addresses but ours, unless they are all somebody else's.
 */
function addressChanges(
  { name, addresses, addressOwner }: DesiredDevice,
  known: readonly LinkAddress[],
): Change[] {
  if (addressOwner !== 'lifeline') return []
  const stale = known.filter((address) => !addresses.some((wanted) => isSameAddress(wanted, address)))
  const missing = addresses.filter(
    (wanted) => !known.some((address) => isSameAddress(wanted, address) && isAsWanted(wanted, address)),
  )
  return [
    ...stale.map((address): Change => ({ kind: 'removeAddress', device: name, address })),
    ...missing.map((address): Change => ({ kind: 'addAddress', device: name, address })),
  ]
}

function isSameAddress(wanted: DesiredAddress, known: LinkAddress): boolean {
  return wanted.address === known.address && wanted.length === known.length && wanted.peer === known.peer
}

function isAsWanted(wanted: DesiredAddress, known: LinkAddress): boolean {
  return wanted.deprecated === known.deprecated && wanted.noPrefixRoute === known.noPrefixRoute
}

/** New routes before the rules that lead to them, old rules away before the routes that they led to. */
function routeChanges(desired: DesiredState, facts: Facts, doomed: readonly Link[]): Change[] {
  const ours = facts.routes.filter(({ protocol }) => protocol === OUR_PROTOCOL)
  const wanted = desired.routes.map((route) => ({ route, kernel: kernelRoute(route, facts) }))
  const present = new Set(ours.map(identityOf))
  const kept = new Set(wanted.map(({ kernel }) => identityOf(kernel)))
  const fresh = wanted.filter(({ kernel }) => !present.has(identityOf(kernel)))
  const stale = ours.filter(
    (route) =>
      !leadsTo(route, doomed) &&
      !kept.has(identityOf(route)) &&
      !fresh.some((item) => takesPlaceOf(item.route, route)),
  )
  const ourRules = facts.rules.filter(({ protocol }) => protocol === OUR_PROTOCOL)
  return [
    ...fresh.map(({ route }): Change => ({ kind: 'addRoute', route })),
    ...missing(desired.rules, ourRules).map((rule): Change => ({ kind: 'addRule', rule })),
    ...missing(ourRules, desired.rules).map((rule): Change => ({ kind: 'removeRule', rule })),
    ...stale.map(
      (route): Change => ({
        kind: 'removeRoute',
        route,
        device: facts.links.find(({ index }) => index === route.nexthops[0]?.link)?.name,
      }),
    ),
  ]
}

/** The kernel removes a device's routes together with the device. */
function leadsTo(route: Route, doomed: readonly Link[]): boolean {
  return route.nexthops.some(({ link }) => doomed.some(({ index }) => index === link))
}

/** A new route replaces one with the same table, destination and metric. Should IPv6 keep both, the old one is next. */
function takesPlaceOf(fresh: DesiredRoute, old: Route): boolean {
  return (
    fresh.family === old.family &&
    fresh.table === old.table &&
    fresh.metric === old.metric &&
    equal(fresh.destination, old.destination)
  )
}

function missing(rules: readonly Rule[], from: readonly Rule[]): Rule[] {
  const known = new Set(from.map(identityOf))
  return rules.filter((rule) => !known.has(identityOf(rule)))
}
