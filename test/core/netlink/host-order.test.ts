import assert from 'node:assert/strict'
import { test } from 'node:test'
import { host16, host16Bytes, host32, host32Bytes } from '../../../src/core/netlink/host-order.ts'

test('numbers are read and written as this CPU keeps them', () => {
  const words = Uint16Array.of(0x0102, 0xfffe, 0x8000)
  const long = Uint32Array.of(0x01020304, 0xfffefdfc, 0x80000000)
  const [octets, longOctets] = [new Uint8Array(words.buffer), new Uint8Array(long.buffer)]
  for (const [i, word] of words.entries()) {
    assert.equal(host16(octets, i * 2), word)
    assert.deepEqual(host16Bytes(word), octets.slice(i * 2, i * 2 + 2))
  }
  for (const [i, word] of long.entries()) {
    assert.equal(host32(longOctets, i * 4), word)
    assert.deepEqual(host32Bytes(word), longOctets.slice(i * 4, i * 4 + 4))
  }
})

test('a negative number is its complement, and what lies beyond the end is zero', () => {
  assert.equal(host32(host32Bytes(-19), 0), 0xffffffed)
  assert.deepEqual([host16(new Uint8Array(), 0), host32(Uint8Array.of(0), 2)], [0, 0])
})
