import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '../../src/core/bytes.ts'
import { textOf, Utf8Decoder } from '../../src/core/utf8-decoder.ts'

test('text comes back, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, position) => {
      const octets = encodeUtf8(text)
      const cut = position % (octets.length + 1)
      const decoder = new Utf8Decoder()
      const parts = [decoder.push(octets.subarray(0, cut)), decoder.push(octets.subarray(cut)), decoder.end()]
      assert.equal(parts.join(''), text)
    }),
  )
})

test('what is no UTF-8 is replaced as the platform does', () => {
  const likely = fc.constantFrom(
    0x41,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc0,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
  )
  const octets = fc.array(fc.oneof(likely, fc.nat(255)), { maxLength: 12 }).map((all) => Uint8Array.from(all))
  fc.assert(
    fc.property(octets, (each) => {
      assert.equal(textOf(each), Buffer.from(each).toString('utf8'))
    }),
    { numRuns: 2000 },
  )
})

test('long text is one text', () => {
  const text = 'žluť '.repeat(5000)
  assert.equal(textOf(encodeUtf8(text)), text)
})
