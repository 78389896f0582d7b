/** Links to test with: a client, a server, seeded randomness, and a virtual path between two of them. */

import { digests } from '../../../src/core/digests/digests.ts'
import { PppLink } from '../../../src/core/ppp/link.ts'
import type { PppClientOptions, PppEvent, PppOptions, PppServerOptions } from '../../../src/core/ppp/types.ts'
import { Secret } from '../../../src/core/secret.ts'
import { type Millis, millis, seconds } from '../../../src/core/time.ts'
import { seededEntropy, seededRandom } from '../../sim/random.ts'

export function clientOptions(changes: Partial<PppClientOptions> = {}): PppClientOptions {
  return {
    role: 'client',
    mru: 1460,
    auth: ['chap', 'mschapv2'],
    username: 'alice',
    password: new Secret('wonderland'),
    wantDns: true,
    ipv6: true,
    echoInterval: seconds(1),
    echoFailures: 10,
    digests,
    entropy: seededEntropy(1),
    ...changes,
  }
}

export function serverOptions(changes: Partial<PppServerOptions> = {}): PppServerOptions {
  return {
    role: 'server',
    name: 'lns.example',
    mru: 1460,
    auth: ['chap'],
    verify: (username) => (username === 'alice' ? new Secret('wonderland') : undefined),
    assign: () => ({
      address: '203.0.113.10',
      ownAddress: '203.0.113.1',
      dns: ['198.51.100.53', '198.51.100.54'],
    }),
    ipv6: true,
    echoInterval: seconds(1),
    echoFailures: 10,
    digests,
    entropy: seededEntropy(2),
    ...changes,
  }
}

/** What may happen to a frame on its way, one way. */
export interface Path {
  /** Probabilities. */
  readonly loss?: number
  readonly duplication?: number
  /** Of an extra delay of up to `jitter` ms, which lets later frames overtake. */
  readonly reordering?: number
  readonly jitter?: number
  /** ms. */
  readonly delay?: number
}

export interface Timed<T> {
  readonly at: Millis
  readonly value: T
}

/** One end, with all that it has told and sent. */
export class End {
  readonly link: PppLink
  readonly events: Timed<PppEvent>[] = []
  readonly sent: Timed<Uint8Array>[] = []

  constructor(options: PppOptions) {
    this.link = new PppLink(options)
  }

  of<T extends PppEvent['type']>(type: T): Extract<PppEvent, { type: T }>[] {
    return this.events.flatMap(({ value }) =>
      value.type === type ? [value as Extract<PppEvent, { type: T }>] : [],
    )
  }

  /** The latest of a type. */
  last<T extends PppEvent['type']>(type: T): Extract<PppEvent, { type: T }> | undefined {
    return this.of(type).at(-1)
  }

  /** Whether IPv4 is open now. */
  get up(): boolean {
    const told = this.events.filter(({ value }) => value.type === 'ipcpOpened' || value.type === 'ipcpClosed')
    return told.at(-1)?.value.type === 'ipcpOpened'
  }

  /** Drains; gives the frames that were transmitted. */
  drain(now: Millis): Uint8Array[] {
    for (let event = this.link.pollEvent(); event; event = this.link.pollEvent()) {
      this.events.push({ at: now, value: event })
    }
    const frames: Uint8Array[] = []
    for (let frame = this.link.pollTransmit(); frame; frame = this.link.pollTransmit()) frames.push(frame)
    for (const value of frames) this.sent.push({ at: now, value })
    return frames
  }
}

interface Flying {
  readonly at: Millis
  readonly order: number
  readonly to: End
  readonly frame: Uint8Array
}

/** Two ends in virtual time. */
export class World {
  readonly client: End
  readonly server: End
  now: Millis = millis(0)
  path: Path
  readonly #random: () => number
  #flying: Flying[] = []
  #order = 0

  constructor(client: PppOptions, server: PppOptions, path: Path = {}, seed = 1) {
    this.client = new End(client)
    this.server = new End(server)
    this.path = path
    this.#random = seededRandom(seed)
  }

  /** Both lower layers come up, in the same instant. */
  open(): this {
    this.server.link.command(this.now, { type: 'open' })
    this.client.link.command(this.now, { type: 'open' })
    this.settle()
    return this
  }

  /** Lets time pass until `until`, or until `stop` says so. */
  run(until: Millis, stop: () => boolean = () => false): this {
    while (!stop()) {
      const next = this.#next()
      if (next === undefined || next > until) {
        this.now = until
        break
      }
      this.now = millis(Math.max(this.now, next))
      this.#flying.sort((a, b) => a.at - b.at || a.order - b.order)
      const due = this.#flying[0]
      if (due !== undefined && due.at <= this.now) {
        this.#flying.shift()
        due.to.link.receive(this.now, due.frame)
      } else {
        this.client.link.timeout(this.now)
        this.server.link.timeout(this.now)
      }
      this.settle()
    }
    return this
  }

  /** Sends what both have to say, and gathers what they tell. */
  settle(): void {
    for (const [from, to] of [
      [this.client, this.server],
      [this.server, this.client],
    ] as const) {
      for (const frame of from.drain(this.now)) this.#carry(frame, to)
    }
  }

  #carry(frame: Uint8Array, to: End): void {
    const { loss = 0, duplication = 0, reordering = 0, jitter = 0, delay = 0 } = this.path
    const copies = this.#random() < duplication ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random() < loss) continue
      const extra = this.#random() < reordering ? this.#random() * jitter : 0
      this.#flying.push({ at: millis(this.now + delay + extra), order: this.#order++, to, frame })
    }
  }

  #next(): Millis | undefined {
    const times = [
      ...this.#flying.map(({ at }) => at),
      this.client.link.pollTimeout(),
      this.server.link.pollTimeout(),
    ].filter((at) => at !== undefined)
    return times.length === 0 ? undefined : millis(Math.min(...times))
  }
}
