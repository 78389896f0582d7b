import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8, fromHex, toHex } from '../../../src/core/bytes.ts'
import { digests } from '../../../src/core/digests/digests.ts'
import { md5Response } from '../../../src/core/ppp/chap-packet.ts'
import {
  authenticatorProof,
  checkSuccess,
  encodeSuccess,
  ntResponse,
  readFailure,
} from '../../../src/core/ppp/mschapv2.ts'

/** RFC 2759 section 9.2. */
const exchange = {
  username: 'User',
  password: 'clientPass',
  authenticatorChallenge: fromHex('5B 5D 7C 7D 7B 3F 2F 3E 3C 2C 60 21 32 26 26 28'),
  peerChallenge: fromHex('21 40 23 24 25 5E 26 2A 28 29 5F 2B 3A 33 7C 7E'),
}
const response = fromHex('82 30 9E CD 8D 70 8B 5E A0 8F AA 39 81 CD 83 54 42 33 11 4A 3D 85 D6 DF')
const success = 'S=407A5589115FD0D6209F510FE9C04566932CDA56'

test('MS-CHAPv2: the hash examples of RFC 2759 section 9.2', () => {
  assert.equal(toHex(ntResponse(digests, exchange)), toHex(response))
  assert.equal(`S=${toHex(authenticatorProof(digests, exchange, response)).toUpperCase()}`, success)
})

test('MS-CHAPv2: a domain before the name does not count', () => {
  const withDomain = { ...exchange, username: 'EXAMPLE\\User' }
  assert.equal(toHex(ntResponse(digests, withDomain)), toHex(response))
})

test('MS-CHAPv2: only the right proof is genuine', () => {
  const proof = authenticatorProof(digests, exchange, response)
  const check = (text: string) => checkSuccess(encodeUtf8(text), proof)
  assert.deepEqual(check(`${success} M=Welcome home`), { genuine: true, text: 'Welcome home' })
  assert.deepEqual(check(success), { genuine: true, text: '' })
  assert.deepEqual(check(success.toLowerCase().replace('s=', 'S=')), { genuine: true, text: '' })
  assert.equal(check(success.replace('407A', '407B')).genuine, false)
  assert.equal(check(success.slice(0, -1)).genuine, false)
  assert.equal(check('').genuine, false)
  assert.equal(encodeSuccess(proof, 'OK'), `${success} M=OK`)
})

test('MS-CHAPv2: what a Failure says, our words apart from those of the LNS', () => {
  const read = (text: string) => readFailure(encodeUtf8(text))
  assert.deepEqual(
    read('E=691 R=1 C=0123456789ABCDEF0123456789ABCDEF V=3 M=Authentication failure'),
    { message: 'Authentication failure' },
    'this code says no more than a Failure does',
  )
  assert.deepEqual(read('E=647 R=0 V=3 M=come back'), {
    reason: 'the account is disabled',
    message: 'come back',
  })
  assert.deepEqual(read('E=648 R=0 V=3'), {
    reason: 'the password has expired and must be changed with the provider',
  })
  assert.deepEqual(read('E=777 R=0'), { reason: 'error 777' })
  assert.deepEqual(read('go away'), { message: 'go away' })
  assert.deepEqual(read(''), {})
})

test('CHAP: the response that l2tpns and FreeRADIUS accepted', () => {
  const challenge = fromHex('58963dcffee2a9d29b81a7d76ea6b832')
  const accepted = '072045e4f58b30f02978fe57d783c1e6'
  assert.equal(toHex(md5Response(digests, 1, 'wonderland', challenge)), accepted)
})
