import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeUtf8, encodeUtf8, equalBytes, fromHex, toHex } from '../../src/core/bytes.ts'

test('encodeUtf8 agrees with the platform on every string', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.deepEqual(encodeUtf8(text), Uint8Array.from(new TextEncoder().encode(text)))
    }),
  )
})

test('decodeUtf8 agrees with the platform on all octets', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const platform = (bytes: Uint8Array) => {
    try {
      return decoder.decode(bytes)
    } catch {
      return undefined
    }
  }
  // Octets at the edges of what RFC 3629 section 4 allows, and texts that are valid.
  const edges = [
    0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5,
    0xff,
  ]
  const octets = fc.oneof(
    fc.array(fc.constantFrom(...edges), { maxLength: 6 }).map((values) => Uint8Array.from(values)),
    fc.string({ unit: 'binary' }).map((text) => Uint8Array.from(new TextEncoder().encode(text))),
  )
  fc.assert(
    fc.property(octets, (bytes) => assert.equal(decodeUtf8(bytes), platform(bytes))),
    { numRuns: 5000 },
  )
})

test('fromHex undoes toHex', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => equalBytes(fromHex(toHex(bytes)), bytes)))
})

test('equalBytes tells octets and lengths apart', () => {
  assert.equal(equalBytes(fromHex('0102'), fromHex('0102')), true)
  assert.equal(equalBytes(fromHex('0102'), fromHex('0103')), false)
  assert.equal(equalBytes(fromHex('0102'), fromHex('010203')), false)
})
