/** A live endpoint in each of its states under random and mutated packets: no throw, no growth, no reply storm. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { u16 } from '../../../src/core/bytes.ts'
import { CONTROL_HEADER, encodeControl, encodeData } from '../../../src/core/l2tp/header.ts'
import { encodeMessage } from '../../../src/core/l2tp/message-encode.ts'
import { millis } from '../../../src/core/time.ts'
import { heldHeap } from '../../sim/heap.ts'
import { readPcap } from '../../sim/pcap.ts'
import { runSeed } from '../../sim/random.ts'
import { LAC, LNS, random, seededEntropy } from './pair.ts'
import { ICCN, ICRP, ICRQ, PEER_SESSION, PEER_TUNNEL, Puppet, SCCRP, SCCRQ } from './puppet.ts'

const RUNS = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)
const SEED = runSeed()
const FOLDER = new URL('../../fixtures/l2tpns/', import.meta.url).pathname

/** Packets for one endpoint before it is made anew in its state. */
const BURST = 100
/** Of the heap, in octets: 20 for each packet of the shortest run. */
const MOST_GROWTH = 400_000

const bodies = [
  ...readdirSync(FOLDER)
    .filter((name) => name.endsWith('.pcap'))
    .flatMap((name) => readPcap(FOLDER + name).map(({ bytes }) => bytes))
    .filter((bytes) => ((bytes[0] ?? 0) & 0x80) !== 0 && bytes.length > CONTROL_HEADER)
    .map((bytes) => bytes.slice(CONTROL_HEADER)),
  encodeMessage(SCCRP),
  encodeMessage(ICRP),
  encodeMessage({ type: 'CDN', assignedSessionId: PEER_SESSION, result: { result: 3 } }),
  encodeMessage({ type: 'StopCCN', assignedTunnelId: PEER_TUNNEL, result: { result: 1 } }),
]

const STATES: Readonly<Record<string, (puppet: Puppet) => void>> = {
  'lns idle': () => {},
  'lns waitCtlConn': (lns) => void lns.say(SCCRQ, 0, { tunnel: 0 }),
  'lns established': (lns) => {
    lns.say(SCCRQ, 0, { tunnel: 0 })
    lns.say({ type: 'SCCCN' })
  },
  'lns with a session': (lns) => lns.takeCall(),
  'lac idle': () => {},
  'lac waitCtlReply': (lac) => void lac.command({ type: 'call' }),
  'lac calling': (lac) => {
    lac.command({ type: 'call' })
    lac.say(SCCRP)
  },
  'lac with a session': (lac) => void lac.openCall(),
  'lac stopping': (lac) => {
    lac.openCall()
    lac.command({ type: 'close' })
  },
}

for (const [name, enter] of Object.entries(STATES)) {
  test(`${name}: ${RUNS} packets, seed ${SEED}`, () => {
    const next = random(SEED + name.length)
    const role = name.startsWith('lac') ? 'lac' : 'lns'
    const ends = new Set<string>()
    for (let done = 0; done < RUNS; done += BURST) {
      const puppet = new Puppet(role, { entropy: seededEntropy(done + 1) })
      enter(puppet)
      burst(puppet, next, `${name}, burst ${done}`)
      settle(puppet, name)
      for (const event of puppet.events) if (event.type === 'closed') ends.add(event.cause.by)
    }
    // The packets are good enough to reach what they should reach.
    if (name === 'lac stopping') assert.deepEqual([...ends], ['local'])
    // Few tunnels begin there at all.
    else if (name === 'lns idle') assert.ok(ends.has('protocol'))
    else if (name !== 'lac idle') assert.deepEqual([...ends].sort(), ['peer', 'protocol', 'timeout'])
  })
}

test(`one LNS for ${RUNS} packets in order does not grow, seed ${SEED}`, async () => {
  const lns = new Puppet('lns', { refuseCalls: { result: 4 }, helloInterval: millis(0) })
  lns.say(SCCRQ, 0, { tunnel: 0 })
  lns.say({ type: 'SCCCN' })
  const next = random(SEED)
  const feed = (count: number) => {
    for (let run = 0; run < count; run++) {
      lns.now += 1
      const id = 1 + Math.floor(next() * 0xffff)
      const message = next() < 0.5 ? ({ ...ICRQ, assignedSessionId: id } as const) : ICCN
      lns.say(message, next() < 0.5 ? 0 : id)
      lns.events.length = 0
    }
    return heldHeap()
  }
  // Code that is compiled meanwhile is no growth.
  const before = await feed(Math.min(RUNS, 20_000))
  const grown = (await feed(RUNS)) - before
  assert.equal(lns.say({ type: 'HELLO' }).length, 1, 'it still answers')
  console.log(`# heap ${grown} octets more after ${RUNS} packets`)
  assert.ok(grown < MOST_GROWTH, `${grown} octets`)
})

