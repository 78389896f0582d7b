/** What the firewall has to know, from configuration, system and sessions. The active path has no say in it. */

import { sectionOf } from '../config/firewall.ts'
import type { Config, FirewallConfig } from '../config/types.ts'
import type { Sharing } from '../failover/sharing.ts'
import type { FirewallInput, FirewallPath, OwnedPrefix } from '../firewall/types.ts'
import type { Family } from '../ip/address.ts'
import { ipFamily, prefixContains } from '../ip/address.ts'
import { liesInAny, PRIVATE } from '../ip/networks.ts'
import { hostPrefix } from '../ip/prefix.ts'
import { hasAddress } from './assigned.ts'
import type { Facts } from './facts.ts'
import { addressesOf, type Tunnel } from './tunnel.ts'
import type { UplinkPath } from './uplink-path.ts'

/** Addresses that may yet turn out to be shared are treated so from the start: connections begin before it is known. */
export function firewallInput(
  config: Config,
  facts: Facts,
  tunnels: readonly Tunnel[],
  uplinks: readonly UplinkPath[],
  sharing: Sharing,
): FirewallInput {
  const situation = { config, tunnels, uplinks, sharing }
  return {
    markMask: config.lifeline.markMask,
    paths: [
      ...uplinks.flatMap((uplink) => uplinkPath(uplink, situation) ?? []),
      ...tunnels.map((tunnel) => tunnelPath(tunnel, situation)),
    ],
    redirects: config.redirects,
    owned: ownedPrefixes(situation),
    twins: uplinks.flatMap(({ device, twins }) => twins.map((address) => ({ device, address }))),
    answered: answeredAddresses(config, facts, tunnels),
    asked: privateAddresses(config),
  }
}

/** Whom we ask ourselves, on purpose. */
function privateAddresses({ uplinks, tunnels, failover }: Config): string[] {
  const probes = [failover?.probe, ...uplinks.map(({ probe }) => probe), ...tunnels.map(({ probe }) => probe)]
  const named = [
    ...tunnels.flatMap(({ servers }) => servers.map(({ host }) => host)),
    ...uplinks.flatMap(({ dns }) => dns),
    ...probes.flatMap((probe) => (probe?.targets ?? []).map(({ address }) => address)),
  ]
  return [...new Set(named)]
    .filter((address) => ipFamily(address) === 4 && liesInAny(PRIVATE, address))
    .sort()
}

/**
 * Of tunnels that let UDP in: their own, and those out of their prefixes that devices here bear. Redirects may lead to this
 * machine itself.
 */
function answeredAddresses({ redirects }: Config, facts: Facts, tunnels: readonly Tunnel[]): string[] {
  const own = [...new Set(facts.addresses.map(({ address }) => address))].sort()
  const serving = tunnels.filter(({ servedPorts }) => servedPorts.length > 0)
  const behind = serving.flatMap(({ assigned }) => assigned.prefixes)
  const targets = redirects
    .filter(({ enabled, protocols }) => enabled && protocols.includes('udp'))
    .map(({ destIp }) => destIp)
  return [
    ...new Set([
      ...serving.flatMap(addressesOf),
      ...own.filter(
        (address) => targets.includes(address) || behind.some((prefix) => prefixContains(prefix, address)),
      ),
    ]),
  ]
}

interface Situation {
  readonly config: Config
  readonly tunnels: readonly Tunnel[]
  readonly uplinks: readonly UplinkPath[]
  readonly sharing: Sharing
}

function tunnelPath(tunnel: Tunnel, situation: Situation): FirewallPath {
  const { name, device, firewall } = tunnel.config
  const section = firewall === 'none' ? undefined : sectionOf(name, 'tunnel', situation.config)
  return {
    name,
    kind: 'tunnel',
    device,
    mark: tunnel.mark.value,
    filter: section ?? (firewall === 'none' ? 'none' : 'deny'),
    mtu: smallestMtu(name, situation) ?? tunnel.mtu,
    snat: section && snatOf(name, section, situation),
    uncarried: tunnel.inFailover && tunnel.known ? uncarried(tunnel, situation) : [],
  }
}

function uplinkPath(uplink: UplinkPath, situation: Situation): FirewallPath | undefined {
  const { name, device, marks } = uplink
  if (marks === undefined) return undefined
  const section = sectionOf(name, 'uplink', situation.config)
  const shared = situation.sharing.partners(name, 'possibly').length > 1
  return {
    name,
    kind: 'uplink',
    device,
    mark: marks.flow.value,
    filter: section ?? 'none',
    mtu: shared ? smallestMtu(name, situation) : section && 'route',
    snat: section && snatOf(name, section, situation),
    uncarried: [],
  }
}

