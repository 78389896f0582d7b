import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, fromHex } from '../../../src/core/bytes.ts'
import { internetChecksum } from '../../../src/core/ip/checksum.ts'

test('the example of RFC 1071 section 3', () => {
  // The one's complement sum there is ddf2.
  assert.equal(internetChecksum(fromHex('0001 f203 f4f5 f6f7')), 0xffff - 0xddf2)
})

test('a header as it was on the wire sums up to nothing', () => {
  assert.equal(internetChecksum(fromHex('45000056f9bf40004011bcd3c0000202c0000201')), 0)
})

test('an odd last octet counts as the high half', () => {
  assert.equal(internetChecksum(fromHex('01')), 0xfeff)
  assert.equal(internetChecksum(fromHex('')), 0xffff)
})

test('carries fold however long the data is', () => {
  const even = fc.uint8Array({ maxLength: 3000 }).filter((bytes) => bytes.length % 2 === 0)
  fc.assert(
    fc.property(even, (bytes) => {
      const sum = internetChecksum(bytes)
      assert.equal(internetChecksum(concat(bytes, Uint8Array.of(sum >> 8, sum & 0xff))), 0)
    }),
  )
})
