/** Whether the matches of foreign rules hold for a kind of packet: for each one, for none, or it is not known. */
import { get, has, list, type Table } from './foreign-tables.ts'
import { mayCarry, type PacketKind, readValue, type Value } from './packet-kind.ts'
import { elementsOf, liesIn } from './whereabouts.ts'

/** True, false, or not known. */
export type Truth = boolean | undefined

/** Statements that neither decide nor filter. */
const NEUTRAL = new Set(['counter', 'log', 'mangle', 'notrack', 'flow', 'dup', 'ct helper', 'ct timeout'])

/**
 * Compares one kind of packet. `sure` takes nothing for granted; `expected` assumes what is so for most packets: that
 * limits are not reached, that there is a way back to a sender, and that a stranger is none of those who are named.
 */
export class Matcher {
  readonly #table: Table
  readonly #packet: PacketKind
  readonly #basis: 'sure' | 'expected'
  /** Whether the last answer rests on an assumption. */
  assumed = false

  constructor(table: Table, packet: PacketKind, basis: 'sure' | 'expected') {
    this.#table = table
    this.#packet = packet
    this.#basis = basis
  }

  /** Whether a statement lets the packet go on to the next statement of its rule. */
  statement(statement: unknown): Truth {
    this.assumed = false
    const match = get(statement, 'match')
    if (match !== undefined) return this.#match(match)
    const [key = ''] = typeof statement === 'object' && statement !== null ? Object.keys(statement) : []
    if (NEUTRAL.has(key)) return true
    if (key === 'limit' || key === 'ct count' || key === 'quota') {
      // `over`: what is below passes by.
      return this.#likely(get(get(statement, key), 'inv') !== true)
    }
    // A set that remembers packets may hold a limit for each of them.
    if (key === 'set' || key === 'meter') {
      const inner = [list(get(get(statement, key), 'stmt')), get(get(statement, key), 'stmt')].flat()
      return inner.every((one) => one === undefined) ? true : allOf(inner, (one) => this.statement(one))
    }
    return undefined
  }

