/** Client and LNS, each in the middle of its work with the other, under hostile datagrams: no throw, no storm, no growth. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Driver } from '../../../src/app/driver.ts'
import type { ClientCommand, ClientEvent } from '../../../src/core/client/types.ts'
import type { Address } from '../../../src/core/endpoint.ts'
import { decodePacket } from '../../../src/core/l2tp/header.ts'
import type { LnsCommand, LnsEvent } from '../../../src/core/lns/server.ts'
import {
  CLIENT_ADDRESS,
  clientOptions,
  driveClient,
  LNS_ADDRESS,
  lnsOptions,
  startLns,
} from '../../sim/endpoints.ts'
import { heldHeap } from '../../sim/heap.ts'
import { hostile } from '../../sim/hostile.ts'
import { Network } from '../../sim/network.ts'
import { runSeed, seededRandom } from '../../sim/random.ts'

const runs = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)
const SEED = runSeed()
/** Datagrams in one life of a pair. */
const VOLLEY = 50
/** All that one datagram may make its victim send at once. */
const MOST_ANSWERS = 4
/** Of the datagrams, at most: how many are answered. */
const MOST_ANSWERED = 1 / 3
/** What a pair may send in a second of peace: echoes, and what is repeated. */
const MOST_PER_SECOND = 40

/** Of the heap, in octets: 20 for each datagram of the shortest run. */
const MOST_GROWTH = 400_000

type Side = 'client' | 'lns'

/** A client and an LNS that work with each other, one of them the victim. */
class Pair {
  readonly network: Network
  readonly client: Driver<ClientCommand, ClientEvent>
  readonly lns: Driver<LnsCommand, LnsEvent>
  /** Genuine datagrams on their way to the victim. */
  readonly genuine: Uint8Array[] = []
  /** The victim has given its tunnel up. */
  over = false
  /** Datagrams that the victim has sent. */
  sent = 0
  readonly #victim: Side

  constructor(seed: number, victim: Side) {
    this.#victim = victim
    this.network = new Network(seed, { delay: 20 })
    this.lns = startLns(this.network, lnsOptions(seed), ({ type }) => {
      if (victim === 'lns' && type === 'tunnelClosed') this.over = true
    })
    this.client = driveClient(this.network, clientOptions(seed), ({ type }) => {
      if (victim === 'client' && type === 'ended') this.over = true
    })
    this.network.onSend = (from, _to, bytes) => {
      const fromVictim = (from.port === LNS_ADDRESS.port) === (victim === 'lns')
      if (fromVictim) this.sent++
      else {
        this.genuine.push(bytes)
        if (this.genuine.length > 60) this.genuine.splice(0, 20)
      }
    }
  }

  get victim(): {
    readonly driver: { receive(from: Address, bytes: Uint8Array): void }
    readonly peer: Address
  } {
    return this.#victim === 'client'
      ? { driver: this.client, peer: LNS_ADDRESS }
      : { driver: this.lns, peer: CLIENT_ADDRESS }
  }
}

/** What a pair has done before the hostilities begin. */
const STATES: Readonly<Record<string, (pair: Pair) => Promise<void>>> = {
  'SCCRQ sent': (pair) => dial(pair, 10),
  'SCCRP sent': (pair) => dial(pair, 30),
  'call placed': (pair) => dial(pair, 50),
  'LCP begun': (pair) => dial(pair, 90),
  authenticating: (pair) => dial(pair, 150),
  configuring: (pair) => dial(pair, 195),
  up: (pair) => dial(pair, 2_000),
  'hung up': async (pair) => {
    await dial(pair, 2_000)
    pair.client.command({ type: 'hangUp' })
    await pair.network.run(pair.network.now + 30)
  },
  closing: async (pair) => {
    await dial(pair, 2_000)
    pair.client.command({ type: 'close' })
    await pair.network.run(pair.network.now + 10)
  },
  over: async (pair) => {
    await dial(pair, 2_000)
    pair.lns.command({ type: 'dropTunnels' })
    await pair.network.run(pair.network.now + 100)
  },
}

