/** The JSON of `nft -j list ruleset` (libnftables-json(5)) as tables, chains, sets and maps. */

/** A table of anyone, as far as it tells what becomes of packets. */
export interface Table {
  readonly family: string
  readonly name: string
  readonly chains: ReadonlyMap<string, Chain>
  /** Elements of named sets, and pairs of named maps. */
  readonly sets: ReadonlyMap<string, readonly unknown[]>
}

/** A chain of such a table. */
export interface Chain {
  readonly name: string
  /** Of a base chain; undefined for one that others jump to. */
  readonly hook: string | undefined
  readonly priority: number
  readonly policy: unknown
  /** Devices of a chain of the family netdev. */
  readonly devices: readonly unknown[]
  /** Each rule is a list of statements. */
  readonly rules: readonly (readonly unknown[])[]
}

/** All tables, in the order of the listing; what is not as nft prints it is left out. */
export function readTables(ruleset: unknown): readonly Table[] {
  const tables = new Map<string, DraftTable>()
  const tableOf = (item: unknown, name: unknown): DraftTable => {
    const family = String(get(item, 'family'))
    const key = `${family} ${name}`
    const known = tables.get(key) ?? { family, name: String(name), chains: new Map(), sets: new Map() }
    tables.set(key, known)
    return known
  }
  for (const item of list(get(ruleset, 'nftables'))) {
    const [chain, rule] = [get(item, 'chain'), get(item, 'rule')]
    const set = get(item, 'set') ?? get(item, 'map')
    if (chain !== undefined) {
      const name = String(get(chain, 'name'))
      const hook = get(chain, 'hook')
      const dev = get(chain, 'dev')
      tableOf(chain, get(chain, 'table')).chains.set(name, {
        name,
        hook: typeof hook === 'string' ? hook : undefined,
        priority: Number(get(chain, 'prio') ?? 0),
        policy: get(chain, 'policy'),
        devices: Array.isArray(dev) ? dev : [dev],
        rules: [],
      })
    } else if (set !== undefined) {
      tableOf(set, get(set, 'table')).sets.set(String(get(set, 'name')), list(get(set, 'elem')))
    } else if (rule !== undefined) {
      const table = tableOf(rule, get(rule, 'table'))
      table.chains.get(String(get(rule, 'chain')))?.rules.push(list(get(rule, 'expr')))
    }
  }
  return [...tables.values()]
}

/** `inet fw4 forward` */
export function chainName(table: Table, chain: Chain): string {
  return `${table.family} ${table.name} ${chain.name}`
}

interface DraftTable extends Table {
  readonly chains: Map<string, Chain & { readonly rules: (readonly unknown[])[] }>
  readonly sets: Map<string, readonly unknown[]>
}

/** Whether an object has this key of its own. */
export function has(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
}

/** The value of a key, undefined where there is none. */
export function get(value: unknown, key: string): unknown {
  return has(value, key) ? (value as Record<string, unknown>)[key] : undefined
}

/** The value itself if it is an array, else an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
