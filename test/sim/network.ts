import type { Cancel, Clock } from '../../src/app/ports.ts'
import type { Address } from '../../src/core/endpoint.ts'
import type { Millis } from '../../src/core/time.ts'
import { seededRandom } from './random.ts'
import { Timeline } from './timeline.ts'

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
  /** Decides instead of both where it is set, for each datagram as it is sent. */
  between: ((from: Address, to: Address) => Path) | undefined
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
  readonly #time: Timeline

  constructor(seed: number, path: Path, time = new Timeline()) {
    this.#time = time
    this.#random = seededRandom(seed)
    this.path = path
    this.clock = {
      now: () => time.now,
      wall: () => new Date(EPOCH + time.now),
      alarm: (at, run) => time.at(at, run),
    }
  }

  get now(): Millis {
    return this.#time.now
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
    const path = this.between?.(from, to) ?? this.pathBetween(from.host, to.host)
    const { delay, jitter = 0, loss = 0, duplicate = 0 } = path
    if (this.cut || this.#random() < loss) {
      this.lost++
      return
    }
    const copies = this.#random() < duplicate ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const at = this.now + delay + this.#random() * jitter
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
    return this.#time.at(at, run)
  }

  /**
   * Lets time pass to `until`, or until `done`; gives whether it is done. Short chains of promises settle between any two
   * events, long ones before the end.
   */
  async run(until: number, done: () => boolean = () => false): Promise<boolean> {
    for (let settled = false; ; ) {
      await Promise.resolve()
      if (done()) return true
      if (this.#time.isDue(until)) {
        settled = false
        this.#time.step(until)
        continue
      }
      if (settled) return this.#time.step(until)
      for (let turn = 0; turn < PROMISE_TURNS; turn++) await Promise.resolve()
      settled = true
    }
  }
}

function keyOf({ host, port }: Address): string {
  return `${host} ${port}`
}
