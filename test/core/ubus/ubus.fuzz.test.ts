/** Whatever ubusd or others say, a client neither throws nor hangs nor grows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat } from '../../../src/core/bytes.ts'
import { millis } from '../../../src/core/time.ts'
import { UbusClient } from '../../../src/core/ubus/client.ts'
import { objectOf, tableOf } from '../../../src/core/ubus/json.ts'
import { decodeMessage, encodeMessage, UbusType } from '../../../src/core/ubus/message.ts'
import { MessageReader } from '../../../src/core/ubus/stream.ts'
import type { UbusRole } from '../../../src/core/ubus/types.ts'
import { recordings } from './recordings.ts'

const numRuns = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)
const valid = recordings().flatMap(({ messages }) => messages.map(({ bytes }) => bytes))
const HELLO = encodeMessage({ type: UbusType.hello, sequence: 0, peer: 1, attributes: {} })
const ROLE: UbusRole = {
  objects: [{ path: 'fixture.two', methods: { echo: {}, fail: {} } }],
  events: ['*'],
  subscriptions: ['network.interface'],
}

/** A recorded message with some octets changed, cut short or made longer; its sequence number small, as ours are. */
const mutated = fc
  .tuple(
    fc.constantFrom(...valid),
    fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 6 }),
    fc.integer({ min: -8, max: 8 }),
    fc.nat(12),
  )
  .map(([message, changes, stretch, sequence]) => {
    const bytes = new Uint8Array(Math.max(12, message.length + stretch))
    bytes.set(message.subarray(0, bytes.length))
    for (const [place, value] of changes) bytes[12 + (place % Math.max(1, bytes.length - 12))] = value
    bytes[3] = sequence
    return bytes
  })

test('decoders never throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
      const message = decodeMessage(bytes)
      if (message?.attributes.data) objectOf(message.attributes.data)
      if (message && message.type !== UbusType.monitor) encodeMessage(message)
    }),
    { numRuns },
  )
})

test('tables nested without end are no table, and take no stack', () => {
  const hostile = new Uint8Array(900_000)
  const view = new DataView(hostile.buffer)
  for (let offset = 0; offset + 8 <= hostile.length; offset += 8)
    view.setUint32(offset, 0x82000000 + (hostile.length - offset))
  const data = concat(Uint8Array.of(7, 0, 0, 0), hostile)
  new DataView(data.buffer).setUint32(0, 0x07000000 + data.length)
  const bytes = concat(Uint8Array.of(0, 5, 0, 1, 0, 0, 0, 0), Uint8Array.of(0, 0, 0, 0), data)
  new DataView(bytes.buffer).setUint32(8, data.length + 4)
  assert.equal(decodeMessage(bytes)?.attributes.data, undefined)
})

test('what a client is told never makes it throw, hang or grow', () => {
  let now = 0
  let client = greeted()
  fc.assert(
    fc.property(mutated, fc.nat(50), (bytes, pause) => {
      now += pause
      client.command(millis(now), {
        kind: 'call',
        number: 1,
        path: 'a',
        method: 'b',
        data: [],
        timeout: millis(200),
      })
      client.receive(millis(now), bytes)
      client.timeout(millis(now))
      let held = 0
      while (client.pollWrite() !== undefined) held++
      for (let event = client.pollEvent(); event; event = client.pollEvent()) {
        held++
        if (event.kind === 'connectionGivenUp') client = greeted()
      }
      assert.ok(held < 3000, `${held} messages and events from one`)
    }),
    { numRuns },
  )

  function greeted(): UbusClient {
    const fresh = new UbusClient(millis(now), ROLE)
    fresh.connected(millis(now))
    fresh.receive(millis(now), HELLO)
    return fresh
  }
})

test('a stream is cut into the same messages, in whatever pieces it comes', () => {
  const some = valid.filter((bytes) => bytes.length < 1000 && bytes[0] === 0)
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...some), { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
      (messages, sizes) => {
        const reader = new MessageReader()
        const stream = concat(...messages)
        const read = []
        for (let offset = 0, n = 0; offset < stream.length; n++) {
          const size = sizes[n % sizes.length] ?? 1
          read.push(...(reader.push(stream.subarray(offset, offset + size)) ?? []))
          offset += size
        }
        assert.deepEqual(read, messages.map(decodeMessage))
      },
    ),
    { numRuns: Math.min(numRuns, 2000) },
  )
})

test('what is JSON survives the way through blobmsg', () => {
  const values = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }).filter(representable))
  fc.assert(
    fc.property(values, (object) => {
      // biome-ignore lint/suspicious/noExplicitAny: any JSON
      const attributes = { data: tableOf(object as any) }
      const bytes = encodeMessage({ type: UbusType.data, sequence: 1, peer: 2, attributes })
      assert.deepEqual(JSON.parse(JSON.stringify(objectOf(decodeMessage(bytes)?.attributes.data ?? []))), {
        ...JSON.parse(JSON.stringify(object)),
      })
    }),
    { numRuns: Math.min(numRuns, 5000) },
  )
})

/** Texts of ubus end at their first NUL, and lone surrogates are no UTF-8. */
function representable(value: unknown): boolean {
  const text = JSON.stringify(value)
  return !text.includes('\\u')
}
