import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assigned, hasAddress } from '../../../src/core/system/assigned.ts'
import { SESSION, tunnelOf } from './samples.ts'

const NONE = tunnelOf('aaisp')
const ALL = tunnelOf('aaisp', {
  ipaddrs: [
    { address: '198.51.100.66', length: 28 },
    { address: '203.0.113.7', length: 32 },
  ],
  ip6addrs: [{ address: '2001:db8:1::1', length: 64 }],
  ip6prefixes: [{ address: '2001:db8:2::', length: 56 }],
})
const GIVEN = {
  ipv4: { address: '203.0.113.10', peer: '203.0.113.1' },
  ipv6: {
    interfaceId: new Uint8Array(8),
    addresses: [{ address: '2001:db8:3::1', length: 64, deprecated: true }],
  },
}

test('a tunnel brings what its session was given and what the provider told of, each as the device bears it', () => {
  const { addresses, prefixes } = assigned(ALL, GIVEN, true)
  assert.deepEqual(
    addresses.map(({ by, family, address, length }) => `${by} ${family} ${address}/${length}`),
    [
      'ipcp 4 203.0.113.10/32',
      'provider 4 198.51.100.66/32',
      'provider 4 203.0.113.7/32',
      'router 6 2001:db8:3::1/64',
      'provider 6 2001:db8:1::1/64',
    ],
  )
  assert.deepEqual(
    addresses.map(({ peer, deprecated }) => peer ?? deprecated),
    ['203.0.113.1', false, false, true, false],
  )
  assert.deepEqual(prefixes, [
    { address: '198.51.100.64', length: 28 },
    { address: '2001:db8:2::', length: 56 },
  ])
})

test('without IPv6 it brings nothing of it, and before the first session what the provider told of', () => {
  const without = assigned(ALL, GIVEN, false)
  assert.deepEqual(
    [...without.addresses, ...without.prefixes].filter(({ address }) => address.includes(':')),
    [],
  )
  const before = assigned(ALL, undefined, true)
  assert.deepEqual(
    before.addresses.map(({ by }) => by),
    ['provider', 'provider', 'provider'],
  )
  assert.deepEqual(before.prefixes, assigned(ALL, GIVEN, true).prefixes)
  assert.deepEqual(assigned(NONE, undefined, true), { addresses: [], prefixes: [] })
})

test('this machine can be answered by IPv4 where IPCP gave an address, by IPv6 where there is one, or one behind it', () => {
  const ipv6 = { ...SESSION.ipv6, interfaceId: new Uint8Array(8), addresses: [] }
  const none = { ipv4: undefined, ipv6 }
  const table = [
    [NONE, GIVEN, [true, true]],
    [NONE, none, [false, false]],
    [ALL, none, [false, true]],
    [{ ...ALL, ip6addrs: [] }, none, [false, true]],
    [{ ...ALL, ip6prefixes: [] }, none, [false, true]],
    [{ ...ALL, ip6addrs: [], ip6prefixes: [] }, none, [false, false]],
  ] as const
  for (const [tunnel, session, answered] of table) {
    const given = assigned(tunnel, session, true)
    assert.deepEqual([hasAddress(given, 4), hasAddress(given, 6)], answered)
    assert.equal(hasAddress(assigned(tunnel, session, false), 6), false)
  }
})
