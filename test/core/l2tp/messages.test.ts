import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, encodeUtf8, fromHex, toHex } from '../../../src/core/bytes.ts'
import { decodeMessage } from '../../../src/core/l2tp/message-decode.ts'
import { encodeMessage, type SendableMessage } from '../../../src/core/l2tp/message-encode.ts'
import { isSessionMessage, MESSAGE_TYPES, type MessageName } from '../../../src/core/l2tp/messages.ts'
import { digests } from './pair.ts'

const SECRET = encodeUtf8('tunnelsecret')
const key = { digests, secret: SECRET }

/** AVPs in hexadecimal, for building messages by hand. */
const A = {
  version: '8008 0000 0002 0100',
  framing: '800a 0000 0003 00000003',
  bearer: '800a 0000 0004 00000000',
  tie: '000e 0000 0005 0102030405060708',
  firmware: '0008 0000 0006 0601',
  host: '8009 0000 0007 6c6e73',
  vendor: '0009 0000 0008 616263',
  tunnel: '8008 0000 0009 002a',
  window: '8008 0000 000a 0004',
  challenge: '800a 0000 000b 01020304',
  response: '8016 0000 000d 000102030405060708090a0b0c0d0e0f',
  result: '8008 0000 0001 0003',
  q931: '800c 0000 000c 0010 45 627965',
  session: '8008 0000 000e 002b',
  serial: '800a 0000 000f 0000007b',
  minimum: '800a 0000 0010 00000001',
  maximum: '800a 0000 0011 00000002',
  bearerType: '800a 0000 0012 00000001',
  framingType: '800a 0000 0013 00000001',
  called: '8008 0000 0015 3432',
  calling: '8008 0000 0016 3433',
  subAddress: '8007 0000 0017 39',
  tx: '800a 0000 0018 05f5e100',
  channel: '000a 0000 0019 00000007',
  errors: `8020 0000 0022 ${'00'.repeat(26)}`,
  accm: `8010 0000 0023 ${'00'.repeat(10)}`,
  vector: '8008 0000 0024 abcd',
  group: '0008 0000 0025 6767',
  rx: '000a 0000 0026 00000064',
  sequencing: '8006 0000 0027',
} as const

type Avps = readonly (keyof typeof A)[]

/** Typed from RFC 2661 sections 6.1 to 6.14: number, what MUST be present, what MAY be (Random Vector: everywhere). */
const RFC: Readonly<Record<MessageName, readonly [number, Avps, Avps]>> = {
  SCCRQ: [
    1,
    ['version', 'host', 'framing', 'tunnel'],
    ['bearer', 'window', 'challenge', 'tie', 'firmware', 'vendor', 'vector'],
  ],
  SCCRP: [
    2,
    ['version', 'framing', 'host', 'tunnel'],
    ['bearer', 'firmware', 'vendor', 'window', 'challenge', 'response', 'vector'],
  ],
  SCCCN: [3, [], ['response', 'vector']],
  StopCCN: [4, ['tunnel', 'result'], ['vector']],
  HELLO: [6, [], ['vector']],
  OCRQ: [
    7,
    ['session', 'serial', 'minimum', 'maximum', 'bearerType', 'framingType', 'called'],
    ['subAddress', 'vector'],
  ],
  OCRP: [8, ['session'], ['channel', 'vector']],
  OCCN: [9, ['tx', 'framingType'], ['rx', 'sequencing', 'vector']],
  ICRQ: [10, ['session', 'serial'], ['bearerType', 'channel', 'calling', 'called', 'subAddress', 'vector']],
  ICRP: [11, ['session'], ['vector']],
  ICCN: [12, ['tx', 'framingType'], ['rx', 'sequencing', 'group', 'vector']],
  CDN: [14, ['result', 'session'], ['q931', 'vector']],
  WEN: [15, ['errors'], ['vector']],
  SLI: [16, ['accm'], ['vector']],
}

const NAMES = Object.keys(RFC) as MessageName[]

for (const name of NAMES) {
  const [number, required, optional] = RFC[name]

  test(`${name}: is message ${number} and needs just what RFC 2661 lists`, () => {
    assert.equal(MESSAGE_TYPES[name], number)
    assert.equal(typeOf(decode(body(number, required))), name)
    assert.equal(typeOf(decode(body(number, [...optional, ...required]))), name)
  })

  for (const missing of required) {
    test(`${name} without ${missing}`, () => {
      const rest = required.filter((each) => each !== missing)
      const decoded = decode(body(number, rest))
      if (name === 'StopCCN' || name === 'CDN')
        assert.ok(decoded.ok, 'what ends a tunnel or session always does')
      else assert.deepEqual(fault(decoded), ['avpMissing', name, 6])
    })
  }
}

