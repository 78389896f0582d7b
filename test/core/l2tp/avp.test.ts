import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteWriter, fromHex, toHex } from '../../../src/core/bytes.ts'
import { attributeRule } from '../../../src/core/l2tp/attributes.ts'
import { AvpSet, AvpWriter, decodeAvps, encodeAvp } from '../../../src/core/l2tp/avp.ts'

const GOOD = [
  ['no AVP', '', []],
  ['Message Type SCCRQ', '8008 0000 0000 0001', [avp('M', 0, 0, '0001')]],
  ['an AVP without a value', '8006 0000 0027', [avp('M', 0, 39, '')]],
  ['one without the M bit', '000d 0000 0008 6c6e7374657374', [avp('', 0, 8, '6c6e7374657374')]],
  ['a hidden one', 'c00a 0000 0016 01020304', [avp('MH', 0, 22, '01020304')]],
  ['one of a vendor', '0008 0009 0001 abcd', [avp('', 9, 1, 'abcd')]],
  ['a reserved bit', '8408 0000 0009 0001', [avp('MR', 0, 9, '0001')]],
  [
    'two of them',
    '8008 0000 0000 000e 8008 0000 000e 0002',
    [avp('M', 0, 0, '000e'), avp('M', 0, 14, '0002')],
  ],
] as const

const BAD = [
  ['half a header', '8008 00', 'short', 0],
  ['length 0', '8000 0000 0000', 'length', 0],
  ['length 5', '8005 0000 0000 00', 'length', 0],
  ['length beyond the end', '8009 0000 0000 0001', 'length', 0],
  ['the second one cut off', '8008 0000 0000 0001 8008 0000', 'short', 8],
] as const

for (const [name, hex, expected] of GOOD) {
  test(`splits ${name}`, () => {
    const decoded = decodeAvps(fromHex(hex))
    assert.ok(decoded.ok)
    assert.deepEqual(
      decoded.value.map(({ value, ...rest }) => ({ ...rest, value: toHex(value) })),
      expected,
    )
  })
}

for (const [name, hex, code, offset] of BAD) {
  test(`refuses ${name}`, () => {
    const decoded = decodeAvps(fromHex(hex))
    assert.ok(!decoded.ok)
    assert.deepEqual([decoded.error.code, decoded.error.offset], [code, offset])
  })
}

/** Typed from RFC 2661 section 4.4: type, name, M bit, Length of the AVP before hiding (6 plus the value). */
const RFC: readonly (readonly [number, string, 0 | 1, number | readonly [number]])[] = [
  [0, 'Message Type', 1, 8],
  [1, 'Result Code', 1, [8]],
  [2, 'Protocol Version', 1, 8],
  [3, 'Framing Capabilities', 1, 10],
  [4, 'Bearer Capabilities', 1, 10],
  [5, 'Tie Breaker', 0, 14],
  [6, 'Firmware Revision', 0, 8],
  [7, 'Host Name', 1, [7]],
  [8, 'Vendor Name', 0, [6]],
  [9, 'Assigned Tunnel ID', 1, 8],
  [10, 'Receive Window Size', 1, 8],
  [11, 'Challenge', 1, [7]],
  [12, 'Q.931 Cause Code', 1, [9]],
  [13, 'Challenge Response', 1, 22],
  [14, 'Assigned Session ID', 1, 8],
  [15, 'Call Serial Number', 1, 10],
  [16, 'Minimum BPS', 1, 10],
  [17, 'Maximum BPS', 1, 10],
  [18, 'Bearer Type', 1, 10],
  [19, 'Framing Type', 1, 10],
  [21, 'Called Number', 1, [6]],
  [22, 'Calling Number', 1, [6]],
  [23, 'Sub-Address', 1, [6]],
  [24, '(Tx) Connect Speed', 1, 10],
  [25, 'Physical Channel ID', 0, 10],
  [26, 'Initial Received LCP CONFREQ', 0, [6]],
  [27, 'Last Sent LCP CONFREQ', 0, [6]],
  [28, 'Last Received LCP CONFREQ', 0, [6]],
  [29, 'Proxy Authen Type', 0, 8],
  [30, 'Proxy Authen Name', 0, [6]],
  [31, 'Proxy Authen Challenge', 0, [7]],
  [32, 'Proxy Authen ID', 0, 8],
  [33, 'Proxy Authen Response', 0, [6]],
  [34, 'Call Errors', 1, 32],
  [35, 'ACCM', 1, 16],
  [36, 'Random Vector', 1, [6]],
  [37, 'Private Group ID', 0, [6]],
  [38, 'Rx Connect Speed', 0, 10],
  [39, 'Sequencing Required', 1, 6],
]

for (const [type, name, mandatory, length] of RFC) {
  test(`knows attribute ${type}, ${name}`, () => {
    const rule = attributeRule(type)
    assert.ok(rule)
    assert.equal(rule.name, name)
    assert.equal(rule.mandatory, mandatory === 1)
    const [least, most] = typeof length === 'number' ? [length, length] : [length[0], 1023]
    assert.deepEqual([6 + rule.least, 6 + rule.most], [least, most])
  })
}

test('knows no other attribute', () => {
  const known = new Set(RFC.map(([type]) => type))
  for (let type = 0; type <= 0xffff; type++) assert.equal(attributeRule(type) !== undefined, known.has(type))
})

test('AVPs come back as they went', () => {
  const one = fc.record({
    mandatory: fc.boolean(),
    hidden: fc.boolean(),
    type: fc.nat(0xffff),
    value: fc.uint8Array({ maxLength: 1017 }),
  })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 6 }), (avps) => {
      const writer = new ByteWriter()
      for (const each of avps) encodeAvp(writer, each)
      const expected = avps.map((each) => ({ ...each, reserved: false, vendor: 0 }))
      assert.deepEqual(decodeAvps(writer.finish()), { ok: true, value: expected })
    }),
  )
})

test('a value that no AVP can hold is cut instead of breaking the message', () => {
  const body = new AvpWriter().bytes(7, new Uint8Array(2000)).u16(9, 5).finish()
  const decoded = decodeAvps(body)
  assert.ok(decoded.ok)
  assert.deepEqual(
    decoded.value.map(({ type, value }) => [type, value.length]),
    [
      [7, 1017],
      [9, 2],
    ],
  )
})

test('of repeated attributes the first one counts', () => {
  const set = new AvpSet()
  set.add(9, fromHex('0001'))
  set.add(9, fromHex('0002'))
  assert.equal(set.u16(9), 1)
  assert.equal(set.u16(14), undefined)
})

function avp(flags: string, vendor: number, type: number, value: string) {
  return {
    mandatory: flags.includes('M'),
    hidden: flags.includes('H'),
    reserved: flags.includes('R'),
    vendor,
    type,
    value,
  }
}
