import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  liesInAny,
  PRIVATE,
  SECLUDED,
} from '../../../src/core/ip/networks.ts'

/** Typed from the RFCs: the first and the last address of each network, then those before and behind it. */
const RANGES: readonly (readonly [kind: string, inside: readonly string[], outside: readonly string[]])[] = [
  ['RFC 1918', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0']],
  ['RFC 1918', ['172.16.0.0', '172.31.255.255'], ['172.15.255.255', '172.32.0.0']],
  ['RFC 1918', ['192.168.0.0', '192.168.255.255'], ['192.167.255.255', '192.169.0.0']],
  ['RFC 6598', ['100.64.0.0', '100.127.255.255'], ['100.63.255.255', '100.128.0.0']],
  ['RFC 4193', ['fc00::', 'fdff:ffff::1'], ['fbff:ffff::1', 'fe00::']],
]

test('hosts are secluded within the networks set aside for it, to the last address', () => {
  for (const [kind, inside, outside] of RANGES) {
    for (const address of inside) assert.ok(liesInAny(SECLUDED, address), `${kind}: ${address}`)
    for (const address of outside) assert.ok(!liesInAny(SECLUDED, address), `${kind}: ${address}`)
    for (const address of inside) assert.equal(liesInAny(PRIVATE, address), kind === 'RFC 1918', address)
  }
})

test('addresses of a link, of a host within itself, of groups and of nobody are known, to the last one', () => {
  const judged = (is: (address: string) => boolean, yes: readonly string[], no: readonly string[]) => {
    assert.deepEqual([...yes.map(is), ...no.map(is)], [...yes.map(() => true), ...no.map(() => false)])
  }
  judged(
    isLinkLocal,
    ['169.254.0.0', '169.254.255.255', 'fe80::', 'febf:ffff::1'],
    ['169.253.255.255', '169.255.0.0', 'fe7f:ffff::1', 'fec0::'],
  )
  judged(isLoopback, ['127.0.0.0', '127.255.255.255', '::1'], ['126.255.255.255', '128.0.0.0', '::2', '::'])
  judged(
    isMulticast,
    ['224.0.0.0', '239.255.255.255', 'ff00::', 'ffff::1'],
    ['223.255.255.255', '240.0.0.0', 'fe80::1'],
  )
  judged(isUnspecified, ['0.0.0.0', '::'], ['0.0.0.1', '::1', 'name'])
})
