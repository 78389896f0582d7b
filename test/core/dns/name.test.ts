import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '../../../src/core/bytes.ts'
import { decodeName, encodeName, toDnsName } from '../../../src/core/dns/name.ts'

const LABEL = 'a'.repeat(63)

test('a name in text: lower case, no final dot, and no longer than the wire takes', () => {
  const longest = `${LABEL}.${LABEL}.${LABEL}.${'a'.repeat(61)}`
  assert.equal(toDnsName('LNS.Example.Net.'), 'lns.example.net')
  assert.equal(toDnsName('_l2tp.example'), '_l2tp.example')
  assert.equal(toDnsName(longest), longest)
  assert.equal(encodeName(longest).length, 255)
  for (const wrong of ['', '.', 'a..b', '.a', 'a b', 'bücher', 'a\\b', `${LABEL}a`, `${longest}a`])
    assert.equal(toDnsName(wrong), undefined, wrong)
})

test('the labels of RFC 1035 section 4.1.4, where each name points into those before it', () => {
  const message = new Uint8Array(93)
  message.set(fromHex('01 46 03 495349 04 41525041 00'), 20)
  message.set(fromHex('03 464f4f c014'), 40)
  message.set(fromHex('c01a'), 64)
  message.set(fromHex('c028'), 70)
  message.set(fromHex('00'), 92)
  assert.deepEqual(decodeName(message, 20), { name: 'f.isi.arpa', end: 32 })
  assert.deepEqual(decodeName(message, 40), { name: 'foo.f.isi.arpa', end: 46 })
  assert.deepEqual(decodeName(message, 64), { name: 'arpa', end: 66 })
  assert.deepEqual(decodeName(message, 70), { name: 'foo.f.isi.arpa', end: 72 })
  assert.deepEqual(decodeName(message, 92), { name: '', end: 93 })
  assert.deepEqual(encodeName('f.isi.arpa'), fromHex('01 66 03 697369 04 61727061 00'))
})

test('what is no plain character is escaped: a dot inside of a label divides nothing', () => {
  assert.equal(decodeName(fromHex('03 612e62 01 63 00'), 0)?.name, 'a\\.b.c')
  assert.equal(decodeName(fromHex('04 0041c35c 00'), 0)?.name, '\\000a\\195\\\\')
})

test('a name that is malformed is none', () => {
  const wrong = {
    'no end': '01 61',
    'a label beyond the end': '05 6161',
    'half a pointer': '01 61 00 c0',
    'a pointer to itself': '01 61 00 c003',
    'a pointer ahead': '01 61 00 c005 00',
    'a reserved kind of label': `01 61 00 41 ${'61'.repeat(65)} 00`,
  }
  for (const [what, hex] of Object.entries(wrong))
    assert.equal(decodeName(fromHex(hex), hex.startsWith('01 61 00') ? 3 : 0), undefined, what)
  // The second pointer leads no further back than the first.
  assert.equal(decodeName(fromHex('01 61 c002 c000'), 4), undefined)
})

test('a name of 254 octets of labels is the longest, also where pointers join it', () => {
  const label = (length: number) => Uint8Array.of(length, ...new Array<number>(length).fill(0x61))
  const name = (...lengths: number[]) => Uint8Array.from([...lengths.flatMap((each) => [...label(each)]), 0])
  assert.equal(decodeName(name(63, 63, 63, 61), 0)?.name.length, 253)
  assert.equal(decodeName(name(63, 63, 63, 62), 0), undefined)
  const joined = (first: number) => Uint8Array.from([...name(63, 63, 63), ...label(first), 0xc0, 0])
  assert.equal(decodeName(joined(61), 193)?.name.length, 253)
  assert.equal(decodeName(joined(62), 193), undefined)
})