async function dial(pair: Pair, until: number): Promise<void> {
  pair.client.command({ type: 'dial', call: true })
  await pair.network.run(until)
}

for (const victim of ['client', 'lns'] as const) {
  test(`${victim === 'client' ? 'a client' : 'an LNS'} in any state under hostile datagrams, seed ${SEED}`, async () => {
    const random = seededRandom(SEED + victim.length)
    const names = Object.keys(STATES)
    let most = 0
    let received = 0
    let answered = 0
    const ended = new Map<string, number>()
    for (let life = 0; received < runs; life++) {
      const name = names[life % names.length] ?? ''
      const pair = new Pair(SEED + life, victim)
      await STATES[name]?.(pair)
      const { driver, peer } = pair.victim
      for (let shot = 0; shot < VOLLEY; shot++) {
        const bytes = hostile(random, pair)
        // Most in the name of the peer, some from another port of it, some from strangers.
        const from =
          random() < 0.9
            ? peer
            : { host: random() < 0.5 ? peer.host : '198.51.100.9', port: 1 + Math.floor(random() * 65_535) }
        const before = pair.sent
        driver.receive(from, bytes)
        const answers = pair.sent - before
        assert.ok(
          answers <= MOST_ANSWERS,
          `${answers} answers when ${name} (life ${life}) to ${Buffer.from(bytes).toString('hex')}`,
        )
        most = Math.max(most, answers)
        received++
        answered += answers
        if (random() < 0.5) await pair.network.run(pair.network.now + random() * 40)
      }
      await peace(pair, `${name} (life ${life})`)
      if (pair.over) ended.set(name, (ended.get(name) ?? 0) + 1)
    }
    assert.ok(answered < received * MOST_ANSWERED, `${answered} answers to ${received} datagrams`)
    const lives = Math.floor(received / VOLLEY / names.length)
    const ofUp = ended.get('up') ?? 0
    assert.ok(
      ofUp > 0 && ofUp < lives,
      `${ofUp} of ${lives} sessions ended: the datagrams hit, but do not always kill`,
    )
    console.log(
      `# ${victim}: ${received} datagrams, ${answered} answers, ${most} at most to one, ${ofUp} of ${lives} sessions ended`,
    )
  })
}

/** After the last shot the pair calms down, second by second. */
async function peace(pair: Pair, where: string): Promise<void> {
  for (let second = 0; second < 5; second++) {
    const before = pair.sent
    await pair.network.run(pair.network.now + 1_000)
    const sent = pair.sent - before
    assert.ok(sent <= MOST_PER_SECOND, `${sent} datagrams in a second of peace after ${where}`)
  }
}

for (const victim of ['client', 'lns'] as const) {
  test(`${victim === 'client' ? 'a client' : 'an LNS'} that lives through it keeps nothing of it, seed ${SEED}`, async () => {
    const random = seededRandom(SEED + victim.length + 10)
    let lives = 0
    let pair: Pair | undefined
    const feed = async (count: number) => {
      for (let shot = 0; shot < count; shot++) {
        if (!pair || pair.over) {
          pair = new Pair(SEED + lives++, victim)
          await STATES.up?.(pair)
        }
        const { driver, peer } = pair.victim
        const bytes = hostile(random, pair)
        // In-order control messages end tunnels; that is the business of the test before.
        const packet = decodePacket(bytes)
        if (packet.ok && packet.value.kind === 'control' && (bytes[9] ?? 0) < 12 && random() < 0.999)
          bytes[8] = 0x40
        driver.receive(peer, bytes)
        if (shot % 10 === 0) await pair.network.run(pair.network.now + 50)
      }
      return heldHeap()
    }
    await feed(Math.min(runs, 20_000))
    const before = await feed(Math.ceil(runs / 2))
    const after = await feed(runs)
    console.log(`# ${victim}: heap ${after - before} octets more after ${runs} datagrams, ${lives} lives`)
    assert.ok(after - before < MOST_GROWTH, `heap grew by ${after - before} octets`)
  })
}
