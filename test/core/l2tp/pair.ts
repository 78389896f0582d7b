/** A LAC and an LNS joined by a network in virtual time: latency, seeded loss, reordering and duplication. */
import { createHash } from 'node:crypto'
import type { Digests, Entropy } from '../../../src/core/crypto.ts'
import type { Address } from '../../../src/core/endpoint.ts'
import { L2tpEndpoint } from '../../../src/core/l2tp/endpoint.ts'
import type { L2tpCommand, L2tpEvent, L2tpOptions } from '../../../src/core/l2tp/types.ts'
import { type Millis, millis } from '../../../src/core/time.ts'

export const LAC: Address = { host: '192.0.2.2', port: 40_000 }
export const LNS: Address = { host: '192.0.2.1', port: 1701 }

const hash = (name: string) => (data: Uint8Array) => new Uint8Array(createHash(name).update(data).digest())

/** L2TP needs MD5 only. */
export const digests: Digests = {
  md4: hash('md5'),
  md5: hash('md5'),
  sha1: hash('sha1'),
  des: () => new Uint8Array(8),
}

/** Numbers in 0..1 that depend on the seed alone (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function seededEntropy(seed: number): Entropy {
  const next = random(seed)
  return (octets) => Uint8Array.from({ length: octets }, () => Math.floor(next() * 256))
}

export function options(role: 'lac' | 'lns', more: Partial<L2tpOptions> = {}): L2tpOptions {
  return {
    role,
    peer: role === 'lac' ? LNS : LAC,
    hostName: `${role}.example`,
    helloInterval: millis(25_000),
    digests,
    entropy: seededEntropy(role === 'lac' ? 1 : 2),
    ...more,
  }
}

export interface Weather {
  /** One way, in ms. */
  latency: number
  /** Share of datagrams lost, each way. */
  loss: number
  /** Share delayed by up to five latencies more. */
  reorder: number
  duplicate: number
}

interface Flying {
  readonly at: number
  readonly order: number
  readonly to: Side
  readonly from: Address
  readonly bytes: Uint8Array
}

export type Name = 'lac' | 'lns'

export interface Side {
  readonly name: Name
  readonly address: Address
  readonly endpoint: L2tpEndpoint
  /** All events so far. */
  readonly events: L2tpEvent[]
  /** Datagrams that left, lost ones included. */
  sent: Uint8Array[]
}

/** Runs both endpoints by the contract of `L2tpEndpoint`. */
export class Pair {
  now = 0
  readonly lac: Side
  readonly lns: Side
  readonly weather: Weather
  /** Issues commands in answer to events, before datagrams are taken. */
  react: (side: Side, event: L2tpEvent) => readonly L2tpCommand[] = () => []
  /** Every datagram that arrives. */
  readonly log: string[] = []
  readonly #random: () => number
  #flying: Flying[] = []
  #order = 0

  constructor(
    config: {
      lac?: Partial<L2tpOptions>
      lns?: Partial<L2tpOptions>
      weather?: Partial<Weather>
      seed?: number
    } = {},
  ) {
    const seed = config.seed ?? 1
    this.lac = this.#side('lac', LAC, { entropy: seededEntropy(seed * 2 + 1), ...config.lac })
    this.lns = this.#side('lns', LNS, { entropy: seededEntropy(seed * 2 + 2), ...config.lns })
    this.weather = { latency: 10, loss: 0, reorder: 0, duplicate: 0, ...config.weather }
    this.#random = random(seed)
  }

  command(name: Name, command: L2tpCommand): void {
    this[name].endpoint.command(millis(this.now), command)
    this.#drain(this[name])
  }

  /** Lets time pass until `end` (ms), or until `done`. */
  run(end: number, done: () => boolean = () => false): void {
    while (!done()) {
      const next = this.#flying.reduce((first, { at }) => Math.min(first, at), Number.POSITIVE_INFINITY)
      const alarm = Math.min(
        ...[this.lac, this.lns].map(({ endpoint }) => endpoint.pollTimeout() ?? Infinity),
      )
      const at = Math.min(next, alarm)
      if (at > end) {
        this.now = end
        return
      }
      this.now = Math.max(this.now, at)
      this.#turn()
    }
  }

  #turn(): void {
    const arrived = this.#flying
      .filter(({ at }) => at <= this.now)
      .sort((a, b) => a.at - b.at || a.order - b.order)
    this.#flying = this.#flying.filter(({ at }) => at > this.now)
    for (const { to, from, bytes } of arrived) {
      to.endpoint.receive(millis(this.now), from, bytes)
      this.#drain(to)
    }
    for (const side of [this.lac, this.lns]) {
      const deadline = side.endpoint.pollTimeout()
      if (deadline === undefined || deadline > this.now) continue
      side.endpoint.timeout(millis(this.now))
      this.#drain(side)
    }
  }

  #drain(side: Side): void {
    const now = millis(this.now) as Millis
    for (let event = side.endpoint.pollEvent(); event; event = side.endpoint.pollEvent()) {
      side.events.push(event)
      for (const command of this.react(side, event)) side.endpoint.command(now, command)
    }
    for (let out = side.endpoint.pollTransmit(); out; out = side.endpoint.pollTransmit()) {
      side.sent.push(out.bytes)
      this.#fly(side, out.bytes)
    }
  }

  #fly(from: Side, bytes: Uint8Array): void {
    const { latency, loss, reorder, duplicate } = this.weather
    const copies = this.#random() < duplicate ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random() < loss) continue
      const late = this.#random() < reorder ? this.#random() * latency * 5 : 0
      const to = from === this.lac ? this.lns : this.lac
      this.#flying.push({
        at: this.now + latency + late,
        order: this.#order++,
        to,
        from: from.address,
        bytes,
      })
    }
  }

  #side(name: Name, address: Address, more: Partial<L2tpOptions>): Side {
    return { name, address, endpoint: new L2tpEndpoint(options(name, more)), events: [], sent: [] }
  }
}

/** The events of one type. */
export function eventsOf<T extends L2tpEvent['type']>(
  side: Side,
  type: T,
): Extract<L2tpEvent, { type: T }>[] {
  return side.events.filter((event): event is Extract<L2tpEvent, { type: T }> => event.type === type)
}