test('the messages of sessions are those that section 3.2 lists after the control connection', () => {
  const ofTunnel = NAMES.filter((name) => !isSessionMessage(name))
  assert.deepEqual(ofTunnel, ['SCCRQ', 'SCCRP', 'SCCCN', 'StopCCN', 'HELLO'])
})

/** A message, one odd AVP, and what comes of it: the message itself, or violation and General Error. */
const FLAWS = [
  ['an unknown mandatory attribute', 'ICRQ', '8008 0000 0063 0001', 'avpUnknown', 8],
  ['an unknown optional attribute', 'ICRQ', '0008 0000 0063 0001', undefined, 0],
  ['a mandatory attribute of a vendor', 'SCCRP', '8008 0009 0001 0001', 'avpUnknown', 8],
  ['an optional attribute of a vendor', 'SCCRP', '0008 0009 0001 0001', undefined, 0],
  ['attribute 20, which is not defined', 'ICRQ', '8008 0000 0014 0001', 'avpUnknown', 8],
  ['a reserved bit in a mandatory one', 'SCCRP', '8408 0000 000a 0004', 'avpUnknown', 8],
  ['a reserved bit in an optional one', 'SCCRP', '0408 0000 0006 0004', undefined, 0],
  ['a Receive Window Size of three octets', 'SCCRP', '8009 0000 000a 000400', 'avpMalformed', 2],
  ['a Receive Window Size of 0', 'SCCRP', '8008 0000 000a 0000', 'avpMalformed', 3],
  ['a Firmware Revision of one octet', 'SCCRP', '0007 0000 0006 01', undefined, 0],
  ['an Rx Connect Speed of two octets (section 7.1)', 'ICCN', '0008 0000 0026 0064', undefined, 0],
  ['a Tx Connect Speed of two octets', 'ICCN', '8008 0000 0018 0064', 'avpMalformed', 2],
  ['a Challenge Response of 15 octets', 'SCCCN', `8015 0000 000d ${'00'.repeat(15)}`, 'avpMalformed', 2],
  ['an empty Challenge', 'SCCRP', '8006 0000 000b', 'avpMalformed', 2],
  [
    'a Random Vector with nothing hidden',
    'SCCRP',
    '8016 0000 0024 000102030405060708090a0b0c0d0e0f',
    undefined,
    0,
  ],
  ['an empty Random Vector', 'ICRP', '8006 0000 0024', undefined, 0],
  ['a hidden mandatory value without a vector', 'ICRQ', 'c00c 0000 0016 010203040506', 'avpUnreadable', 6],
  ['a hidden optional value without a vector', 'ICRQ', '400c 0000 0019 010203040506', undefined, 0],
  ['a known attribute of another message', 'HELLO', '8008 0000 0009 0001', undefined, 0],
] as const

for (const [what, name, hex, violation, error] of FLAWS) {
  test(`${name} with ${what}`, () => {
    const [number, required] = RFC[name]
    const decoded = decode(
      concat(fromHex(hexType(number) + hex), fromHex(required.map((avp) => A[avp]).join(''))),
    )
    if (violation === undefined) assert.equal(typeOf(decoded), name)
    else assert.deepEqual(fault(decoded), [violation, name, error])
  })
}

test('a message that cannot be read still tells the ids that it assigns', () => {
  const sccrp = decode(fromHex(`${hexType(2)}${A.tunnel}8008 0000 0063 0001`))
  assert.ok(!sccrp.ok)
  assert.equal(sccrp.error.assignedTunnelId, 42)
  const icrq = decode(fromHex(`${hexType(10)}${A.session}${A.serial}8008 0000 0063 00`))
  assert.ok(!icrq.ok)
  assert.equal(icrq.error.violation, 'avpMalformed')
  assert.equal(icrq.error.assignedSessionId, 43)
})

test('an id of 0 is out of range', () => {
  assert.deepEqual(fault(decode(fromHex(`${hexType(11)}8008 0000 000e 0000`))), ['avpMalformed', 'ICRP', 3])
})

test('the Message Type must be first, whole, clear and of the IETF', () => {
  for (const hex of [
    A.host,
    '8007 0000 0000 01',
    '8009 0000 0000 000100',
    'c008 0000 0000 0001',
    '8008 0009 0000 0001',
    '8008',
  ]) {
    assert.deepEqual(fault(decode(fromHex(hex))), ['avpMalformed', undefined, 2], hex)
  }
})

test('an unknown message type ends the tunnel if it is mandatory, else it is ignored', () => {
  for (const type of ['0000', '0005', '000d', '0011', 'ffff']) {
    assert.deepEqual(fault(decode(fromHex(`8008 0000 0000 ${type}`))), ['messageUnknown', undefined, 8])
    assert.equal(typeOf(decode(fromHex(`0008 0000 0000 ${type}`))), 'ignored')
  }
})

