/** Bytes from a peer never throw, never start a storm, and leave nothing behind. LIFELINE_FUZZ_RUNS says how many. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8, u8, u16 } from '../../../src/core/bytes.ts'
import type { AuthMethod } from '../../../src/core/ppp/auth-option.ts'
import { decodeChapValue } from '../../../src/core/ppp/chap-packet.ts'
import { checkSuccess, decodeResponse, readFailure } from '../../../src/core/ppp/mschapv2.ts'
import { decodeOptions } from '../../../src/core/ppp/options.ts'
import { codes, decodePacket, encodePacket } from '../../../src/core/ppp/packet.ts'
import { decodeFrame, encodeFrame, protocols } from '../../../src/core/ppp/protocol.ts'
import type { PppPhase } from '../../../src/core/ppp/types.ts'
import { millis, seconds } from '../../../src/core/time.ts'
import { heldHeap } from '../../sim/heap.ts'
import { runSeed, seededRandom } from '../../sim/random.ts'
import { clientOptions, type End, serverOptions, World } from './links.ts'

const runs = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)
const SEED = runSeed()

/** All frames of cooperative dials with every method, both directions: what mutations start from. */
function corpus(): Uint8Array[] {
  const methods: readonly AuthMethod[] = ['chap', 'mschapv2', 'pap']
  return methods.flatMap((method) => {
    const world = new World(clientOptions({ auth: [method] }), serverOptions({ auth: [method] }))
    world.open().run(seconds(3))
    world.client.link.command(world.now, { type: 'close' })
    world.settle()
    world.run(seconds(4))
    return [...world.client.sent, ...world.server.sent].map(({ value }) => value)
  })
}

/** A frame of a plausible header and random contents, or a valid one with some octets changed, cut or doubled. */
function hostile(random: () => number, frames: readonly Uint8Array[]): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit)
  const octets = (length: number) => Array.from({ length }, () => below(256))
  const kind = below(10)
  if (kind === 0) return Uint8Array.from(octets(below(64)))
  if (kind <= 2) {
    const numbers = [...Object.values(protocols), 0x80fd, 0x8053]
    const protocol = numbers[below(numbers.length)] ?? 0
    const data = octets(below(32))
    const length = random() < 0.9 ? data.length + 4 : below(70)
    const header = [below(15), below(4), length >> 8, length & 0xff]
    return Uint8Array.of(0xff, 3, protocol >> 8, protocol & 0xff, ...header, ...data)
  }
  const frame = (frames[below(frames.length)] ?? new Uint8Array()).slice()
  if (kind === 3) return frame
  for (let changes = 1 + below(3); changes > 0; changes--) {
    // Mostly behind the protocol field, where it hurts.
    const at = below(10) === 0 ? below(frame.length) : Math.min(frame.length - 1, 4 + below(frame.length))
    frame[at] = below(3) === 0 ? (frame[at] ?? 0) ^ (1 << below(8)) : below(256)
  }
  return kind === 4 ? frame.slice(0, below(frame.length)) : frame
}

test('decoders never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      decodeFrame(bytes)
      decodePacket(bytes)
      decodeAll(bytes)
    }),
    { numRuns: runs },
  )
})

test('decoders never throw on mutated frames, and leave no octet out', () => {
  const failure = encodeUtf8('E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=wrong password')
  const frames = [
    ...corpus(),
    encodeFrame(protocols.chap, encodePacket({ code: 4, identifier: 1, data: failure })),
  ]
  // One of a protocol, code and length: most of them all are echoes.
  const kinds = new Map(frames.map((frame) => [`${frame.slice(0, 5)} ${frame.length}`, frame]))
  const change = fc.tuple(fc.nat(100), fc.nat(255))
  const mutated = fc
    .tuple(
      fc.constantFrom(...kinds.values()),
      fc.array(change, { maxLength: 4 }),
      fc.option(fc.nat(60), { freq: 1 }),
    )
    .map(([frame, changes, cut]) => {
      const bytes = frame.slice(0, cut ?? frame.length)
      for (const [place, value] of changes) if (bytes.length > 0) bytes[place % bytes.length] = value
      return bytes
    })
  const found = { packets: 0, options: 0, values: 0, responses: 0 }
  fc.assert(
    fc.property(mutated, (bytes) => {
      const frame = decodeFrame(bytes)
      if (!frame.ok) return
      const { information } = frame.value
      const packet = decodePacket(information)
      decodeAll(information)
      if (!packet.ok) return
      const { data } = packet.value
      assert.equal(data.length + 4, u16(information, 2))
      const { options, value, response } = decodeAll(data)
      found.packets++
      if (options.ok && options.value.length > 0) found.options++
      if (options.ok)
        assert.equal(
          options.value.reduce((sum, each) => sum + 2 + each.data.length, 0),
          data.length,
        )
      if (value) {
        found.values++
        assert.equal(value.value.length, u8(data, 0))
        assert.equal(1 + value.value.length + value.name.length, data.length)
      }
      if (response) {
        found.responses++
        assert.deepEqual([response.peerChallenge.length, response.response.length], [16, 24])
      }
    }),
    { numRuns: runs },
  )
  for (const [what, count] of Object.entries(found))
    assert.ok(count > runs / 500, `only ${count} of ${runs} are ${what} still`)
})

