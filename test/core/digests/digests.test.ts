import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8, fromHex, toHex } from '../../../src/core/bytes.ts'
import { digests } from '../../../src/core/digests/digests.ts'
import { sha256 } from '../../../src/core/digests/sha256.ts'

const empty = new Uint8Array()

test('MD4: the suite of RFC 1320 appendix A.5', () => {
  const suite: [string, string][] = [
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      'e33b4ddc9c38f2199c3e7b164fcc0536',
    ],
  ]
  for (const [text, digest] of suite) assert.equal(toHex(digests.md4(encodeUtf8(text))), digest)
})

test('MD5: RFC 1321 appendix A.5', () => {
  assert.equal(toHex(digests.md5(empty)), 'd41d8cd98f00b204e9800998ecf8427e')
  assert.equal(toHex(digests.md5(encodeUtf8('message digest'))), 'f96b697d7cb7938d525a2f31aaf161d0')
})

test('SHA-1: RFC 3174 section 7.3', () => {
  assert.equal(toHex(digests.sha1(encodeUtf8('abc'))), 'a9993e364706816aba3e25717850c26c9cd0d89d')
})

test('DES: FIPS 81 table B1, and parity bits do not matter', () => {
  const block = encodeUtf8('Now is t')
  assert.equal(toHex(digests.des(fromHex('0123456789abcdef'), block)), '3fa40e8a984d4815')
  assert.equal(toHex(digests.des(fromHex('0022446688aaccee'), block)), '3fa40e8a984d4815')
})

test('DES makes the NtChallengeResponse of RFC 2759 section 9.2', () => {
  const passwordHash = fromHex('44ebba8d5312b8d611474411f56989ae')
  const challengeHash = fromHex('d02e4386bce91226')
  const padded = new Uint8Array([...passwordHash, 0, 0, 0, 0, 0])
  const response = [0, 7, 14].map((at) =>
    toHex(digests.des(withParity(padded.subarray(at, at + 7)), challengeHash)),
  )
  assert.equal(response.join(''), '82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df')
})

test('SHA-256: FIPS 180-4, the examples of NIST', () => {
  const two = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'
  assert.equal(
    toHex(sha256(encodeUtf8(two))),
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  )
})

test('another hand computes the same, wherever the message ends in its last block', () => {
  const message = Uint8Array.from({ length: 200 }, (_, i) => (i * 151) ^ (i >> 3))
  const hash = (name: string, part: Uint8Array) => createHash(name).update(part).digest('hex')
  for (let length = 0; length <= message.length; length++) {
    const part = message.subarray(0, length)
    assert.equal(toHex(digests.md5(part)), hash('md5', part), `MD5 of ${length}`)
    assert.equal(toHex(digests.sha1(part)), hash('sha1', part), `SHA-1 of ${length}`)
    assert.equal(toHex(sha256(part)), hash('sha256', part), `SHA-256 of ${length}`)
  }
})

/** Triple DES with one key three times encrypts, decrypts and encrypts. */
test('DES with keys and blocks of all kinds: another hand computes the same', () => {
  const octets = fc.uint8Array({ minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(octets, octets, (key, block) => {
      const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([key, key, key]), null).setAutoPadding(
        false,
      )
      assert.equal(
        toHex(digests.des(key, block)),
        cipher.update(block, undefined, 'hex') + cipher.final('hex'),
      )
    }),
  )
})

/** Spreads 56 bits over the upper seven bits of eight octets (RFC 2759 section 8.6). */
function withParity(key: Uint8Array): Uint8Array {
  let bits = 0n
  for (const octet of key) bits = (bits << 8n) | BigInt(octet)
  return Uint8Array.from({ length: 8 }, (_, i) => Number((bits >> BigInt(49 - 7 * i)) & 0x7fn) << 1)
}
