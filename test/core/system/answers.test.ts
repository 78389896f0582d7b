import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config, TunnelConfig } from '../../../src/core/config/types.ts'
import { scriptOf } from '../../../src/core/firewall/filters.ts'
import { describeChange } from '../../../src/core/system/change.ts'
import { desiredState } from '../../../src/core/system/desired.ts'
import type { Facts } from '../../../src/core/system/facts.ts'
import { nextState } from '../../../src/core/system/session.ts'
import { failoverConfig } from './failover-samples.ts'
import { addressOn, configOf, FIREWALL, SESSION, SYSTEM, tunnelOf } from './samples.ts'

const UDP = { protocols: ['udp'], ports: [{ first: 655, last: 655 }], sources: [] } as const

function desiredIn(options: Partial<TunnelConfig>, changes: Partial<Config> = {}, facts: Facts = SYSTEM) {
  const firewalls = [{ ...FIREWALL, allow: [UDP] }]
  const config = { ...configOf([tunnelOf('aaisp', options)]), firewalls, ...changes }
  return desiredState(config, facts, new Map([['aaisp', nextState(undefined, SESSION)]]))
}

const lastRules = (desired: ReturnType<typeof desiredIn>) =>
  desired.rules
    .filter(({ priority }) => priority > 32_767)
    .map((rule) => describeChange({ kind: 'addRule', rule }))

const remembered = ({ filters }: ReturnType<typeof desiredIn>) => [
  ...new Set(Array.from((scriptOf(filters) ?? '').matchAll(/set (asked_\w+) \{/g), ([, name]) => name)),
]

describe('UDP daemons that are bound to no address', () => {
  it('behind a tunnel with defaultroute 0: each address of the session is remembered, and has a way of last resort', () => {
    const desired = desiredIn({ defaultroute: false })
    assert.deepEqual(remembered(desired), ['asked_203_0_113_10', 'asked_2001_db8_1_10_20a__aa'])
    assert.deepEqual(lastRules(desired), [
      'add rule 32768 (IPv4): ipproto udp sport 655-655 lookup 17011',
      'add rule 32768 (IPv6): ipproto udp sport 655-655 lookup 17011',
    ])
  })

  it('where the tunnel is the way to the internet anyway, or `failover` says what is, there is no such way', () => {
    const everyone = desiredIn({ defaultroute: true })
    assert.deepEqual(remembered(everyone), ['asked_203_0_113_10', 'asked_2001_db8_1_10_20a__aa'])
    assert.deepEqual(lastRules(everyone), [])
    assert.deepEqual(
      lastRules(desiredIn({ defaultroute: false }, { failover: failoverConfig().failover })),
      [],
    )
  })

  it('which no UDP can reach need nothing, and those that no filter guards need it on any port of a service', () => {
    const tcp = [{ ...FIREWALL, allow: [{ ...UDP, protocols: ['tcp' as const] }] }]
    for (const firewalls of [[], tcp]) {
      const closed = desiredIn({ defaultroute: false }, { firewalls })
      assert.deepEqual(remembered(closed), [])
      assert.deepEqual(lastRules(closed), [])
    }
    const open = desiredIn({ defaultroute: false, firewall: 'none' }, { firewalls: [] })
    assert.equal(remembered(open).length, 2)
    assert.match(lastRules(open).join(), /sport 1-32767 /)
  })

  it('also at addresses of a routed block that are on another device, and where a redirect leads to this machine', () => {
    const facts = {
      ...SYSTEM,
      addresses: [...SYSTEM.addresses, addressOn(2, '2001:db8:2:1::1/64'), addressOn(2, '192.168.1.1/24')],
    }
    const redirect = {
      name: 'here',
      protocols: ['udp'],
      srcDport: { first: 6655, last: 6655 },
      srcIps: [],
      destIp: '192.168.1.1',
      destPort: { first: 655, last: 655 },
      enabled: true,
    } as const
    const options = { ip6prefixes: [{ address: '2001:db8:2::', length: 48 }] }
    assert.deepEqual(remembered(desiredIn(options, { redirects: [redirect] }, facts)).slice(2), [
      'asked_192_168_1_1',
      'asked_2001_db8_2_1__1',
    ])
    // To a host of the LAN its own answers come back.
    const beyond = { ...redirect, destIp: '192.168.1.5' }
    assert.deepEqual(remembered(desiredIn({}, { redirects: [beyond] }, facts)).length, 2)
  })
})