/** Among all paths with the same address, those that are not up included. */
function smallestMtu(name: string, { tunnels, uplinks, sharing }: Situation): number | undefined {
  const partners = sharing.partners(name, 'possibly')
  const sizes = [
    ...tunnels.filter(({ config }) => partners.includes(config.name)).map(({ mtu }) => mtu),
    ...uplinks.filter((uplink) => partners.includes(uplink.name)).flatMap(({ mtu }) => mtu ?? []),
  ]
  return sizes.length === 0 ? undefined : Math.min(...sizes)
}

/** A tunnel that stands in for an uplink carries the addresses of that line, though nobody told us all of them. */
function uncarried(tunnel: Tunnel, { sharing }: Situation): Family[] {
  const families: Family[] = tunnel.routesIpv6 ? [4, 6] : [4]
  const standsIn = sharing.partners(tunnel.config.name, 'possibly').length > 1
  return families.filter(
    (family) => !tunnel.carried.includes(family) || !(standsIn || hasAddress(tunnel.assigned, family)),
  )
}

/**
 * `auto`: the shared address on all paths that share it, masquerade elsewhere. An address that is configured counts on
 * the paths that are known to have it, or on all where none is.
 */
function snatOf(
  name: string,
  { snat, paths }: FirewallConfig,
  { config, sharing }: Situation,
): FirewallPath['snat'] {
  if (snat === 'none') return undefined
  const partners = sharing.partners(name, 'possibly')
  if (snat === 'auto')
    return (partners.length > 1 ? sharing.address(partners, name) : undefined) ?? 'masquerade'
  const all =
    paths.length > 0 ? paths : (config.failover?.paths ?? config.tunnels.map((tunnel) => tunnel.name))
  const owners = all.filter((path) => sharing.has(path, snat))
  const entitled = owners.length === 0 ? all : owners.flatMap((path) => sharing.partners(path, 'possibly'))
  return entitled.includes(name) ? snat : 'masquerade'
}

/** Each address and prefix with the devices over which it may leave. */
function ownedPrefixes({ tunnels, uplinks, sharing }: Situation): OwnedPrefix[] {
  const devicesOf = (name: string) => {
    const partners = sharing.partners(name, 'possibly')
    return [
      ...uplinks.filter((uplink) => partners.includes(uplink.name)).map(({ device }) => device),
      ...tunnels.filter(({ config }) => partners.includes(config.name)).map(({ config }) => config.device),
    ]
  }
  const prefixes = tunnels.flatMap((tunnel) => {
    const { config, assigned } = tunnel
    const advertised = assigned.addresses.filter(({ by }) => by === 'router')
    const shared = assigned.addresses.filter(({ by }) => by !== 'router')
    const devices = devicesOf(config.name)
    // A line that bears an address itself sends from it, whoever else has it.
    const bearing = (address: string) =>
      uplinks.filter(({ addresses }) => addresses.includes(address)).map(({ device }) => device)
    return [
      ...shared.map(({ address }) => ({
        prefix: hostPrefix(address),
        devices: [...devices, ...bearing(address)],
      })),
      ...assigned.prefixes.map((prefix) => ({ prefix, devices })),
      ...advertised.map(({ address }) => ({ prefix: hostPrefix(address), devices: [config.device] })),
    ]
  })
  const ofUplinks = uplinks.flatMap(({ name }) => {
    const partners = sharing.partners(name, 'possibly')
    const address = partners.length > 1 ? sharing.address(partners, name) : undefined
    return address === undefined ? [] : [{ prefix: hostPrefix(address), devices: devicesOf(name) }]
  })
  return merged([...prefixes, ...ofUplinks])
}

/** An address of several paths may leave by the devices of all; single addresses before the prefixes that they lie in. */
function merged(owned: readonly OwnedPrefix[]): OwnedPrefix[] {
  const byPrefix = new Map<string, OwnedPrefix>()
  for (const item of owned) {
    const key = `${item.prefix.address}/${item.prefix.length}`
    const known = byPrefix.get(key)?.devices ?? []
    byPrefix.set(key, { prefix: item.prefix, devices: [...new Set([...known, ...item.devices])] })
  }
  return [...byPrefix.values()].sort((a, b) => b.prefix.length - a.prefix.length)
}
