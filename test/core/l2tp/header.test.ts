import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../src/core/bytes.ts'
import { decodePacket, encodeControl, encodeData } from '../../../src/core/l2tp/header.ts'

/** Layouts of RFC 2661 section 3.1, figure 3.1. */
const GOOD = [
  [
    'ZLB',
    'c802 000c 0008 0000 0003 0002',
    { kind: 'control', tunnel: 8, session: 0, ns: 3, nr: 2, body: '' },
  ],
  [
    'control message',
    'c802 0014 0008 00fe ffff 8000 8008000000000006',
    { kind: 'control', tunnel: 8, session: 254, ns: 65535, nr: 32768, body: '8008000000000006' },
  ],
  [
    'ZLB with a session id, as some LNSes send',
    'c802 000c deb3 8aeb 0001 0003',
    { kind: 'control', tunnel: 0xdeb3, session: 0x8aeb, ns: 1, nr: 3, body: '' },
  ],
  [
    'control with octets beyond its length',
    'c802 000c 0001 0000 0000 0001 ffffff',
    { kind: 'control', tunnel: 1, session: 0, ns: 0, nr: 1, body: '' },
  ],
  [
    'control with reserved bits and P',
    'f9f2 000c 0001 0000 0000 0001',
    { kind: 'control', tunnel: 1, session: 0, ns: 0, nr: 1, body: '' },
  ],
  ['data', '0002 0008 000e ff03c021', data(8, 14, undefined, false, 'ff03c021')],
  ['data with P (l2tpns LCP echo)', '0102 0008 000e c021', data(8, 14, undefined, true, 'c021')],
  ['data with L', '4002 000a 0008 000e c021', data(8, 14, undefined, false, 'c021')],
  [
    'data with L and octets beyond it',
    '4002 000a 0008 000e c021 0000',
    data(8, 14, undefined, false, 'c021'),
  ],
  ['data with S', '0802 0008 000e 0007 0000 c021', data(8, 14, 7, false, 'c021')],
  ['data with O 0', '0202 0008 000e 0000 c021', data(8, 14, undefined, false, 'c021')],
  ['data with O 6', '0202 0008 000e 0006 aabbccddeeff c021', data(8, 14, undefined, false, 'c021')],
  ['data with L, S, O, P', '4b02 0012 0001 0002 0003 0004 0002 ffff c021', data(1, 2, 3, true, 'c021')],
  ['data without a frame', '0002 0008 000e', data(8, 14, undefined, false, '')],
] as const

const BAD = [
  ['nothing', '', 'short'],
  ['five octets', 'c802000c00', 'short'],
  ['L2F', 'c801 000c 0008 0000 0003 0002', 'version'],
  ['L2TPv3', 'c803 000c 0008 0000 0003 0002', 'version'],
  ['version 0', '0000 0008 000e c021', 'version'],
  ['control without L', '8802 0008 0000 0003 0002 0000', 'flags'],
  ['control without S', 'c002 000c 0008 0000 0003 0002', 'flags'],
  ['control with O', 'ca02 000e 0008 0000 0003 0002 0000', 'flags'],
  ['control shorter than its header', 'c802 000b 0008 0000 0003 0002', 'length'],
  ['control longer than the datagram', 'c802 000d 0008 0000 0003 0002', 'length'],
  ['control cut off', 'c802 000c 0008', 'length'],
  ['data longer than the datagram', '4002 000b 0008 000e c021', 'length'],
  ['data with L below its header', '4002 0007 0008 000e c021', 'short'],
  ['data with S cut off', '0802 0008 000e 0007', 'short'],
  ['data with O cut off', '0202 0008 000e 00', 'short'],
  ['data with O beyond the end', '0202 0008 000e 0003 c021', 'offset'],
] as const

for (const [name, hex, expected] of GOOD) {
  test(`decodes ${name}`, () => {
    const decoded = decodePacket(fromHex(hex))
    assert.ok(decoded.ok)
    const packet = decoded.value
    const shown =
      packet.kind === 'control'
        ? { ...packet, body: toHex(packet.body) }
        : { ...packet, frame: toHex(packet.frame) }
    assert.deepEqual(shown, expected)
  })
}

for (const [name, hex, code] of BAD) {
  test(`refuses ${name}`, () => {
    const decoded = decodePacket(fromHex(hex))
    assert.ok(!decoded.ok)
    assert.equal(decoded.error.code, code)
  })
}

const id = fc.nat(0xffff)

test('control headers come back as they went', () => {
  fc.assert(
    fc.property(id, id, id, id, fc.uint8Array({ maxLength: 200 }), (tunnel, session, ns, nr, body) => {
      const bytes = encodeControl({ tunnel, session, ns, nr }, body)
      assert.deepEqual(decodePacket(bytes), {
        ok: true,
        value: { kind: 'control', tunnel, session, ns, nr, body },
      })
    }),
  )
})

test('data headers come back as they went', () => {
  const number = fc.option(id, { nil: undefined })
  fc.assert(
    fc.property(id, id, number, fc.uint8Array({ maxLength: 200 }), (tunnel, session, ns, frame) => {
      const bytes = encodeData({ tunnel, session, ns }, frame)
      assert.deepEqual(decodePacket(bytes), {
        ok: true,
        value: { kind: 'data', tunnel, session, ns, priority: false, frame },
      })
    }),
  )
})

test('a data message without numbers has a header of six octets', () => {
  assert.equal(
    toHex(encodeData({ tunnel: 8, session: 14 }, fromHex('ff03c021 01'))),
    '00020008000eff03c02101',
  )
})

function data(tunnel: number, session: number, ns: number | undefined, priority: boolean, frame: string) {
  return { kind: 'data', tunnel, session, ns, priority, frame } as const
}
