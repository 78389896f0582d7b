import type { StateFiles } from '../ports.ts'

const FILE = 'probes.json'
/** Targets kept for a path; more than anyone configures. */
const LIMIT = 32

/** Which probe targets have ever answered on which path, in `state_dir`: the silence of others means nothing. */
export class KnownTargets {
  readonly #files: StateFiles
  readonly #known: Map<string, ReadonlySet<string>>

  constructor(files: StateFiles) {
    this.#files = files
    this.#known = decode(files.read(FILE))
  }

  of(path: string): ReadonlySet<string> {
    return this.#known.get(path) ?? new Set()
  }

  /** Adds targets that have answered; whether any of them is news. */
  remember(path: string, keys: readonly string[]): boolean {
    const known = this.of(path)
    const kept = keys.slice(0, LIMIT)
    if (kept.every((key) => known.has(key))) return false
    this.#known.set(path, new Set([...new Set([...kept, ...known])].slice(0, LIMIT)))
    const entries = [...this.#known].map(([name, set]) => [name, [...set].sort()])
    this.#files.write(FILE, `${JSON.stringify(Object.fromEntries(entries))}\n`)
    return true
  }
}

/** Anything that is not as we wrote it is left out. */
function decode(text: string | undefined): Map<string, ReadonlySet<string>> {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}')
    if (typeof parsed !== 'object' || parsed === null) return new Map()
    return new Map(Object.entries(parsed).map(([path, keys]) => [path, texts(keys)]))
  } catch {
    return new Map()
  }
}

function texts(value: unknown): ReadonlySet<string> {
  if (!Array.isArray(value)) return new Set()
  return new Set(value.filter((item): item is string => typeof item === 'string').slice(0, LIMIT))
}
