/** Bytes from a peer never throw: random octets, and recorded packets with a few octets changed. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '../../../src/core/bytes.ts'
import { decodeAvps } from '../../../src/core/l2tp/avp.ts'
import { unhideValue } from '../../../src/core/l2tp/avp-hidden.ts'
import { describeCause, peerCause } from '../../../src/core/l2tp/cause.ts'
import { CONTROL_HEADER, decodePacket } from '../../../src/core/l2tp/header.ts'
import { decodeMessage } from '../../../src/core/l2tp/message-decode.ts'
import { readPcap } from '../../sim/pcap.ts'
import { digests } from './pair.ts'

const numRuns = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)
const FOLDER = new URL('../../fixtures/l2tpns/', import.meta.url).pathname
const key = { digests, secret: encodeUtf8('tunnelsecret') }

const recorded = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.pcap'))
  .flatMap((name) => readPcap(FOLDER + name).map(({ bytes }) => bytes))
const control = recorded.filter((bytes) => ((bytes[0] ?? 0) & 0x80) !== 0 && bytes.length > CONTROL_HEADER)

const octets = (maxLength: number) => fc.uint8Array({ maxLength })

/** One of `originals`, some octets changed, cut or with more at the end. */
function mutated(originals: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(200), fc.nat(255))
  const changes = fc.array(change, { maxLength: 6 })
  return fc
    .tuple(fc.constantFrom(...originals), changes, fc.option(fc.nat(120)), octets(8))
    .map(([original, edits, cut, more]) => {
      const bytes = Uint8Array.from([...original.subarray(0, cut ?? original.length), ...more])
      for (const [offset, value] of edits) if (bytes.length > 0) bytes[offset % bytes.length] = value
      return bytes
    })
}

test('decodePacket', () => {
  fc.assert(
    fc.property(fc.oneof(octets(40), mutated(recorded)), (bytes) => {
      const decoded = decodePacket(bytes)
      if (!decoded.ok) return
      const packet = decoded.value
      const payload = packet.kind === 'control' ? packet.body : packet.frame
      assert.ok(payload.length <= bytes.length - 6)
      assert.ok(packet.tunnel <= 0xffff && packet.session <= 0xffff)
    }),
    { numRuns },
  )
})

test('decodeAvps', () => {
  const bodies = control.map((bytes) => bytes.subarray(CONTROL_HEADER))
  fc.assert(
    fc.property(fc.oneof(octets(60), mutated(bodies)), (body) => {
      const decoded = decodeAvps(body)
      if (!decoded.ok) return
      const length = decoded.value.reduce((sum, { value }) => sum + 6 + value.length, 0)
      assert.equal(length, body.length)
    }),
    { numRuns },
  )
})

test('decodeMessage, and the words for what ends a tunnel or session', () => {
  const bodies = control.map((bytes) => bytes.subarray(CONTROL_HEADER))
  const type = fc.constantFrom(1, 2, 3, 4, 6, 7, 10, 11, 12, 14, 15, 16)
  const typed = fc
    .tuple(type, octets(80))
    .map(([number, rest]) => Uint8Array.of(0x80, 8, 0, 0, 0, 0, 0, number, ...rest))
  fc.assert(
    fc.property(fc.oneof(octets(60), typed, mutated(bodies)), (body) => {
      const decoded = decodeMessage(body, key)
      if (!decoded.ok) {
        assert.ok(decoded.error.message.length > 0)
        return
      }
      const message = decoded.value
      if (message.type === 'StopCCN' || message.type === 'CDN') {
        assert.match(describeCause(peerCause('open', message)), /^[\x20-\x7e]+$/)
      }
    }),
    { numRuns },
  )
})

test('unhideValue', () => {
  fc.assert(
    fc.property(octets(20), octets(20), fc.nat(0xffff), octets(100), (secret, vector, attribute, hidden) => {
      const clear = unhideValue({ digests, secret, vector }, attribute, hidden)
      assert.ok(clear === undefined || clear.length <= hidden.length - 2)
    }),
    { numRuns },
  )
})
