import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../src/core/bytes.ts'
import {
  canonicalIp,
  formatIp,
  formatPrefix,
  ipFamily,
  parseIp,
  parsePrefix,
  prefixContains,
} from '../../../src/core/ip/address.ts'

describe('parseIp', () => {
  const vectors: [text: string, hex: string][] = [
    ['0.0.0.0', '00000000'],
    ['192.0.2.33', 'c0000221'],
    ['255.255.255.255', 'ffffffff'],
    // RFC 4291 section 2.2
    ['ABCD:EF01:2345:6789:ABCD:EF01:2345:6789', 'abcdef0123456789abcdef0123456789'],
    ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['2001:DB8::8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['FF01::101', 'ff010000000000000000000000000101'],
    ['::1', '00000000000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['0:0:0:0:0:0:13.1.68.3', '0000000000000000000000000d014403'],
    ['::13.1.68.3', '0000000000000000000000000d014403'],
    ['::FFFF:129.144.52.38', '00000000000000000000ffff81903426'],
    ['2001:DB8:0:CD30::', '20010db80000cd300000000000000000'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201'],
  ]
  for (const [text, hex] of vectors) {
    it(`reads ${text}`, () => assert.equal(toHex(parseIp(text) ?? new Uint8Array()), hex))
  }

  // Separated by semicolons.
  const wrong =
    ';1;1.2.3;1.2.3.4.5;1.2.3.256;01.2.3.4;1.2.3.;1.2.3.-4;0x1.2.3.4; 1.2.3.4;1.2.3.4 ;1.2.3.4/32;l2tp.aa.net.uk;' +
    ':;:::;1::2::3;1:2:3:4:5:6:7;1:2:3:4:5:6:7:8:9;1:2:3:4::5:6:7:8;1:2:3:4:5:6:7:8::;12345::;g::;-1::;::-1;' +
    ':1:2:3:4:5:6:7;1:2:3:4:5:6:7:;::1%eth0;[::1];::1/128;::1.2.3;1.2.3.4::;::1.2.3.4:5;1:2:3:4:5:6:7:1.2.3.4'
  for (const text of wrong.split(';'))
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseIp(text), undefined))
})

describe('formatIp writes RFC 5952', () => {
  const vectors: [given: string, expected: string][] = [
    // RFC 5952 section 2 and 4
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:aaaa:bbbb:cccc:dddd:eeee:ffff:0AAA', '2001:aaaa:bbbb:cccc:dddd:eeee:ffff:aaa'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fe80:0:0:0:0:0:0:0', 'fe80::'],
    ['0:0:1:2:3:4:5:6', '::1:2:3:4:5:6'],
    ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
    // RFC 5952 section 5
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::192.0.2.1', '::c000:201'],
    ['192.0.2.1', '192.0.2.1'],
  ]
  for (const [given, expected] of vectors)
    it(`${given} is ${expected}`, () => assert.equal(canonicalIp(given), expected))

  it('survives the round trip, whatever the octets', () => {
    const sparse = fc.array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 })
    const octets = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      sparse.map((values) => Uint8Array.from(values)),
    )
    fc.assert(
      fc.property(octets, (bytes) => {
        const text = formatIp(bytes)
        assert.equal(toHex(parseIp(text) ?? new Uint8Array()), toHex(bytes))
        assert.equal(canonicalIp(text.toUpperCase()), text)
      }),
    )
  })

  it('throws on a count of octets that is no address', () => {
    assert.throws(() => formatIp(fromHex('00 01 02')))
  })
})

describe('ipFamily', () => {
  it('tells the families and names apart', () => {
    assert.equal(ipFamily('192.0.2.1'), 4)
    assert.equal(ipFamily('::ffff:192.0.2.1'), 6)
    assert.equal(ipFamily('l2tp.aa.net.uk'), undefined)
  })
})

describe('prefixes', () => {
  it('are read and written', () => {
    const vectors: [text: string, written: string | undefined][] = [
      ['192.0.2.0/24', '192.0.2.0/24'],
      ['192.0.2.1', '192.0.2.1/32'],
      ['2001:DB8::/32', '2001:db8::/32'],
      ['2001:db8::1', '2001:db8::1/128'],
      ['::/0', '::/0'],
      ['0.0.0.0/0', '0.0.0.0/0'],
      ['192.0.2.0/33', undefined],
      ['::/129', undefined],
      ['::/', undefined],
      ['::/064', undefined],
      ['192.0.2.0/24/1', undefined],
      ['192.0.2.0/255.255.255.0', undefined],
      ['/24', undefined],
    ]
    for (const [text, written] of vectors) {
      const prefix = parsePrefix(text)
      assert.equal(prefix && formatPrefix(prefix), written, text)
    }
  })

  it('contain what shares their first bits', () => {
    const vectors: [prefix: string, address: string, contained: boolean][] = [
      ['192.0.2.0/24', '192.0.2.255', true],
      ['192.0.2.0/24', '192.0.3.0', false],
      ['192.0.2.129/25', '192.0.2.128', true],
      ['192.0.2.129/25', '192.0.2.127', false],
      ['10.0.0.0/7', '11.255.255.255', true],
      ['10.0.0.0/7', '12.0.0.0', false],
      ['0.0.0.0/0', '203.0.113.9', true],
      ['::/0', '203.0.113.9', false],
      ['2001:db8::/33', '2001:db8:7fff::1', true],
      ['2001:db8::/33', '2001:db8:8000::1', false],
      ['2001:db8::1/128', '2001:db8::1', true],
      ['2001:db8::1/128', '2001:db8::2', false],
      ['2001:db8::/32', 'not an address', false],
    ]
    for (const [text, address, contained] of vectors) {
      const prefix = parsePrefix(text)
      assert.ok(prefix)
      assert.equal(prefixContains(prefix, address), contained, `${address} in ${text}`)
    }
  })
})
