/** Which paths carry the same public addresses: the one judgement of it, for failover, filters and routes alike. */
import type { PathPlan } from './types.ts'

/** A path of `failover`, as far as it matters who has which address. */
export interface AddressedPath extends Pick<PathPlan, 'name' | 'kind' | 'backsUp'> {
  /** IPv4, now or last; empty: not known yet. */
  readonly addresses: readonly string[]
}

/** `surely`: they do, as far as anyone on this side can know; `possibly`: it may yet turn out. */
export type Certainty = 'surely' | 'possibly'

/**
 * Paths that share an address, by configuration (`backs_up`) or because they were seen with the same one. While the
 * tunnel has a session the provider routes the address into it, else to the uplink.
 */
export class Sharing {
  readonly #paths: readonly AddressedPath[]

  /** `paths` in order of preference. */
  constructor(paths: readonly AddressedPath[]) {
    this.#paths = paths
  }

  /** All names with the same address, itself among them; `possibly`: also those of which it may yet turn out. */
  partners(name: string, certainty: Certainty = 'surely'): string[] {
    const found = new Set([name])
    // A tunnel of its own line may be backed up by several others: who shares with one shares with all.
    for (const one of found)
      for (const { name: other } of this.#paths)
        if (!found.has(other) && this.#share(one, other, certainty)) found.add(other)
    return [...found]
  }

  /** Whether these two are different paths with the same address. */
  shares(one: Pick<PathPlan, 'name'>, other: Pick<PathPlan, 'name'>): boolean {
    return one.name !== other.name && this.partners(one.name).includes(other.name)
  }

  /** The IPv4 address that these paths share, as far as it is known: that of a tunnel, or else of this path. */
  address(partners: readonly string[], name: string): string | undefined {
    const tunnels = this.#paths.filter((path) => path.kind === 'tunnel' && partners.includes(path.name))
    return [...tunnels.flatMap(({ addresses }) => addresses), ...this.addresses(name)][0]
  }

  /** The IPv4 addresses of a path, now or last; empty: not known. */
  addresses(name: string): readonly string[] {
    return this.#paths.find((path) => path.name === name)?.addresses ?? []
  }

  /** Whether the path is known to have this IPv4 address. */
  has(name: string, address: string): boolean {
    return this.addresses(name).includes(address)
  }

  #share(one: string, other: string, certainty: Certainty): boolean {
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

/** Before anything is known of any path. */
export const NOTHING_SHARED = new Sharing([])

/** Keeps what each path bore last, for the time that it bears nothing: a line that is down has taken its addresses along. */
export class PathAddresses {
  readonly #last = new Map<string, readonly string[]>()
  #paths: readonly AddressedPath[] = []
  #sharing = NOTHING_SHARED

  /** The judgement by what was seen so far; the same object while it is the same. */
  get sharing(): Sharing {
    return this.#sharing
  }

  /** What the paths bear now, in order of preference; whether anything about their addresses has changed. */
  seen(now: readonly AddressedPath[]): boolean {
    const paths = now.map((path) => {
      const addresses = path.addresses.length > 0 ? path.addresses : (this.#last.get(path.name) ?? [])
      this.#last.set(path.name, addresses)
      return { ...path, addresses }
    })
    if (sameList(paths, this.#paths, samePath)) return false
    this.#paths = paths
    this.#sharing = new Sharing(paths)
    return true
  }
}

function samePath(one: AddressedPath, other: AddressedPath): boolean {
  return (
    one.name === other.name &&
    one.kind === other.kind &&
    one.backsUp === other.backsUp &&
    sameList(one.addresses, other.addresses, (a, b) => a === b)
  )
}

function sameList<T>(one: readonly T[], other: readonly T[], same: (a: T, b: T) => boolean): boolean {
  return (
    one.length === other.length &&
    one.every((item, i) => {
      const twin = other[i]
      return twin !== undefined && same(item, twin)
    })
  )
}
