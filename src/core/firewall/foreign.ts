/**
 * What other programs' nftables chains do with packets that we allow: an accept of ours cannot override a drop of theirs,
 * since nft runs all base chains. Works on the JSON of `nft -j list ruleset` (libnftables-json(5)).
 */
import { Matcher } from './foreign-match.ts'
import { type Chain, chainName, get, has, list, readTables, type Table } from './foreign-tables.ts'
import { hooksOf, type PacketKind, seenAt } from './packet-kind.ts'
import { TABLE } from './ruleset.ts'

/** What becomes of a kind of packet, and the base chain that is to blame, as `inet fw4 forward`. */
export type Judgement =
  | { readonly type: 'passes' }
  /** It drops every packet of this kind. */
  | { readonly type: 'drops'; readonly chain: string }
  /** It may drop them: `because` names what it looks at that is not known, in nft's words. */
  | { readonly type: 'unclear'; readonly chain: string; readonly because: string }

/**
 * What the base chains of all tables but ours do with packets of a kind. `drops` is certain; so is `passes`, for all but
 * those who are named: a blocked sender, or more packets than a limit lets through.
 */
export function judge(ruleset: unknown, packet: PacketKind): Judgement {
  let unclear: Judgement | undefined
  for (const { table, chain } of baseChains(ruleset)) {
    if (!meets(table, chain, packet)) continue
    const seen = seenAt(packet, chain.hook ?? '', chain.priority)
    const sure = endsOf(new Walk(table, seen, 'sure'), chain)
    const name = chainName(table, chain)
    if (sure.size === 1 && sure.has('drop')) return { type: 'drops', chain: name }
    if (unclear !== undefined || !sure.has('drop')) continue
    const walk = new Walk(table, seen, 'expected')
    if (endsOf(walk, chain).has('drop'))
      unclear = { type: 'unclear', chain: name, because: walk.doubt ?? 'rules that are not understood' }
  }
  return unclear ?? { type: 'passes' }
}

/**
 * A foreign chain that refuses packets whose answer would leave by another device (`fib saddr . iif`), as
 * `inet nixos-fw rpfilter`; undefined if there is none.
 */
export function strictReversePathChain(ruleset: unknown): string | undefined {
  for (const table of foreignTables(ruleset)) {
    for (const chain of table.chains.values()) {
      if (chain.rules.some((rule) => rule.some(looksBackOverDevice))) return chainName(table, chain)
    }
  }
  return undefined
}

/** A foreign chain that filters what comes in or passes through, so that somebody has rules of their own here. */
export function filteringChain(ruleset: unknown): string | undefined {
  const found = baseChains(ruleset).find(
    ({ chain }) =>
      (chain.hook === 'input' || chain.hook === 'forward') &&
      (chain.policy === 'drop' || chain.rules.length > 0),
  )
  return found && chainName(found.table, found.chain)
}

/** Whether the table of ours is there. */
export function holdsOurTable(ruleset: unknown): boolean {
  return list(get(ruleset, 'nftables')).some((item) => {
    const table = get(item, 'table')
    return table !== undefined && `${get(table, 'family')} ${get(table, 'name')}` === TABLE
  })
}

function foreignTables(ruleset: unknown): readonly Table[] {
  return readTables(ruleset).filter(({ family, name }) => `${family} ${name}` !== TABLE)
}

function baseChains(ruleset: unknown): { table: Table; chain: Chain }[] {
  return foreignTables(ruleset).flatMap((table) =>
    [...table.chains.values()].filter(({ hook }) => hook !== undefined).map((chain) => ({ table, chain })),
  )
}

function meets({ family }: Table, { hook, devices }: Chain, packet: PacketKind): boolean {
  if (family === 'netdev')
    return hook === 'ingress'
      ? packet.iif !== undefined && devices.includes(packet.iif)
      : hook === 'egress' && packet.oif !== undefined && devices.includes(packet.oif)
  const speaks = family === 'inet' || family === (packet.family === 4 ? 'ip' : 'ip6')
  return speaks && hook !== undefined && hooksOf(packet).includes(hook)
}

function looksBackOverDevice(statement: unknown): boolean {
  const match = get(statement, 'match')
  const flags = list(get(get(get(match, 'left'), 'fib'), 'flags'))
  if (flags.includes('saddr') && flags.includes('iif')) return true
  return get(get(statement, 'xt'), 'name') === 'rpfilter'
}

/** Where a packet may end: `next` is the following rule, `fall` the end of the chain. */
type End = 'accept' | 'drop' | 'fall' | 'next'

const MAX_DEPTH = 16
/** Statements of address translation, which end a chain as an accept does. */
const TRANSLATIONS = [
  'accept',
  'queue',
  'dnat',
  'snat',
  'masquerade',
  'redirect',
  'tproxy',
  'fwd',
  'synproxy',
]
const VERDICTS = new Set([...TRANSLATIONS, 'drop', 'reject', 'return', 'continue', 'jump', 'goto', 'vmap'])

