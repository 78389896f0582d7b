/**
 * What other programs' nftables chains do with packets that we allow: an accept of ours cannot override a drop of theirs,
 * since nft runs all base chains. Works on the JSON of `nft -j list ruleset` (libnftables-json(5)).
 */
import { TABLE } from './ruleset.ts'

/** A kind of packet. What is undefined may be anything. */
export interface PacketKind {
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output'
  readonly family: 4 | 6
  readonly iif?: string
  readonly oif?: string
  readonly protocol?: 'tcp' | 'udp' | 'sctp' | 'esp' | 'ah' | 'gre' | 'icmp' | 'ipv6-icmp'
  /** In nft's words, such as `echo-request`. */
  readonly icmpType?: string
  readonly sport?: number
  readonly dport?: number
  readonly state?: 'new' | 'established'
}

/**
 * The first foreign base chain that drops every packet of this kind, as `inet fw4 forward`; undefined if there is none.
 * Whatever is not understood counts as a possible accept, so what is found is certain.
 */
export function droppedBy(ruleset: unknown, packet: PacketKind): string | undefined {
  const tables = readTables(ruleset)
  for (const table of tables) {
    if (!speaks(table.family, packet.family) || `${table.family} ${table.name}` === TABLE) continue
    for (const chain of table.chains.values()) {
      if (chain.hook !== packet.hook || chain.type !== 'filter') continue
      const ends = new Walk(table, packet).chain(chain.name)
      if (chain.policy === 'drop' && ends.delete('fall')) ends.add('drop')
      if (ends.size === 1 && ends.has('drop')) return `${table.family} ${table.name} ${chain.name}`
    }
  }
  return undefined
}

/**
 * A foreign chain that refuses packets whose answer would leave by another device (`fib saddr . iif`), as
 * `inet nixos-fw rpfilter`; undefined if there is none.
 */
export function strictReversePathChain(ruleset: unknown): string | undefined {
  for (const table of readTables(ruleset)) {
    if (`${table.family} ${table.name}` === TABLE) continue
    for (const chain of table.chains.values()) {
      if (chain.rules.some((rule) => rule.some(looksBackOverDevice))) {
        return `${table.family} ${table.name} ${chain.name}`
      }
    }
  }
  return undefined
}

/** Whether the table of ours is there. */
export function holdsOurTable(ruleset: unknown): boolean {
  return list(get(ruleset, 'nftables')).some((item) => {
    const table = get(item, 'table')
    return table !== undefined && `${get(table, 'family')} ${get(table, 'name')}` === TABLE
  })
}

function looksBackOverDevice(statement: unknown): boolean {
  const match = get(statement, 'match')
  const flags = list(get(get(get(match, 'left'), 'fib'), 'flags'))
  if (flags.includes('saddr') && flags.includes('iif')) return true
  return get(get(statement, 'xt'), 'name') === 'rpfilter'
}

interface Table {
  readonly family: string
  readonly name: string
  readonly chains: Map<string, Chain>
  readonly sets: Map<string, readonly unknown[]>
}

interface Chain {
  readonly name: string
  readonly type: unknown
  readonly hook: unknown
  readonly policy: unknown
  /** Each rule is a list of statements. */
  readonly rules: (readonly unknown[])[]
}

function readTables(ruleset: unknown): readonly Table[] {
  const tables = new Map<string, Table>()
  const tableOf = (item: unknown, name: unknown): Table => {
    const family = String(get(item, 'family'))
    const key = `${family} ${name}`
    const known = tables.get(key) ?? { family, name: String(name), chains: new Map(), sets: new Map() }
    tables.set(key, known)
    return known
  }
  for (const item of list(get(ruleset, 'nftables'))) {
    const [chain, set, rule] = [get(item, 'chain'), get(item, 'set'), get(item, 'rule')]
    if (chain !== undefined) {
      const name = String(get(chain, 'name'))
      const [type, hook, policy] = [get(chain, 'type'), get(chain, 'hook'), get(chain, 'policy')]
      tableOf(chain, get(chain, 'table')).chains.set(name, { name, type, hook, policy, rules: [] })
    } else if (set !== undefined) {
      tableOf(set, get(set, 'table')).sets.set(String(get(set, 'name')), list(get(set, 'elem')))
    } else if (rule !== undefined) {
      const table = tableOf(rule, get(rule, 'table'))
      table.chains.get(String(get(rule, 'chain')))?.rules.push(list(get(rule, 'expr')))
    }
  }
  return [...tables.values()]
}

