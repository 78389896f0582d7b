import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unfitAnywhere, unfitByItself } from '../../../src/core/ip/unfit.ts'

/** Typed from the IANA registries of special-purpose addresses. */
const NOBODYS = {
  'is the unspecified address': ['0.0.0.0', '::'],
  'is an address of no host (0.0.0.0/8)': ['0.0.0.1', '0.255.255.255'],
  'is a loopback address': ['127.0.0.1', '127.255.255.254', '::1'],
  'is a multicast address': ['224.0.0.1', '239.255.255.250', 'ff02::1', 'ff0e::1'],
  'is a reserved address (240.0.0.0/4)': ['240.0.0.1', '255.255.255.254'],
  'is the broadcast address': ['255.255.255.255'],
  'is a reserved address (::/16)': ['::2', '::ffff:192.0.2.1', '::192.0.2.1'],
}
const OF_THE_LINK = ['169.254.0.1', 'fe80::1', 'febf::1']
const NAT64 = ['64:ff9b::c000:201', '64:ff9b:1::1']
const ANYBODYS = ['1.0.0.1', '126.255.255.255', '10.0.0.1', '100.64.0.1', '192.168.1.1', '223.255.255.254']
const ANYBODYS6 = ['2001:db8::1', 'fd00::1', '2002:c000:201::1', '1::1']

test('what nobody can have is refused for every use, with the reason', () => {
  for (const [why, addresses] of Object.entries(NOBODYS))
    for (const address of addresses) {
      assert.equal(unfitByItself(address), why, address)
      assert.equal(unfitAnywhere(address), why, address)
    }
})

test('link-local addresses and hosts behind a NAT64 are nothing to be reached at from the internet, but can be sent to', () => {
  for (const address of OF_THE_LINK) assert.equal(unfitByItself(address), 'is a link-local address')
  for (const address of NAT64) assert.match(unfitByItself(address) ?? '', /IPv4/)
  for (const address of [...OF_THE_LINK, ...NAT64]) assert.equal(unfitAnywhere(address), undefined)
})

test('what somebody may have is fit', () => {
  for (const address of [...ANYBODYS, ...ANYBODYS6]) assert.equal(unfitByItself(address), undefined, address)
})
