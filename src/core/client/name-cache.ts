import { canonicalIp } from '../ip/address.ts'

interface Entry {
  readonly name: string
  readonly uplink: string
  readonly addresses: readonly string[]
}

/** A machine has a few servers and uplinks; more than this comes from names that changed over the years. */
const MAX_ENTRIES = 64
const MAX_ADDRESSES = 16

/**
 * The last addresses of each server name over each uplink. They are used at once while the name is asked again, so that
 * a dial never waits for a resolver that was good yesterday. No lifetimes: an old answer is better than none.
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
    for (const { name, uplink, addresses } of readEntries(text)) cache.remember(name, uplink, addresses)
    return cache
  }

  /** The last answer over the uplink, else the latest over any; undefined if the name was never resolved. */
  recall(name: string, uplink: string): readonly string[] | undefined {
    const answers = this.#entries.filter((entry) => entry.name === name)
    return (answers.find((entry) => entry.uplink === uplink) ?? answers.at(-1))?.addresses
  }

  /** Keeps an answer; true if that is worth writing: resolvers rotate addresses, their order alone is not. */
  remember(name: string, uplink: string, addresses: readonly string[]): boolean {
    const literals = addresses.map(canonicalIp).filter((address) => address !== undefined)
    const fresh: Entry = { name, uplink, addresses: [...new Set(literals)].slice(0, MAX_ADDRESSES) }
    if (fresh.addresses.length === 0) return false
    const index = this.#entries.findIndex((entry) => entry.name === name && entry.uplink === uplink)
    const [old] = index < 0 ? [] : this.#entries.splice(index, 1)
    this.#entries.push(fresh)
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift()
    return old === undefined || [...old.addresses].sort().join() !== [...fresh.addresses].sort().join()
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
  const { name, uplink, addresses } = value as Partial<Record<keyof Entry, unknown>>
  return (
    typeof name === 'string' &&
    typeof uplink === 'string' &&
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