function endsOf(walk: Walk, { name, policy }: Chain): Set<End> {
  const ends = walk.chain(name)
  if (policy === 'drop' && ends.delete('fall')) ends.add('drop')
  return ends
}

/** Follows one kind of packet through the chains of one table. */
class Walk {
  readonly #table: Table
  readonly #matcher: Matcher
  readonly #known = new Map<string, ReadonlySet<End>>()
  /** What is looked at, and not known; and what was taken for granted. */
  #unknown: string | undefined
  #assumed: string | undefined

  constructor(table: Table, packet: PacketKind, basis: 'sure' | 'expected') {
    this.#table = table
    this.#matcher = new Matcher(table, packet, basis)
  }

  /** Why more than one end is possible, or why the one that was found is not certain. */
  get doubt(): string | undefined {
    return this.#unknown ?? this.#assumed
  }

  /** All ends that are possible, never `next`. */
  chain(name: string, depth = 0): Set<End> {
    const known = this.#known.get(name)
    if (known !== undefined) return new Set(known)
    const chain = this.#table.chains.get(name)
    if (chain === undefined || depth > MAX_DEPTH) {
      this.#unknown ??= `the chain ${name}`
      return new Set(['accept', 'drop', 'fall'])
    }
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
    let open: string | undefined
    for (const statement of statements) {
      if (!VERDICTS.has(keyOf(statement))) {
        const matches = this.#matcher.statement(statement)
        if (this.#matcher.assumed) this.#assumed ??= inWords(statement)
        if (matches === false) return ends.add('next')
        if (matches === undefined) {
          ends.add('next')
          open ??= inWords(statement)
        }
        continue
      }
      const decided = this.#verdict(statement, depth)
      for (const end of decided) ends.add(end)
      if (decided.has('accept') || decided.has('drop')) this.#unknown ??= open
      if (!decided.has('next')) return ends
    }
    return ends.add('next')
  }

  #verdict(statement: unknown, depth: number): ReadonlySet<End> {
    if (TRANSLATIONS.some((key) => has(statement, key))) return new Set(['accept'])
    if (has(statement, 'drop') || has(statement, 'reject')) return new Set(['drop'])
    if (has(statement, 'return')) return new Set(['fall'])
    if (has(statement, 'continue')) return new Set(['next'])
    if (has(statement, 'jump')) {
      const ends = this.chain(String(get(get(statement, 'jump'), 'target')), depth + 1)
      if (ends.delete('fall')) ends.add('next')
      return ends
    }
    if (has(statement, 'goto')) return this.chain(String(get(get(statement, 'goto'), 'target')), depth + 1)
    return this.#vmap(get(statement, 'vmap'), depth)
  }

  #vmap(vmap: unknown, depth: number): Set<End> {
    const ends = new Set<End>()
    const [key, data] = [get(vmap, 'key'), get(vmap, 'data')]
    const elements = typeof data === 'string' ? this.#table.sets.get(data.slice(1)) : list(get(data, 'set'))
    if (elements === undefined) {
      this.#unknown ??= inWords(key)
      return new Set(['accept', 'drop', 'next'])
    }
    for (const element of elements) {
      const [value, verdict] = list(element)
      const matches = this.#matcher.equals(key, value)
      if (matches === false) continue
      const decided = this.#verdict(verdict, depth)
      for (const end of decided) ends.add(end)
      if (matches === true) return ends
      if (decided.size > 0) this.#unknown ??= inWords(key)
    }
    return ends.add('next')
  }
}

function keyOf(statement: unknown): string {
  return typeof statement === 'object' && statement !== null ? (Object.keys(statement)[0] ?? '') : ''
}

/** What a statement or an expression looks at, as nft writes it: `ip saddr`, `meta mark`, `limit`. */
function inWords(statement: unknown): string {
  const expression = get(get(statement, 'match'), 'left') ?? statement
  const masked = list(get(expression, '&'))[0]
  if (masked !== undefined) return inWords(masked)
  const parts = list(get(expression, 'concat'))
  if (parts.length > 0) return parts.map(inWords).join(' . ')
  const payload = get(expression, 'payload')
  if (payload !== undefined) return words('', get(payload, 'protocol'), get(payload, 'field'))
  const xt = get(expression, 'xt')
  if (xt !== undefined) return words('an iptables match', get(xt, 'name'))
  const key = keyOf(expression)
  const value = get(expression, key)
  return words(key, typeof value === 'object' ? (get(value, 'key') ?? get(value, 'result')) : undefined)
}

function words(...parts: readonly unknown[]): string {
  const text = parts.filter((part) => typeof part === 'string' && part !== '').join(' ')
  // What a set of rules says is shown to people: short, and without control characters.
  return text.replace(/[^\x20-\x7e]/g, '').slice(0, 60) || 'something that is not understood'
}