/** What the decoders of a packet's data make of some octets. */
function decodeAll(bytes: Uint8Array) {
  readFailure(bytes)
  checkSuccess(bytes, new Uint8Array(20))
  const value = decodeChapValue(bytes)
  const response = decodeResponse(value?.value ?? bytes)
  return { options: decodeOptions(bytes), value, response }
}

/** One end of a fresh pair, brought into a phase; the other end is gone. */
function endIn(phase: PppPhase, role: 'client' | 'server', method: AuthMethod, seed: number): End {
  const world = new World(
    clientOptions({ auth: [method] }),
    serverOptions({ auth: [method] }),
    { delay: 1 },
    seed,
  )
  const end = role === 'client' ? world.client : world.server
  world.open()
  if (phase !== 'establish') {
    world.run(seconds(2), () => end.link.phase === (phase === 'authenticate' ? phase : 'network'))
  }
  if (phase === 'terminate') end.link.command(world.now, { type: 'close' })
  assert.equal(end.link.phase, phase)
  return end
}

for (const phase of ['establish', 'authenticate', 'network', 'terminate'] as const) {
  for (const role of ['client', 'server'] as const) {
    test(`a ${role} in phase ${phase} survives hostile frames without throwing or storming, seed ${SEED}`, () => {
      const random = seededRandom(SEED + phase.length * 1000 + role.length)
      const frames = corpus()
      const share = Math.ceil(runs / 4)
      let end = endIn(phase, role, 'chap', 1)
      let now = millis(5000)
      let received = 0
      let sent = 0
      let lives = 1
      for (let run = 0; run < share; run++) {
        if (end.link.phase === 'dead' || random() < 0.01) {
          end = endIn(phase, role, (['chap', 'mschapv2', 'pap'] as const)[run % 3] ?? 'chap', run)
          end.drain(now)
          lives++
        }
        now = millis(now + random() * 20)
        const frame = hostile(random, frames)
        end.link.receive(now, frame)
        received++
        const answers = end.drain(now).length
        // Configure-Request and Ack of LCP, and at most a Configure-Request of each network protocol with them.
        assert.ok(answers <= 5, `${answers} answers to ${Buffer.from(frame).toString('hex')}`)
        sent += answers
        if (random() < 0.2) {
          end.link.timeout(now)
          sent += end.drain(now).length
        }
      }
      assert.ok(sent <= received * 2, `${sent} frames for ${received}`)
      console.log(`${role} in ${phase}: ${received} frames, ${sent} answered, ${lives} lives`)
    })
  }
}

test(`a session that lasts keeps nothing of what it receives, seed ${SEED}`, async () => {
  const random = seededRandom(SEED)
  const frames = corpus()
  let end = endIn('network', 'client', 'chap', 1)
  let now = millis(5000)
  let lives = 1
  const feed = (count: number) => {
    for (let run = 0; run < count; run++) {
      now = millis(now + 20)
      const frame = hostile(random, frames)
      // What ends or renegotiates the session is the business of the other tests.
      const decoded = decodeFrame(frame)
      const packet = decoded.ok ? decodePacket(decoded.value.information) : decoded
      const harmless =
        decoded.ok &&
        packet.ok &&
        (decoded.value.protocol !== protocols.lcp || packet.value.code > codes.codeReject) &&
        (decoded.value.protocol !== protocols.chap || packet.value.code === 1) &&
        packet.value.code !== codes.terminateRequest
      if (!harmless) continue
      if (end.link.phase === 'dead') {
        // Mutations have closed IPCP and IPV6CP, and nobody is there to open them again.
        end = endIn('network', 'client', 'chap', run)
        now = millis(5000)
        lives++
      }
      end.link.receive(now, frame)
      end.link.timeout(now)
      end.drain(now)
      end.events.length = 0
      end.sent.length = 0
    }
    return heldHeap()
  }
  await feed(Math.min(runs, 20_000))
  const before = await feed(Math.ceil(runs / 4))
  const after = await feed(runs)
  console.log(`${lives} lives, heap ${after - before} octets more`)
  assert.ok(lives < runs / 200, `${lives} sessions, so that none lasted`)
  assert.ok(after - before < 400_000, `heap grew by ${after - before} octets`)
})
