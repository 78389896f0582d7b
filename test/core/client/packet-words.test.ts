import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex } from '../../../src/core/bytes.ts'
import { packetWords } from '../../../src/core/client/packet-words.ts'

test('datagrams are told by name, code and number', () => {
  const words = (hex: string) => packetWords(fromHex(hex))
  assert.equal(words('c802 0014 0000 0000 0000 0000 8008 0000 0000 0001'), 'SCCRQ ns 0 nr 0')
  assert.equal(words('c802 000c d2d0 0000 0001 0002'), 'ZLB ns 1 nr 2')
  assert.equal(words('0002 a000 87fc ff03 c021 0101 000e 0104 05b6'), 'lcp configureRequest id 1')
  assert.equal(words('0002 a000 87fc ff03 c223 0201 0006 0000'), 'chap code 2 id 1')
  assert.equal(words('0002 a000 87fc 21 4500 0014'), 'ipv4 of 4 octets')
  assert.equal(words('0002 a000 87fc ff03 80fd 0101 0004'), 'ccp configureRequest id 1')
  assert.equal(words('00'), 'malformed (short)')
})

test('no datagram throws, and a password never shows', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => packetWords(bytes).length > 0))
  const pap = fromHex('0002 0001 0002 ff03 c023 0101 0012 05 616c696365 06 736563726574')
  assert.equal(packetWords(pap), 'pap code 1 id 1')
})
