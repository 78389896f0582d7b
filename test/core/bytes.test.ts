import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8, equalBytes, fromHex, toHex } from '../../src/core/bytes.ts'

test('encodeUtf8 agrees with the platform on every string', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.deepEqual(encodeUtf8(text), Uint8Array.from(new TextEncoder().encode(text)))
    }),
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
