import type { Cancel, Clock } from '../../src/app/ports.ts'
import type { Address } from '../../src/core/endpoint.ts'
import type { Millis } from '../../src/core/time.ts'
import { millis } from '../../src/core/time.ts'
import { seededRandom } from './random.ts'

export interface Path {
  /** One way, in ms. */
  readonly delay: number
  /** Further delay of up to this many ms at random, which reorders. */
  readonly jitter?: number
  /** Share of datagrams lost, 0..1. */
  readonly loss?: number
  /** Share of datagrams delivered twice. */
  readonly duplicate?: number
}

type Receiver = (from: Address, bytes: Uint8Array) => void
type HostReceiver = (from: Address, to: Address, bytes: Uint8Array) => void

interface Entry {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/** Promises that may hang one on another. */
const PROMISE_TURNS = 20
/** 2026-01-01T00:00:00Z */
const EPOCH = Date.UTC(2026, 0, 1)

/** Datagrams and alarms in virtual time: a seed decides what is lost, late or doubled. */
export class Network {
  path: Path
  /** Nothing at all arrives while cut. */
  cut = false
  /** Paths from or to these hosts that differ from `path`. */
  readonly paths = new Map<string, Path>()
  /** Datagrams that were sent so far, lost ones too. */
  sent = 0
  /** Those of them that never arrived. */
  lost = 0
  /** Sees every datagram that is sent. */
  onSend: ((from: Address, to: Address, bytes: Uint8Array) => void) | undefined
  readonly clock: Clock
  readonly #random: () => number
  readonly #receivers = new Map<string, Receiver>()
  readonly #hosts = new Map<string, HostReceiver>()
  readonly #queue = new Queue()
  #now = millis(0)

  constructor(seed: number, path: Path) {
    this.#random = seededRandom(seed)
    this.path = path
    this.clock = {
      now: () => this.#now,
      wall: () => new Date(EPOCH + this.#now),
      alarm: (at, run) => this.schedule(at, run),
    }
  }

  get now(): Millis {
    return this.#now
  }

  /** Whether anyone listens there. */
  isBound(address: Address): boolean {
    return this.#receivers.has(keyOf(address))
  }

  /** Datagrams to `address` go to `receive` until the returned function is called. */
  bind(address: Address, receive: Receiver): Cancel {
    this.#receivers.set(keyOf(address), receive)
    return () => {
      if (this.#receivers.get(keyOf(address)) === receive) this.#receivers.delete(keyOf(address))
    }
  }

  /** All datagrams to a host, whatever their port, go to `receive` until the returned function is called. */
  attach(host: string, receive: HostReceiver): Cancel {
    this.#hosts.set(host, receive)
    return () => {
      if (this.#hosts.get(host) === receive) this.#hosts.delete(host)
    }
  }

  /** One way between two hosts, as it is now. */
  pathBetween(from: string, to: string): Path {
    return this.paths.get(from) ?? this.paths.get(to) ?? this.path
  }

  send(from: Address, to: Address, bytes: Uint8Array): void {
    this.sent++
    this.onSend?.(from, to, bytes)
    const { delay, jitter = 0, loss = 0, duplicate = 0 } = this.pathBetween(from.host, to.host)
    if (this.cut || this.#random() < loss) {
      this.lost++
      return
    }
    const copies = this.#random() < duplicate ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const at = this.#now + delay + this.#random() * jitter
      this.schedule(at, () => this.#deliver(from, to, bytes))
    }
  }

  #deliver(from: Address, to: Address, bytes: Uint8Array): void {
    if (this.cut) return
    const host = this.#hosts.get(to.host)
    if (host) host(from, to, bytes)
    else this.#receivers.get(keyOf(to))?.(from, bytes)
  }

  schedule(at: number, run: () => void): Cancel {
    const entry = this.#queue.push(at, run)
    return () => {
      entry.run = undefined
    }
  }

  /**
   * Lets time pass to `until`, or until `done`; gives whether it is done. Short chains of promises settle between any two
   * events, long ones before the end.
   */
  async run(until: number, done: () => boolean = () => false): Promise<boolean> {
    for (let settled = false; ; ) {
      await Promise.resolve()
      if (done()) return true
      const next = this.#queue.pop(until)
      if (next === undefined) {
        if (settled) {
          this.#now = millis(Math.max(this.#now, until))
          return false
        }
        for (let turn = 0; turn < PROMISE_TURNS; turn++) await Promise.resolve()
        settled = true
        continue
      }
      settled = false
      this.#now = millis(Math.max(this.#now, next.at))
      next.run?.()
    }
  }
}

/** A binary heap of what is to come, ordered by time, then by when it was put in. */
class Queue {
  readonly #heap: Entry[] = []
  #order = 0

  push(at: number, run: () => void): Entry {
    const entry: Entry = { at, order: this.#order++, run }
    this.#heap.push(entry)
    for (let i = this.#heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1
      if (!this.#before(i, parent)) break
      this.#swap(i, parent)
      i = parent
    }
    return entry
  }

  /** The first entry, if it is due by `until`; cancelled ones are skipped. */
  pop(until: number): Entry | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || (first.at > until && first.run !== undefined)) return undefined
      this.#removeFirst()
      if (first.run !== undefined) return first
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    for (let i = 0; ; ) {
      const left = 2 * i + 1
      if (left >= this.#heap.length) return
      const child = left + 1 < this.#heap.length && this.#before(left + 1, left) ? left + 1 : left
      if (!this.#before(child, i)) return
      this.#swap(child, i)
      i = child
    }
  }

  #before(a: number, b: number): boolean {
    const first = this.#heap[a]
    const second = this.#heap[b]
    if (first === undefined || second === undefined) return false
    return first.at < second.at || (first.at === second.at && first.order < second.order)
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a]
    const second = this.#heap[b]
    if (first === undefined || second === undefined) return
    this.#heap[a] = second
    this.#heap[b] = first
  }
}

function keyOf({ host, port }: Address): string {
  return `${host} ${port}`
}