test('reads the SCCRP of l2tpns, which has neither window nor vendor (l2tpns-chap-ok.pcap)', () => {
  const sccrp = decode(
    fromHex(
      '8008000000000002 8008000000020100 800a00000003 00000003 801100000007 6c6e732e6578616d706c65' +
        '80160000000d cd77303e5ee0c09bc045f5f17ef1157d 8008000000090008',
    ),
  )
  assert.deepEqual(sccrp, {
    ok: true,
    value: {
      type: 'SCCRP',
      protocolVersion: 0x0100,
      framingCapabilities: 3,
      hostName: encodeUtf8('lns.example'),
      assignedTunnelId: 8,
      challengeResponse: fromHex('cd77303e5ee0c09bc045f5f17ef1157d'),
    },
  })
})

test('reads a hidden Calling Number (l2tpns-avp-hidden.pcap)', () => {
  const icrq = decode(
    fromHex(
      '800800000000000a 80080000000eb1e4 800a0000000fb5403413 801600000024 9d27dcf6ec535bb9a3c2f379b02e7ab1' +
        'c01800000016 6058476513d7744ced1a18f0934559e8f688',
    ),
  )
  assert.ok(icrq.ok && icrq.value.type === 'ICRQ' && icrq.value.callingNumber)
  assert.match(String.fromCharCode(...icrq.value.callingNumber), /^[0-9]+$/)
})

test('unhides with the Random Vector that most closely precedes', () => {
  const hex = '800800000000000a 80080000000eb1e4 800a0000000fb5403413'
  const right = '801600000024 9d27dcf6ec535bb9a3c2f379b02e7ab1'
  const hidden = 'c01800000016 6058476513d7744ced1a18f0934559e8f688'
  const twice = decode(fromHex(`${hex}80080000 0024 ffff${right}${hidden}`))
  assert.equal(typeOf(twice), 'ICRQ')
  const wrong = decode(fromHex(`${hex}${right}800800000024ffff${hidden}`))
  assert.deepEqual(fault(wrong), ['avpUnreadable', 'ICRQ', 6])
  const noSecret = decodeMessage(fromHex(`${hex}${right}${hidden}`), { digests, secret: undefined })
  assert.deepEqual(fault(noSecret), ['avpUnreadable', 'ICRQ', 6])
})

/** Result Code values as found in the field, each before and after the tunnel id. */
const RESULTS = [
  ['8008 0000 0001 0006', { result: 6 }],
  ['800a 0000 0001 0002 0008', { result: 2, error: 8 }],
  ['800f 0000 0001 0002 0006 68656c6c6f', { result: 2, error: 6, message: encodeUtf8('hello') }],
  ['8009 0000 0001 0001 00', { result: 1 }],
  ['800e 0000 0001 0001 0000 00000000', { result: 1, error: 0, message: new Uint8Array(4) }],
  ['8007 0000 0001 01', undefined],
  ['8006 0000 0001', undefined],
] as const

for (const [hex, result] of RESULTS) {
  test(`a Result Code ${hex} before or after the id`, () => {
    for (const order of [hex + A.tunnel, A.tunnel + hex]) {
      const expected = { type: 'StopCCN', assignedTunnelId: 42, ...(result && { result }) }
      assert.deepEqual(decode(fromHex(hexType(4) + order)), { ok: true, value: expected })
    }
    for (const order of [hex + A.session, A.session + hex]) {
      const expected = { type: 'CDN', assignedSessionId: 43, ...(result && { result }) }
      assert.deepEqual(decode(fromHex(hexType(14) + order)), { ok: true, value: expected })
    }
  })
}

test('a StopCCN whose AVPs are broken is a StopCCN all the same', () => {
  const cut = decode(fromHex(`${hexType(4)}${A.tunnel}8008 0000`))
  assert.deepEqual(cut, { ok: true, value: { type: 'StopCCN', assignedTunnelId: 42 } })
  const overlong = decode(fromHex(`${hexType(4)}83ff 0000 0001 0001`))
  assert.deepEqual(overlong, { ok: true, value: { type: 'StopCCN' } })
})

test('reads the Q.931 cause of a CDN', () => {
  const cdn = decode(body(14, ['result', 'session', 'q931']))
  assert.ok(cdn.ok && cdn.value.type === 'CDN')
  assert.deepEqual(cdn.value.q931, { cause: 16, message: 0x45, advisory: encodeUtf8('bye') })
})

test('an encoded SCCRQ is laid out as RFC 2661 says', () => {
  const hex = toHex(
    encodeMessage({
      type: 'SCCRQ',
      protocolVersion: 0x0100,
      framingCapabilities: 3,
      bearerCapabilities: 0,
      firmwareRevision: 0x0601,
      hostName: encodeUtf8('lns'),
      vendorName: encodeUtf8('abc'),
      assignedTunnelId: 42,
      receiveWindowSize: 4,
      challenge: fromHex('01020304'),
    }),
  )
  const expected = `${hexType(1)}${A.version}${A.framing}${A.bearer}${A.firmware}${A.host}${A.vendor}${A.tunnel}${A.window}${A.challenge}`
  assert.equal(hex, expected.replace(/\s/g, ''))
})

