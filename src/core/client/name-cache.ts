import { canonicalIp } from '../ip/address.ts'

interface Entry {
  readonly name: string
  readonly uplink: string
  readonly addresses: readonly string[]
  /** The one of them that carried a session last, whatever resolvers have said since. */
  readonly carried?: string
}

/** A machine has a few servers and uplinks; more than this comes from names that changed over the years. */
const MAX_ENTRIES = 64
const MAX_ADDRESSES = 16

/**
 * The last addresses of each server name over each uplink. They are used at once while the name is asked again, so that
 * a dial never waits for a resolver that was good yesterday. No lifetimes: an old answer is better than none. What a
 * resolver says is not verified, as where a portal answers for every name: an address that has carried a session is kept
 * until another one has.
 */
export class NameCache {
  /** The latest last. */
  readonly #entries: Entry[]

  private constructor(entries: Entry[]) {
    this.#entries = entries
  }

  /** From what `toText` gave. Whatever is not as we wrote it is left out: a cache is a help, not a promise. */
  static parse(text: string | undefined): NameCache {
    const cache = new NameCache([])
    for (const { name, uplink, addresses, carried } of readEntries(text)) {
      cache.remember(name, uplink, addresses)
      if (carried !== undefined) cache.carried(name, uplink, carried)
    }
    return cache
  }

  /** The last answer over the uplink, else the latest over any; undefined if the name was never resolved. */
  recall(name: string, uplink: string): readonly string[] | undefined {
    const addresses = this.#entry(name, uplink, () => true)?.addresses
    const proven = this.proven(name, uplink)
    return addresses && [...new Set([...(proven === undefined ? [] : [proven]), ...addresses])]
  }

  /** The address that carried the last session over the uplink, else over any; undefined if none has. */
  proven(name: string, uplink: string): string | undefined {
    return this.#entry(name, uplink, ({ carried }) => carried !== undefined)?.carried
  }

  /** An address has carried a session; true if that is worth writing. */
  carried(name: string, uplink: string, address: string): boolean {
    const literal = canonicalIp(address)
    const index = this.#entries.findIndex((entry) => entry.name === name && entry.uplink === uplink)
    const old = this.#entries[index]
    if (old === undefined || literal === undefined || old.carried === literal) return false
    this.#entries[index] = { ...old, carried: literal }
    return true
  }

  #entry(name: string, uplink: string, fits: (entry: Entry) => boolean): Entry | undefined {
    const entries = this.#entries.filter((entry) => entry.name === name && fits(entry))
    return entries.find((entry) => entry.uplink === uplink) ?? entries.at(-1)
  }

  /** All that is remembered of a name, over whichever uplink. */
  known(name: string): readonly string[] {
    return [
      ...new Set(this.#entries.filter((entry) => entry.name === name).flatMap(({ addresses }) => addresses)),
    ]
  }

  /** Keeps an answer; true if that is worth writing: resolvers rotate addresses, their order alone is not. */
  remember(name: string, uplink: string, addresses: readonly string[]): boolean {
    const literals = addresses.map(canonicalIp).filter((address) => address !== undefined)
    const known = [...new Set(literals)].slice(0, MAX_ADDRESSES)
    if (known.length === 0) return false
    const index = this.#entries.findIndex((entry) => entry.name === name && entry.uplink === uplink)
    const [old] = index < 0 ? [] : this.#entries.splice(index, 1)
    const carried = old?.carried
    this.#entries.push({ name, uplink, addresses: known, ...(carried === undefined ? {} : { carried }) })
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift()
    return old === undefined || [...old.addresses].sort().join() !== [...known].sort().join()
  }

  /** One JSON text for a state file. */
  toText(): string {
    return `${JSON.stringify(this.#entries)}\n`
  }
}

function readEntries(text: string | undefined): Entry[] {
  const parsed = parseJson(text ?? '')
  return Array.isArray(parsed) ? parsed.filter(isEntry) : []
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false
  const { name, uplink, addresses, carried } = value as Partial<Record<keyof Entry, unknown>>
  return (
    typeof name === 'string' &&
    typeof uplink === 'string' &&
    (carried === undefined || typeof carried === 'string') &&
    Array.isArray(addresses) &&
    addresses.every((address) => typeof address === 'string')
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
