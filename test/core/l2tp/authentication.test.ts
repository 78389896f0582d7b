import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, encodeUtf8, fromHex, toHex } from '../../../src/core/bytes.ts'
import { hideValue, unhideValue } from '../../../src/core/l2tp/avp-hidden.ts'
import { challengeResponse } from '../../../src/core/l2tp/challenge.ts'
import { digests } from './pair.ts'

const SECRET = encodeUtf8('tunnelsecret')

test('answers a challenge as l2tpns does in SCCRP (l2tpns-chap-ok.pcap)', () => {
  const challenge = fromHex('62c865af63002810c9712b79167d31d3')
  const response = challengeResponse(digests, SECRET, 'SCCRP', challenge)
  assert.equal(toHex(response), 'cd77303e5ee0c09bc045f5f17ef1157d')
})

test('the chap identifier is 2 in SCCRP and 3 in SCCCN', () => {
  const challenge = fromHex('0102')
  const md5 = (...parts: Uint8Array[]) =>
    createHash('md5')
      .update(concat(...parts))
      .digest('hex')
  for (const [message, identifier] of [
    ['SCCRP', 2],
    ['SCCCN', 3],
  ] as const) {
    const response = challengeResponse(digests, SECRET, message, challenge)
    assert.equal(toHex(response), md5(Uint8Array.of(identifier), SECRET, challenge))
  }
})

test('unhides the Calling Number that l2tpns accepted (l2tpns-avp-hidden.pcap)', () => {
  const key = { digests, secret: SECRET, vector: fromHex('9d27dcf6ec535bb9a3c2f379b02e7ab1') }
  const clear = unhideValue(key, 22, fromHex('6058476513d7744ced1a18f0934559e8f688'))
  assert.ok(clear)
  assert.match(String.fromCharCode(...clear), /^[0-9]+$/)
  assert.equal(toHex(hideValue(key, 22, clear, paddingOf(18 - 2 - clear.length))).slice(0, 4), '6058')
})

test('the first block is masked with MD5(attribute + secret + vector), the next with MD5(secret + block)', () => {
  const vector = fromHex('a1a2a3')
  const value = Uint8Array.from({ length: 20 }, (_, index) => index)
  const hidden = hideValue({ digests, secret: SECRET, vector }, 33, value)
  assert.equal(hidden.length, 22)
  const md5 = (...parts: Uint8Array[]) =>
    createHash('md5')
      .update(concat(...parts))
      .digest()
  const first = md5(fromHex('0021'), SECRET, vector)
  const second = md5(SECRET, hidden.subarray(0, 16))
  const clear = Array.from(hidden, (octet, index) => octet ^ ((index < 16 ? first : second)[index % 16] ?? 0))
  assert.equal(toHex(Uint8Array.from(clear)), `0014${toHex(value)}`)
})

test('what was hidden comes back', () => {
  const octets = (maxLength: number) => fc.uint8Array({ maxLength })
  fc.assert(
    fc.property(
      octets(40),
      octets(30),
      octets(300),
      octets(40),
      fc.nat(0xffff),
      (secret, vector, value, padding, type) => {
        const key = { digests, secret, vector }
        assert.deepEqual(unhideValue(key, type, hideValue(key, type, value, padding)), value)
      },
    ),
  )
})

test('an inner length that does not fit is refused', () => {
  const key = { digests, secret: SECRET, vector: fromHex('00') }
  assert.equal(unhideValue(key, 22, new Uint8Array()), undefined)
  assert.equal(unhideValue(key, 22, new Uint8Array(1)), undefined)
  const hidden = hideValue(key, 22, fromHex('01020304'))
  assert.equal(unhideValue(key, 22, hidden.subarray(0, 5)), undefined)
})

function paddingOf(length: number): Uint8Array {
  return new Uint8Array(Math.max(0, length))
}
