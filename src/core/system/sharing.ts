/** Which paths carry the same public addresses, and which of them does so now. */
import type { Config } from '../config/types.ts'
import type { ActiveRoute } from '../failover/types.ts'
import type { Family } from '../netlink/address.ts'
import { ipv4Of, type Tunnel, usable } from './tunnel-routes.ts'
import type { UplinkPath } from './uplink-routes.ts'

/** One of the paths of `failover`, as far as it matters who has which address. */
interface Path {
  readonly name: string
  readonly kind: 'tunnel' | 'uplink'
  /** IPv4, now or last; empty: not known yet. */
  readonly addresses: readonly string[]
  readonly backsUp: string | undefined
  /** Packets can leave over it. */
  readonly ready: boolean
  readonly tables: Readonly<Record<Family, number>>
}

/**
 * Paths that share an address, by configuration (`backs_up`) or because they were seen with the same one. While the
 * tunnel has a session the provider routes the address into it, else to the uplink.
 */
export class Sharing {
  readonly #paths: readonly Path[]
  readonly #active: string | undefined

  constructor(paths: readonly Path[], active: ActiveRoute | undefined) {
    this.#paths = paths
    this.#active = leader(active)
  }

  /** All names with the same address, itself among them; `possibly`: also those of which it may yet turn out. */
  partners(name: string, certainty: 'surely' | 'possibly' = 'surely'): string[] {
    const found = new Set([name])
    // A tunnel of its own line may be backed up by several others: who shares with one shares with all.
    for (const one of found)
      for (const { name: other } of this.#paths)
        if (!found.has(other) && this.#share(one, other, certainty)) found.add(other)
    return [...found]
  }

  /** The path that packets from the address of this one take: the active one, else the one that the provider uses. */
  carrier(name: string): Path | undefined {
    const partners = new Set(this.partners(name))
    const paths = this.#paths.filter((path) => partners.has(path.name))
    return (
      paths.find((path) => path.name === this.#active) ??
      paths.find(({ kind, ready }) => kind === 'tunnel' && ready) ??
      paths.find(({ ready }) => ready) ??
      paths.find((path) => path.name === name)
    )
  }

  /** Whether the path, or one that shares its address, is where the traffic goes. */
  leads(name: string): boolean {
    return this.#active !== undefined && this.partners(name).includes(this.#active)
  }

  /** The IPv4 address that these paths share, as far as it is known: that of a tunnel, or else of this path. */
  address(partners: readonly string[], name: string): string | undefined {
    const tunnels = this.#paths.filter((path) => path.kind === 'tunnel' && partners.includes(path.name))
    const own = this.#paths.find((path) => path.name === name)
    return [...tunnels, ...(own === undefined ? [] : [own])].flatMap(({ addresses }) => addresses)[0]
  }

  /** Whether the path is known to have this IPv4 address. */
  has(name: string, address: string): boolean {
    return this.#paths.some((path) => path.name === name && path.addresses.includes(address))
  }

  #share(one: string, other: string, certainty: 'surely' | 'possibly'): boolean {
    const [a, b] = [one, other].map((name) => this.#paths.find((path) => path.name === name))
    if (a === undefined || b === undefined) return false
    const tunnel = a.kind === 'tunnel' ? a : b
    const partner = tunnel === a ? b : a
    if (tunnel.kind !== 'tunnel') return false
    if (partner.kind === 'uplink' && tunnel.backsUp !== undefined) return tunnel.backsUp === partner.name
    // Only for a more preferred path may a tunnel turn out to stand in.
    if (tunnel.addresses.length === 0 || partner.addresses.length === 0)
      return certainty === 'possibly' && this.#paths.indexOf(partner) < this.#paths.indexOf(tunnel)
    return tunnel.addresses.some((address) => partner.addresses.includes(address))
  }
}

/** The paths of `failover` in their order; without one nothing is shared. */
export function sharingOf(
  { failover }: Config,
  tunnels: readonly Tunnel[],
  uplinks: readonly UplinkPath[],
  active: ActiveRoute | undefined,
  lastAddresses: ReadonlyMap<string, string>,
): Sharing {
  const paths = (failover?.paths ?? []).flatMap((name): Path[] => {
    const tunnel = tunnels.find(({ config }) => config.name === name)
    if (tunnel !== undefined) return [tunnelPath(tunnel)]
    const uplink = uplinks.find((candidate) => candidate.name === name)
    return uplink === undefined ? [] : [uplinkPath(uplink, lastAddresses.get(name))]
  })
  return new Sharing(paths, active)
}

/** The path that the table of the active path leads to; while traffic is held, the one that is awaited. */
export function leader(active: ActiveRoute | undefined): string | undefined {
  if (active?.kind === 'path') return active.name
  return active?.kind === 'hold' ? active.awaited : undefined
}

function tunnelPath(tunnel: Tunnel): Path {
  const { config, tables } = tunnel
  return {
    name: config.name,
    kind: 'tunnel',
    addresses: ipv4Of(tunnel),
    backsUp: config.backsUp,
    ready: usable(tunnel),
    tables: { 4: tables[4].own, 6: tables[6].own },
  }
}

function uplinkPath({ name, addresses, routes, table }: UplinkPath, last: string | undefined): Path {
  const now = addresses.filter((address) => !address.includes(':'))
  return {
    name,
    kind: 'uplink',
    addresses: now.length > 0 || last === undefined ? now : [last],
    backsUp: undefined,
    ready: routes.length > 0,
    tables: { 4: table, 6: table },
  }
}