/** Where a packet may end: `next` is the following rule, `fall` the end of the chain. */
type End = 'accept' | 'drop' | 'fall' | 'next'
/** True, false, or not known. */
type Truth = boolean | undefined

const MAX_DEPTH = 16
/** Statements that neither decide nor filter. */
const NEUTRAL = new Set(['counter', 'log', 'mangle', 'notrack', 'flow', 'dup', 'ct helper', 'ct timeout'])

/** Follows one kind of packet through the chains of one table. */
class Walk {
  readonly #table: Table
  readonly #packet: PacketKind
  readonly #known = new Map<string, ReadonlySet<End>>()

  constructor(table: Table, packet: PacketKind) {
    this.#table = table
    this.#packet = packet
  }

  /** All ends that are possible, never `next`. */
  chain(name: string, depth = 0): Set<End> {
    const known = this.#known.get(name)
    if (known !== undefined) return new Set(known)
    const chain = this.#table.chains.get(name)
    if (chain === undefined || depth > MAX_DEPTH) return new Set(['accept', 'drop', 'fall'])
    const ends = new Set<End>()
    let goesOn = true
    for (const rule of chain.rules) {
      const ruleEnds = this.#rule(rule, depth)
      goesOn = ruleEnds.delete('next')
      for (const end of ruleEnds) ends.add(end)
      if (!goesOn) break
    }
    if (goesOn) ends.add('fall')
    this.#known.set(name, new Set(ends))
    return ends
  }