test('an encoded ICCN is laid out as RFC 2661 says', () => {
  const iccn = {
    type: 'ICCN',
    txConnectSpeed: 100_000_000,
    framingType: 1,
    sequencingRequired: true,
  } as const
  const expected = `${hexType(12)}${A.tx}${A.framingType}${A.sequencing}`
  assert.equal(toHex(encodeMessage(iccn)), expected.replace(/\s/g, ''))
})

test('messages come back as they went', () => {
  fc.assert(
    fc.property(anyMessage(), (message) => {
      assert.deepEqual(decode(encodeMessage(message)), { ok: true, value: message })
    }),
    { numRuns: 500 },
  )
})

function anyMessage(): fc.Arbitrary<SendableMessage> {
  const id = fc.integer({ min: 1, max: 0xffff })
  const u32 = fc.nat(0xffffffff)
  const octets = (minLength: number, maxLength = 60) => fc.uint8Array({ minLength, maxLength })
  const type = <T extends string>(name: T) => fc.constant(name)
  const start = {
    protocolVersion: fc.nat(0xffff),
    framingCapabilities: u32,
    hostName: octets(1),
    assignedTunnelId: id,
    bearerCapabilities: u32,
    receiveWindowSize: id,
    challenge: octets(1),
    firmwareRevision: fc.nat(0xffff),
    vendorName: octets(0),
  }
  const startKeys = [
    'protocolVersion',
    'framingCapabilities',
    'hostName',
    'assignedTunnelId',
    'type',
  ] as const
  const result = fc.oneof(
    plain({ result: fc.nat(0xffff) }),
    plain({ result: fc.nat(0xffff), error: fc.nat(0xffff) }),
    plain({ result: fc.nat(0xffff), error: fc.nat(0xffff), message: octets(1) }),
  )
  const q931 = plain({ cause: fc.nat(0xffff), message: fc.nat(0xff), advisory: octets(0) })
  return fc.oneof(
    fc.record(
      { type: type('SCCRQ'), ...start, tieBreaker: octets(8, 8) },
      { noNullPrototype: true, requiredKeys: [...startKeys] },
    ),
    fc.record(
      { type: type('SCCRP'), ...start, challengeResponse: octets(16, 16) },
      { noNullPrototype: true, requiredKeys: [...startKeys] },
    ),
    fc.record(
      { type: type('SCCCN'), challengeResponse: octets(16, 16) },
      { noNullPrototype: true, requiredKeys: ['type'] },
    ),
    fc.record(
      { type: type('StopCCN'), assignedTunnelId: id, result },
      { noNullPrototype: true, requiredKeys: ['type'] },
    ),
    plain({ type: type('HELLO') }),
    fc.record(
      {
        type: type('ICRQ'),
        assignedSessionId: id,
        callSerialNumber: u32,
        bearerType: u32,
        physicalChannelId: u32,
        callingNumber: octets(0),
        calledNumber: octets(0),
        subAddress: octets(0),
      },
      { noNullPrototype: true, requiredKeys: ['type', 'assignedSessionId', 'callSerialNumber'] },
    ),
    plain({ type: type('ICRP'), assignedSessionId: id }),
    fc.record(
      {
        type: type('ICCN'),
        txConnectSpeed: u32,
        framingType: u32,
        rxConnectSpeed: u32,
        sequencingRequired: fc.boolean(),
      },
      {
        noNullPrototype: true,
        requiredKeys: ['type', 'txConnectSpeed', 'framingType', 'sequencingRequired'],
      },
    ),
    fc.record(
      { type: type('CDN'), assignedSessionId: id, result, q931 },
      { noNullPrototype: true, requiredKeys: ['type'] },
    ),
  ) as fc.Arbitrary<SendableMessage>
}

function plain<T>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(members, { noNullPrototype: true })
}

function decode(bytes: Uint8Array) {
  return decodeMessage(bytes, key)
}

function hexType(number: number): string {
  return `8008 0000 0000 ${number.toString(16).padStart(4, '0')}`
}

function body(number: number, avps: Avps): Uint8Array {
  return fromHex(hexType(number) + avps.map((avp) => A[avp]).join(''))
}

function typeOf(decoded: ReturnType<typeof decode>): string {
  assert.ok(decoded.ok, JSON.stringify(decoded))
  return decoded.value.type
}

function fault(decoded: ReturnType<typeof decode>) {
  assert.ok(!decoded.ok, JSON.stringify(decoded))
  return [decoded.error.violation, decoded.error.type, decoded.error.error]
}