function burst(puppet: Puppet, next: () => number, where: string): void {
  let sent = 0
  let alarms = 0
  const eventsBefore = puppet.events.length
  for (let run = 0; run < BURST; run++) {
    const bytes = anyPacket(puppet, next)
    const from = anyAddress(puppet, next)
    try {
      sent += puppet.raw(bytes, from).length
      if (next() < 0.05) {
        puppet.now += next() * 3000
        sent += puppet.alarms()
        alarms += 1
      }
    } catch (cause) {
      throw new Error(`${where}, packet ${Buffer.from(bytes).toString('hex')}`, { cause })
    }
  }
  // An answer or an acknowledgement for each packet at most, beside what the alarms repeat.
  assert.ok(sent <= BURST + 3 + alarms * 12, `${where}: ${sent} packets in answer to ${BURST}`)
  assert.ok(puppet.events.length - eventsBefore <= 2 * BURST, where)
}

/** Left alone, it falls silent: what it still sends is bounded, and no state stays without a deadline or HELLO. */
function settle(puppet: Puppet, where: string): void {
  const sent = puppet.until(puppet.now + 600_000).length
  assert.ok(sent <= 1200, `${where}: ${sent} packets after the end`)
  const closed = puppet.types().filter((type) => type === 'closed').length
  const begun = puppet.tunnel !== 0
  assert.ok(!begun || closed === 1, `${where}: closed ${closed} times`)
  assert.equal(puppet.endpoint.pollTimeout(), undefined, where)
}

function anyPacket(puppet: Puppet, next: () => number): Uint8Array {
  const pick = next()
  const number = () => Math.floor(next() * 0x10000)
  if (pick < 0.1) return Uint8Array.from({ length: Math.floor(next() * 60) }, () => Math.floor(next() * 256))
  const tunnel = next() < 0.85 ? puppet.tunnel : next() < 0.5 ? 0 : number()
  const session = next() < 0.6 ? puppet.session : next() < 0.5 ? 0 : number()
  if (pick < 0.3) {
    const ns = next() < 0.3 ? number() : undefined
    return mutate(
      encodeData({ tunnel, session, ns }, Uint8Array.of(0xff, 3, 0xc0, 0x21, 9, 1, 0, 4)),
      next,
      0.2,
    )
  }
  const body =
    next() < 0.1
      ? new Uint8Array()
      : mutate(bodies[Math.floor(next() * bodies.length)] ?? new Uint8Array(), next, 0.6)
  const inOrder = next() < 0.7
  const ns = inOrder ? puppet.ns : (puppet.ns + Math.floor(next() * 20) - 8) & 0xffff
  const nr = next() < 0.8 ? puppet.nr : number()
  if (inOrder && nr === puppet.nr && tunnel === puppet.tunnel && body.length > 0)
    puppet.ns = (puppet.ns + 1) & 0xffff
  return mutate(encodeControl({ tunnel, session, ns, nr }, body), next, 0.05)
}

/** With a probability of `share`: some octets changed, perhaps cut, perhaps longer. */
function mutate(original: Uint8Array, next: () => number, share: number): Uint8Array {
  if (next() >= share) return original
  const bytes = Uint8Array.from(original)
  for (let edits = Math.floor(next() * 4); edits > 0 && bytes.length > 0; edits--) {
    bytes[Math.floor(next() * bytes.length)] = next() * 256
  }
  if (next() < 0.3) return bytes.slice(0, Math.floor(next() * bytes.length))
  return next() < 0.2 ? Uint8Array.from([...bytes, ...bytes]) : bytes
}

function anyAddress(puppet: Puppet, next: () => number) {
  const peer = puppet.role === 'lac' ? LNS : LAC
  if (next() < 0.95) return peer
  return next() < 0.5
    ? { host: peer.host, port: 1 + (u16(Uint8Array.of(next() * 256, next() * 256), 0) % 65_535) }
    : { host: '198.51.100.9', port: peer.port }
}
