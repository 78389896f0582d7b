import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, fromHex, toHex } from '../../../src/core/bytes.ts'
import { parseIp } from '../../../src/core/ip/address.ts'
import { internetChecksum } from '../../../src/core/ip/checksum.ts'
import {
  decodeRouterAdvertisement,
  encodeRouterAdvertisement,
  encodeRouterSolicitation,
  isRouterSolicitation,
  type RouterAdvertisement,
} from '../../../src/core/ip/ra.ts'

/** l2tpns-ipv6.pcap, frame 29: the advertisement that l2tpns sends when IPV6CP opens, from fe80::1 to ff02::1. */
const CAPTURED_HEX =
  '86008a3d40c0ffff0000000000000000030440c000278d0000093a800000000020010db800010010000000000000000019050000000004b0' +
  '20010db8feed0000000000000000005320010db8feed00000000000000000054'
const CAPTURED: RouterAdvertisement = {
  curHopLimit: 64,
  managed: true,
  other: true,
  routerLifetime: 65535,
  mtu: undefined,
  prefixes: [
    {
      prefix: { address: '2001:db8:1:10::', length: 64 },
      onLink: true,
      autonomous: true,
      validLifetime: 2_592_000,
      preferredLifetime: 604_800,
    },
  ],
  rdnss: [{ lifetime: 1200, addresses: ['2001:db8:feed::53', '2001:db8:feed::54'] }],
}

function decode(hex: string, { from = 'fe80::1', hopLimit = 255 } = {}) {
  return decodeRouterAdvertisement(from, hopLimit, fromHex(hex))
}

describe('Router Advertisement', () => {
  it('is read as captured from l2tpns', () => {
    assert.deepEqual(decode(CAPTURED_HEX), { ok: true, value: CAPTURED })
  })

  it('is written as captured from l2tpns, but for the checksum', () => {
    assert.equal(toHex(encodeRouterAdvertisement(CAPTURED)), CAPTURED_HEX.replace('8a3d', '0000'))
  })

  it('carries the checksum over the pseudo-header (RFC 4443 section 2.3)', () => {
    const octets = (text: string) => parseIp(text) ?? new Uint8Array()
    const pseudoHeader = concat(octets('fe80::1'), octets('ff02::1'), fromHex('00000058 0000003a'))
    assert.equal(internetChecksum(concat(pseudoHeader, fromHex(CAPTURED_HEX))), 0)
  })

  it('has its MTU option read, and unknown options skipped', () => {
    const header = '8600000000000708 00000000 00000000'
    const sourceLinkLayer = '0101 020000000001'
    const mtu = '0501 0000 000005b4'
    const captivePortal = '2502 68747470 733a2f2f 6578616d 706c'
    const decoded = decode(header + sourceLinkLayer + captivePortal + mtu)
    assert.deepEqual(decoded, {
      ok: true,
      value: {
        curHopLimit: 0,
        managed: false,
        other: false,
        routerLifetime: 1800,
        mtu: 1460,
        prefixes: [],
        rdnss: [],
      },
    })
  })

  it('keeps the other options where one has a wrong length for its type', () => {
    const header = '8600000000000708 00000000 00000000'
    const shortPrefix = '0301 40c00000 0000'
    const longPrefixLength = `0304 81c0${'00'.repeat(28)}`
    const evenRdnss = `1904 0000 00000e10${'20'.repeat(24)}`
    const emptyRdnss = '1901 0000 00000e10'
    const longMtu = `0502 0000 000005dc${'00'.repeat(8)}`
    const decoded = decode(header + shortPrefix + longPrefixLength + evenRdnss + emptyRdnss + longMtu)
    assert.deepEqual(decoded.ok && [decoded.value.prefixes, decoded.value.rdnss, decoded.value.mtu], [
      [],
      [],
      undefined,
    ])
  })

  // RFC 4861 section 6.1.2
  const refused: [why: string, hex: string, from: string, hopLimit: number, code: string][] = [
    ['the source is not link-local', CAPTURED_HEX, '2001:db8::1', 255, 'source'],
    ['the source is unspecified', CAPTURED_HEX, '::', 255, 'source'],
    ['it was forwarded', CAPTURED_HEX, 'fe80::1', 254, 'hopLimit'],
    ['its code is not zero', CAPTURED_HEX.replace(/^8600/, '8601'), 'fe80::1', 255, 'code'],
    ['it is shorter than 16 octets', CAPTURED_HEX.slice(0, 30), 'fe80::1', 255, 'short'],
    ['an option has length zero', `${CAPTURED_HEX}0100`, 'fe80::1', 255, 'optionLength'],
    ['an option is cut off', `${CAPTURED_HEX}0501000000`, 'fe80::1', 255, 'optionLength'],
    ['a lone octet follows', `${CAPTURED_HEX}05`, 'fe80::1', 255, 'optionLength'],
    ['it is a solicitation', '8500000000000000', 'fe80::1', 255, 'type'],
    ['it is empty', '', 'fe80::1', 255, 'type'],
  ]
  for (const [why, hex, from, hopLimit, code] of refused) {
    it(`is refused where ${why}`, () => {
      const decoded = decode(hex, { from, hopLimit })
      assert.equal(!decoded.ok && decoded.error.code, code)
    })
  }
})

describe('Router Solicitation', () => {
  it('is what l2tpns answered in l2tpns-ipv6.pcap, frame 31, but for the checksum', () => {
    assert.equal(
      toHex(encodeRouterSolicitation()),
      '8500 7d27 00000000'.replaceAll(' ', '').replace('7d27', '0000'),
    )
  })

  it('is told from what is none (RFC 4861 section 6.1.1)', () => {
    assert.equal(isRouterSolicitation(encodeRouterSolicitation(), 255), true)
    assert.equal(isRouterSolicitation(fromHex('85000000000000000101020000000001'), 255), true)
    assert.equal(isRouterSolicitation(encodeRouterSolicitation(), 64), false)
    assert.equal(isRouterSolicitation(fromHex('8501000000000000'), 255), false)
    assert.equal(isRouterSolicitation(fromHex('850000000000'), 255), false)
    assert.equal(isRouterSolicitation(fromHex('85000000000000000100'), 255), false)
    assert.equal(isRouterSolicitation(fromHex(CAPTURED_HEX), 255), false)
  })
})