  /** Whether what an expression gives equals, or is among, the right side of a comparison or the key of a map. */
  equals(left: unknown, right: unknown): Truth {
    const parts = get(left, 'concat')
    if (parts !== undefined) return this.#concatenated(list(parts), right)
    if (!mayCarry(this.#packet, left)) return false
    const value = this.#valueOf(left)
    if (value !== undefined) return this.#isIn(value, right)
    // `esp spi 0-4294967295` is how iptables asks for the header alone.
    return list(get(right, 'range')).join() === '0,4294967295' ? true : undefined
  }

  #match(match: unknown): Truth {
    const [left, right, op] = [get(match, 'left'), get(match, 'right'), get(match, 'op')]
    // A rule about a header that is not there does not match, whatever it says of it.
    const read = [left, ...list(get(left, 'concat')), ...list(get(left, '&'))]
    if (read.some((expression) => !mayCarry(this.#packet, expression))) return false
    const backwards = this.#wayBack(left, right)
    const equal =
      backwards ?? (op === 'in' ? this.#flagged(left, right) : undefined) ?? this.equals(left, right)
    if (op === '==' || op === 'in') return equal
    return op === '!=' && equal !== undefined ? !equal : undefined
  }

  /** `fib saddr ... oif exists`: there is a way back, and those checks that ask for the same device are told apart. */
  #wayBack(left: unknown, right: unknown): Truth {
    const fib = get(left, 'fib')
    const flags = [get(fib, 'flags')].flat()
    if (get(fib, 'result') !== 'oif' || !flags.includes('saddr') || typeof right !== 'boolean')
      return undefined
    return this.#likely(right)
  }

  /** `tcp flags syn`, `ct status dnat`: one of these is set. */
  #flagged(left: unknown, right: unknown): Truth {
    const value = readValue(this.#packet, left)
    if (typeof value === 'object' && 'flags' in value)
      return words(right)?.some((flag) => value.flags.has(flag))
    // Only a redirect of ours, or one that is none of our concern, rewrites a destination.
    if (get(get(left, 'ct'), 'key') === 'status' && words(right)?.join() === 'dnat') return false
    return undefined
  }

  #valueOf(left: unknown): Value | undefined {
    const [masked, mask] = list(get(left, '&'))
    if (masked === undefined) return readValue(this.#packet, left)
    const value = readValue(this.#packet, masked)
    const kept = words(mask)
    if (typeof value !== 'object' || !('flags' in value) || kept === undefined) return undefined
    return { flags: new Set([...value.flags].filter((flag) => kept.includes(flag))) }
  }

  #concatenated(parts: readonly unknown[], right: unknown): Truth {
    if (parts.some((part) => !mayCarry(this.#packet, part))) return false
    const elements = typeof right === 'string' ? this.#named(right) : elementsOf(right)
    if (elements === undefined) {
      const values = list(get(right, 'concat'))
      if (values.length !== parts.length) return undefined
      return allOf(parts, (part, i) => this.equals(part, values[i]))
    }
    return anyOf(elements, (element) =>
      this.#concatenated(parts, get(get(element, 'elem'), 'val') ?? element),
    )
  }

  #named(right: string): readonly unknown[] | undefined {
    return right.startsWith('@') ? this.#table.sets.get(right.slice(1)) : undefined
  }

  #isIn(value: Value, right: unknown): Truth {
    if (typeof right === 'string' && right.startsWith('@'))
      return anyOf(this.#named(right), (one) => this.#isIn(value, one))
    if (has(right, 'elem')) return this.#isIn(value, get(get(right, 'elem'), 'val'))
    if (typeof value === 'object' && 'flags' in value) {
      const wanted = words(right)
      return wanted && wanted.length === value.flags.size && wanted.every((flag) => value.flags.has(flag))
    }
    const elements = elementsOf(right)
    if (elements !== undefined) return anyOf(elements, (one) => this.#isIn(value, one))
    if (typeof value === 'object') {
      const { sure, expected } = liesIn(value.where, this.#packet.family, right)
      return sure ?? (expected === undefined ? undefined : this.#likely(expected))
    }
    if (typeof right === 'number') return right === value || PROTOCOL_NUMBERS[right] === value
    if (typeof right === 'string') {
      if (right.endsWith('*')) return String(value).startsWith(right.slice(0, -1))
      return right === String(value)
    }
    const [low, high] = list(get(right, 'range'))
    if (typeof low === 'number' && typeof high === 'number')
      return low <= Number(value) && Number(value) <= high
    return undefined
  }

  #likely(truth: boolean): Truth {
    if (this.#basis === 'sure') return undefined
    this.assumed = true
    return truth
  }
}

/** IANA's protocol numbers, which nft prints where it knows no name. */
const PROTOCOL_NUMBERS: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'ipv6-icmp',
  132: 'sctp',
}

/** `"syn"`, `["fin", "syn"]`, or the same with a bar between; undefined for anything else. */
function words(value: unknown): readonly string[] | undefined {
  const items = typeof value === 'string' ? [value] : (elementsOf(value) ?? get(value, '|'))
  if (!Array.isArray(items)) return undefined
  const read = items.map((item) => (typeof item === 'string' ? [item] : words(item)))
  return read.every((item) => item !== undefined) ? read.flat() : undefined
}

function anyOf(items: readonly unknown[] | undefined, test: (item: unknown) => Truth): Truth {
  const truths = items?.map(test) ?? [undefined]
  if (truths.includes(true)) return true
  return truths.includes(undefined) ? undefined : false
}

function allOf(items: readonly unknown[], test: (item: unknown, index: number) => Truth): Truth {
  const truths = items.map(test)
  if (truths.includes(false)) return false
  return truths.includes(undefined) ? undefined : true
}
