import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../src/core/bytes.ts'
import { decodeOptions, encodeOptions } from '../../../src/core/ppp/options.ts'
import { decodePacket, encodePacket } from '../../../src/core/ppp/packet.ts'
import { decodeFrame, encodeFrame } from '../../../src/core/ppp/protocol.ts'
import type { DecodeError, Result } from '../../../src/core/result.ts'

function value<T>(result: Result<T, DecodeError>): T {
  assert.ok(result.ok, JSON.stringify(result))
  return result.value
}

function code(result: Result<unknown, DecodeError>): string {
  assert.ok(!result.ok, 'decoded what is malformed')
  return result.error.code
}

test('a frame is taken in all four forms that the two compressions allow', () => {
  for (const [hex, protocol] of [
    ['ff03c0210102', 0xc021],
    ['c0210102', 0xc021],
    ['ff0300210102', 0x0021],
    ['00210102', 0x0021],
    ['ff03210102', 0x0021],
    ['210102', 0x0021],
    ['570102', 0x0057],
  ] as const) {
    const frame = value(decodeFrame(fromHex(hex)))
    assert.equal(frame.protocol, protocol, hex)
    assert.equal(toHex(frame.information), '0102', hex)
  }
})

test('frames without a whole protocol number are refused', () => {
  assert.equal(code(decodeFrame(fromHex(''))), 'short')
  assert.equal(code(decodeFrame(fromHex('ff03'))), 'short')
  assert.equal(code(decodeFrame(fromHex('ff03c0'))), 'short')
  assert.equal(code(decodeFrame(fromHex('c020'))), 'protocol')
})

test('a frame is sent with FF 03 and two octets of protocol', () => {
  assert.equal(toHex(encodeFrame(0x0021, fromHex('4500'))), 'ff0300214500')
})

test('a packet is cut to its length field; the rest is padding', () => {
  const packet = value(decodePacket(fromHex('09 42 0008 6b0000ab ffff')))
  assert.deepEqual({ ...packet, data: toHex(packet.data) }, { code: 9, identifier: 0x42, data: '6b0000ab' })
})

test('packets whose length cannot be are refused', () => {
  assert.equal(code(decodePacket(fromHex('0101'))), 'short')
  assert.equal(code(decodePacket(fromHex('01010003'))), 'length')
  assert.equal(code(decodePacket(fromHex('01010005'))), 'length')
})

test("the options of l2tpns' first Configure-Request", () => {
  const options = value(decodeOptions(fromHex('010405b6 0305c22305 05066b0000ab 1104064e 130702cb007101')))
  assert.deepEqual(
    options.map(({ type, data }) => [type, toHex(data)]),
    [
      [1, '05b6'],
      [3, 'c22305'],
      [5, '6b0000ab'],
      [17, '064e'],
      [19, '02cb007101'],
    ],
  )
})

test('options whose length cannot be are refused', () => {
  assert.equal(code(decodeOptions(fromHex('01'))), 'short')
  assert.equal(code(decodeOptions(fromHex('0100'))), 'length')
  assert.equal(code(decodeOptions(fromHex('0101'))), 'length')
  assert.equal(code(decodeOptions(fromHex('010405'))), 'length')
})

test('what is encoded is decoded the same', () => {
  const option = fc.record(
    { type: fc.nat(255), data: fc.uint8Array({ maxLength: 253 }) },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(option, { maxLength: 20 }), (options) => {
      assert.deepEqual(value(decodeOptions(encodeOptions(options))), options)
    }),
  )
  const packet = fc.record(
    { code: fc.nat(255), identifier: fc.nat(255), data: fc.uint8Array() },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(packet, (sent) => {
      assert.deepEqual(value(decodePacket(encodePacket(sent))), sent)
    }),
  )
})
