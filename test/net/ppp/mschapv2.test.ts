/** Our MS-CHAPv2 responses as FreeRADIUS's mschap module sees them, and its proof as we see it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { concat, encodeUtf8, toHex, u8, u16, u32 } from '../../../src/core/bytes.ts'
import { digests } from '../../../src/core/digests/digests.ts'
import { ChapClient } from '../../../src/core/ppp/chap.ts'
import { chapCodes, decodeChapValue, encodeChapValue } from '../../../src/core/ppp/chap-packet.ts'
import { CHALLENGE_LENGTH } from '../../../src/core/ppp/mschapv2.ts'
import { decodePacket, encodePacket } from '../../../src/core/ppp/packet.ts'
import { Secret } from '../../../src/core/secret.ts'
import { millis } from '../../../src/core/time.ts'
import { entropy } from '../../../src/host/entropy.ts'
import { type Namespace, NamespaceGroup } from '../namespace.ts'
import { Radius } from '../radius.ts'

const ACCESS_REQUEST = 1
const ACCESS_ACCEPT = 2
const ACCESS_REJECT = 3
const USER_NAME = 1
const VENDOR_SPECIFIC = 26
/** RFC 2548: the vendor, and its attributes. */
const MICROSOFT = Uint8Array.of(0, 0, 1, 0x37)
const MS_CHAP_CHALLENGE = 11
const MS_CHAP2_RESPONSE = 25
const MS_CHAP2_SUCCESS = 26

const user = { name: 'alice', password: 'wonderland' }
let group: NamespaceGroup
let namespace: Namespace
let radius: Radius

before(async () => {
  group = new NamespaceGroup()
  const [added] = await group.add('radius')
  assert.ok(added)
  namespace = added
  await namespace.ip('link set lo up')
  radius = new Radius(namespace, [user])
  await radius.start()
})

after(async () => {
  await radius?.stop()
  group?.remove()
})

function attribute(type: number, value: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type, value.length + 2), value)
}

function microsoft(type: number, value: Uint8Array): Uint8Array {
  return attribute(VENDOR_SPECIFIC, concat(MICROSOFT, attribute(type, value)))
}

/** The value of a Microsoft attribute in an answer (RFC 2865 section 5). */
function find(answer: Uint8Array, type: number): Uint8Array | undefined {
  for (let at = 20; at + 8 <= answer.length; at += u8(answer, at + 1) || answer.length) {
    if (u8(answer, at) !== VENDOR_SPECIFIC || u32(answer, at + 2) !== 311) continue
    if (u8(answer, at + 6) === type) return answer.subarray(at + 8, at + u8(answer, at + 1))
  }
  return undefined
}

/** A client that has answered a challenge, as an LNS passes it on to its RADIUS server. */
async function ask(password: string) {
  const sent: Uint8Array[] = []
  const client = new ChapClient({
    method: 'mschapv2',
    username: user.name,
    password: new Secret(password),
    digests,
    entropy,
    send: (packet) => sent.push(packet),
  })
  const challenge = new Uint8Array(randomBytes(CHALLENGE_LENGTH))
  const receive = (code: number, data: Uint8Array) =>
    client.receive(millis(0), encodePacket({ code, identifier: 7, data }))
  receive(chapCodes.challenge, encodeChapValue({ value: challenge, name: encodeUtf8('lns') }))
  const response = decodePacket(sent[0] ?? new Uint8Array())
  assert.ok(response.ok)
  const value = decodeChapValue(response.value.data)?.value
  assert.ok(value)
  // RFC 2548 section 2.3.2: identifier and flags come first, the rest is as in the packet.
  const attributes = concat(
    attribute(USER_NAME, encodeUtf8(user.name)),
    microsoft(MS_CHAP_CHALLENGE, challenge),
    microsoft(MS_CHAP2_RESPONSE, concat(Uint8Array.of(7, 0), value.subarray(0, 48))),
  )
  const header = Uint8Array.of(ACCESS_REQUEST, 1, 0, 20 + attributes.length)
  const request = toHex(concat(header, new Uint8Array(randomBytes(16)), attributes))
  const command = [process.execPath, '--import', 'tsx', 'test/net/ppp/ask-radius.ts', request]
  const { stdout } = await namespace.run(command)
  const answer = new Uint8Array(Buffer.from(stdout.trim(), 'hex'))
  assert.equal(u16(answer, 2), answer.length)
  return { answer, receive }
}

test('FreeRADIUS accepts our MS-CHAPv2 response, and we its proof', async () => {
  const { answer, receive } = await ask(user.password)
  assert.equal(u8(answer, 0), ACCESS_ACCEPT, radius.log)
  const success = find(answer, MS_CHAP2_SUCCESS)
  assert.ok(success)
  assert.equal(receive(chapCodes.success, success.subarray(1))?.kind, 'accepted')
})

test('FreeRADIUS refuses our response with a wrong password', async () => {
  const { answer } = await ask('looking-glass')
  assert.equal(u8(answer, 0), ACCESS_REJECT)
})