  #rule(statements: readonly unknown[], depth: number): Set<End> {
    const ends = new Set<End>()
    for (const statement of statements) {
      const matches = this.#matches(statement)
      if (matches === false) return ends.add('next')
      if (matches === undefined) ends.add('next')
      const decided = this.#verdict(statement, depth)
      for (const end of decided) ends.add(end)
      if (decided.size > 0 && !decided.has('next')) return ends
    }
    return ends.add('next')
  }

  #matches(statement: unknown): Truth {
    const match = get(statement, 'match')
    if (match !== undefined) {
      const equal = this.#equals(get(match, 'left'), get(match, 'right'))
      const op = get(match, 'op')
      if (op === '==' || op === 'in') return equal
      return op === '!=' && equal !== undefined ? !equal : undefined
    }
    const [key = ''] = typeof statement === 'object' && statement !== null ? Object.keys(statement) : []
    return NEUTRAL.has(key) || VERDICTS.has(key) ? true : undefined
  }

  /** Empty for a statement that decides nothing. */
  #verdict(statement: unknown, depth: number): ReadonlySet<End> {
    if (has(statement, 'accept') || has(statement, 'queue')) return new Set(['accept'])
    if (has(statement, 'drop') || has(statement, 'reject')) return new Set(['drop'])
    if (has(statement, 'return')) return new Set(['fall'])
    if (has(statement, 'continue')) return new Set(['next'])
    if (has(statement, 'jump')) {
      const ends = this.chain(String(get(get(statement, 'jump'), 'target')), depth + 1)
      if (ends.delete('fall')) ends.add('next')
      return ends
    }
    if (has(statement, 'goto')) return this.chain(String(get(get(statement, 'goto'), 'target')), depth + 1)
    const vmap = get(statement, 'vmap')
    return vmap === undefined ? new Set() : this.#vmap(vmap, depth)
  }

  #vmap(vmap: unknown, depth: number): Set<End> {
    const ends = new Set<End>()
    const elements = list(get(get(vmap, 'data'), 'set'))
    // A named map, whose elements are not in the rule.
    if (elements.length === 0) return new Set(['accept', 'drop', 'next'])
    for (const element of elements) {
      const [value, verdict] = list(element)
      const matches = this.#equals(get(vmap, 'key'), value)
      if (matches === false) continue
      for (const end of this.#verdict(verdict, depth)) ends.add(end)
      if (matches === true) return ends
    }
    return ends.add('next')
  }

  #equals(left: unknown, right: unknown): Truth {
    const payload = get(left, 'payload')
    if (payload !== undefined && !this.#carries(String(get(payload, 'protocol')))) return false
    const value = this.#valueOf(left)
    return value === undefined ? undefined : this.#isIn(value, right)
  }

  /** Whether the packet may have this header at all. */
  #carries(header: string): boolean {
    const { family, protocol } = this.#packet
    if (header === 'ip') return family === 4
    if (header === 'ip6') return family === 6
    if (header === 'icmpv6') return protocol === undefined || protocol === 'ipv6-icmp'
    if (TRANSPORTS.has(header)) return protocol === undefined || protocol === header
    return true
  }

  #valueOf(left: unknown): string | number | undefined {
    const { family, iif, oif, protocol, icmpType, sport, dport, state } = this.#packet
    const payload = get(left, 'payload')
    switch (get(payload, 'field')) {
      case 'sport':
        return sport
      case 'dport':
        return dport
      case 'type':
        return icmpType
    }
    if (get(get(left, 'ct'), 'key') === 'state') return state
    switch (get(get(left, 'meta'), 'key')) {
      case 'iif':
      case 'iifname':
        return iif
      case 'oif':
      case 'oifname':
        return oif
      case 'l4proto':
        return protocol
      case 'nfproto':
        return family === 4 ? 'ipv4' : 'ipv6'
      case 'protocol':
        return family === 4 ? 'ip' : 'ip6'
      default:
        return undefined
    }
  }

  #isIn(value: string | number, right: unknown): Truth {
    if (typeof right === 'number') return right === value
    if (typeof right === 'string') {
      if (right.startsWith('@'))
        return anyOf(this.#table.sets.get(right.slice(1)), (one) => this.#isIn(value, one))
      if (right.endsWith('*')) return String(value).startsWith(right.slice(0, -1))
      return right === String(value)
    }
    if (Array.isArray(right)) return anyOf(right, (one) => this.#isIn(value, one))
    const [set, range, element] = [get(right, 'set'), get(right, 'range'), get(right, 'elem')]
    if (element !== undefined) return this.#isIn(value, get(element, 'val'))
    if (set !== undefined) return anyOf(list(set), (one) => this.#isIn(value, one))
    const [low, high] = list(range)
    if (typeof low === 'number' && typeof high === 'number')
      return low <= Number(value) && Number(value) <= high
    return undefined
  }
}

/** Headers behind that of IP which a packet has one of, by nft's names; `icmpv6` is another name of `ipv6-icmp`. */
const TRANSPORTS = new Set(['tcp', 'udp', 'udplite', 'sctp', 'dccp', 'esp', 'comp', 'ah', 'icmp'])

const VERDICTS = new Set(['accept', 'drop', 'reject', 'queue', 'return', 'continue', 'jump', 'goto', 'vmap'])

function anyOf(items: readonly unknown[] | undefined, test: (item: unknown) => Truth): Truth {
  const truths = items?.map(test) ?? [undefined]
  if (truths.includes(true)) return true
  return truths.includes(undefined) ? undefined : false
}

function speaks(tableFamily: string, family: 4 | 6): boolean {
  return tableFamily === 'inet' || tableFamily === (family === 4 ? 'ip' : 'ip6')
}

function has(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
}

function get(value: unknown, key: string): unknown {
  return has(value, key) ? (value as Record<string, unknown>)[key] : undefined
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
