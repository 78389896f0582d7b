import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { TunnelConfig } from '../../../src/core/config/types.ts'
import { describeChange } from '../../../src/core/system/change.ts'
import { desiredState } from '../../../src/core/system/desired.ts'
import { type DesiredState, NOTHING_DESIRED } from '../../../src/core/system/desired-state.ts'
import type { Facts } from '../../../src/core/system/facts.ts'
import { nextState, type TunnelSession, type TunnelState } from '../../../src/core/system/session.ts'
import { reversed } from '../reversed.ts'
import { ModelKernel } from './model-kernel.ts'
import { addressOn, configOf, linkOf, SESSION, SYSTEM, tunnelOf } from './samples.ts'

function desiredWith(
  session: TunnelSession | undefined,
  tunnels: readonly TunnelConfig[] = [tunnelOf('aaisp')],
  facts: Facts = SYSTEM,
): DesiredState {
  const state = nextState(nextState(undefined, SESSION), session)
  return desiredState(configOf(tunnels), facts, new Map([['aaisp', state]]))
}

const words = (kernel: ModelKernel, desired: DesiredState) => kernel.missing(desired).map(describeChange)

describe('difference', () => {
  it('is empty once applied', () => {
    const kernel = new ModelKernel(SYSTEM)
    const desired = desiredWith(SESSION)
    assert.ok(kernel.apply(desired).length > 20)
    assert.deepEqual(words(kernel, desired), [])
  })

  it('is empty also where what is and what should be were written down in different orders', () => {
    const kernel = new ModelKernel(SYSTEM)
    const desired = desiredWith(SESSION)
    kernel.apply(desired)
    kernel.facts = reversed(kernel.facts)
    assert.deepEqual(words(kernel, desired), [])
    assert.deepEqual(words(kernel, reversed(desired)), [])
  })

  it('touches nothing but the carrier when a session ends and comes back', () => {
    const kernel = new ModelKernel(SYSTEM)
    kernel.apply(desiredWith(SESSION))
    assert.deepEqual(kernel.apply(desiredWith(undefined)).map(describeChange), [
      'turn carrier of l2tp-aaisp off',
      'remove route 198.51.100.1/32 via 192.0.2.1 dev eth0 table 17010 metric 1',
    ])
  })

  it('of a changed address: the old one goes before the new one comes, routes are replaced in place', () => {
    const kernel = new ModelKernel(SYSTEM)
    kernel.apply(desiredWith(SESSION))
    const moved = { ...SESSION, ipv4: { address: '203.0.113.99', peer: '203.0.113.1' } }
    assert.deepEqual(kernel.apply(desiredWith(moved)).map(describeChange), [
      'remove address 203.0.113.10 peer 203.0.113.1/32 from l2tp-aaisp',
      'add address 203.0.113.99 peer 203.0.113.1/32 to l2tp-aaisp',
      'add route default (IPv4) dev l2tp-aaisp src 203.0.113.99 table 17011 metric 1',
      'add route default (IPv4) dev l2tp-aaisp src 203.0.113.99 table 17010 metric 1',
      'add route 203.0.113.1/32 dev l2tp-aaisp src 203.0.113.99 table 17010 metric 1',
      'add rule 31030 (IPv4): from 203.0.113.99/32 lookup 17011',
      'remove rule 31030 (IPv4): from 203.0.113.10/32 lookup 17011',
    ])
  })

  it('of a deprecated address sets it in place', () => {
    const kernel = new ModelKernel(SYSTEM)
    kernel.apply(desiredWith(SESSION))
    const [address] = SESSION.ipv6?.addresses ?? []
    assert.ok(SESSION.ipv6 && address)
    const old = { ...SESSION, ipv6: { ...SESSION.ipv6, addresses: [{ ...address, deprecated: true }] } }
    assert.deepEqual(kernel.apply(desiredWith(old)).map(describeChange), [
      'add address 2001:db8:1:10:20a::aa/128 (deprecated) to l2tp-aaisp',
    ])
    assert.deepEqual(words(kernel, desiredWith(old)), [])
  })

  it('of a new MTU changes the link and the filter that clamps by it', () => {
    const kernel = new ModelKernel(SYSTEM)
    kernel.apply(desiredWith(SESSION))
    assert.deepEqual(words(kernel, desiredWith({ ...SESSION, mtu: 1440 })), [
      'load nft table inet lifeline',
      'set l2tp-aaisp mtu 1440',
    ])
  })

  it('puts back what somebody removed', () => {
    const kernel = new ModelKernel(SYSTEM)
    const desired = desiredWith(SESSION)
    kernel.apply(desired)
    kernel.nft = undefined
    kernel.facts = { ...kernel.facts, rules: [], addresses: SYSTEM.addresses }
    const lines = words(kernel, desired)
    assert.equal(lines[0], 'load nft table inet lifeline')
    assert.equal(lines.filter((line) => line.startsWith('add rule')).length, 14)
    assert.equal(lines.filter((line) => line.startsWith('add address')).length, 3)
    assert.equal(lines.length, 18)
  })

  it('removes rules and routes of an earlier configuration, new ones first', () => {
    const kernel = new ModelKernel(SYSTEM)
    kernel.apply(desiredWith(SESSION))
    const lines = words(kernel, desiredWith(SESSION, [tunnelOf('aaisp', { ip4table: 77 })]))
    const place = (start: string) => lines.findIndex((line) => line.startsWith(start))
    assert.ok(place('add route default (IPv4) dev l2tp-aaisp src 203.0.113.10 table 77') >= 0)
    assert.ok(place('add rule 31030 (IPv4): from 203.0.113.10/32 lookup 77') > place('add route'))
    assert.ok(place('remove rule 31030 (IPv4): from 203.0.113.10/32 lookup 17011') > place('add rule'))
    assert.ok(place('remove route default (IPv4)') > place('remove rule'))
    assert.ok(lines.includes('remove rule 31040 (IPv4): lookup 17010'))
  })

  it('leaves devices, rules and routes of others alone', () => {
    const foreign: Facts = {
      ...SYSTEM,
      links: [...SYSTEM.links, linkOf(8, 'tun0', { kind: 'tun', alias: 'openvpn' })],
      addresses: [...SYSTEM.addresses, addressOn(8, '10.8.0.2/24')],
    }
    const kernel = new ModelKernel(foreign)
    kernel.apply(desiredWith(SESSION, undefined, foreign))
    kernel.apply(NOTHING_DESIRED)
    assert.deepEqual(kernel.facts, foreign)
    assert.equal(kernel.nft, undefined)
  })

  it("leaves the addresses of a device alone that are somebody else's to write, and does all the rest", () => {
    const device = addressOn(102, '203.0.113.10/24')
    const managed = { ...SYSTEM, managed: ['l2tp-aaisp'] }
    const kernel = new ModelKernel(managed)
    const lines = kernel.apply(desiredWith(SESSION, undefined, managed)).map(describeChange)
    const own = new ModelKernel(SYSTEM).apply(desiredWith(SESSION)).map(describeChange)
    assert.deepEqual(
      lines,
      own.filter((line) => !line.startsWith('add address')),
    )
    assert.ok(lines.includes('add rule 31030 (IPv4): from 203.0.113.10/32 lookup 17011'))
    const index = kernel.facts.links.find(({ name }) => name === 'l2tp-aaisp')?.index ?? 0
    kernel.facts = { ...kernel.facts, addresses: [...kernel.facts.addresses, { ...device, link: index }] }
    assert.deepEqual(words(kernel, desiredWith(SESSION, undefined, kernel.facts)), [], 'theirs stay')
    kernel.facts = { ...kernel.facts, managed: [] }
    assert.deepEqual(words(kernel, desiredWith(SESSION, undefined, kernel.facts)).slice(0, 2), [
      'remove address 203.0.113.10/24 from l2tp-aaisp',
      'add address 203.0.113.10 peer 203.0.113.1/32 to l2tp-aaisp',
    ])
  })

  it('removes the device of a tunnel that is no more before its filter goes', () => {
    const kernel = new ModelKernel(SYSTEM)
    kernel.apply(desiredWith(SESSION, [tunnelOf('aaisp'), tunnelOf('second')]))
    const lines = words(kernel, desiredWith(SESSION, [tunnelOf('aaisp')]))
    assert.deepEqual(lines.slice(0, 2), ['remove device l2tp-second', 'load nft table inet lifeline'])
  })

  it('takes what is loaded for unknown at first, and loads or removes', () => {
    const kernel = new ModelKernel(SYSTEM)
    kernel.nft = ''
    assert.deepEqual(words(kernel, NOTHING_DESIRED), ['remove nft table inet lifeline'])
  })

  it('loads a table that is another one than is there, and removes it where there is to be none', () => {
    const kernel = new ModelKernel(SYSTEM)
    const holding = (script: string): DesiredState => ({
      ...NOTHING_DESIRED,
      filters: { kind: 'table', script },
    })
    const written = (desired: DesiredState) => kernel.apply(desired).map(describeChange)
    const load = ['load nft table inet lifeline']
    assert.deepEqual(written(NOTHING_DESIRED), [])
    assert.deepEqual(written(holding('one')), load)
    assert.deepEqual(written(holding('one')), [])
    assert.deepEqual(written(holding('another')), load)
    assert.deepEqual(written(NOTHING_DESIRED), ['remove nft table inet lifeline'])
    assert.equal(kernel.nft, undefined)
  })
})

describe('any sequence of desired states', () => {
  const address = fc.constantFrom('203.0.113.10', '203.0.113.20', '198.18.0.1')
  const session: fc.Arbitrary<TunnelSession> = fc.record({
    mtu: fc.constantFrom(1200, 1280, 1462),
    ipv4: fc.option(
      fc.record({
        address,
        peer: fc.option(fc.constantFrom('203.0.113.1', '0.0.0.0', '203.0.113.10'), { nil: undefined }),
      }),
      { nil: undefined },
    ),
    ipv6: fc.option(
      fc.record({
        interfaceId: fc.constantFrom(new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)),
        addresses: fc.uniqueArray(
          fc.record({
            address: fc.constantFrom('2001:db8::1', '2001:db8::2'),
            length: fc.constantFrom(64, 128),
            deprecated: fc.boolean(),
          }),
          { selector: (item) => item.address, maxLength: 2 },
        ),
      }),
      { nil: undefined },
    ),
    underlay: fc.record({
      device: fc.constantFrom('eth0', 'absent0'),
      server: fc.constantFrom('198.51.100.1', '203.0.113.1', '2001:db8:e::1'),
    }),
  })
  const tunnel = (name: string) =>
    fc
      .record({
        enabled: fc.boolean(),
        ipv6: fc.boolean(),
        defaultroute: fc.boolean(),
        firewall: fc.constantFrom<TunnelConfig['firewall'][]>('default', 'none'),
        ip4table: fc.constantFrom(undefined, 77, 254),
        ip6table: fc.constantFrom(undefined, 78),
        ipaddrs: fc.constantFrom(
          [],
          [{ address: '203.0.113.65', length: 29 }],
          [{ address: '203.0.113.10', length: 32 }],
        ),
        ip6addrs: fc.constantFrom([], [{ address: '2001:db8::1', length: 64 }]),
        ip6prefixes: fc.constantFrom([], [{ address: '2001:db8:2::', length: 56 }]),
      })
      .map((options) => tunnelOf(name, options))
  const situation = fc.record({
    tunnels: fc.oneof(
      fc.tuple(tunnel('a')),
      fc.tuple(tunnel('a'), tunnel('b')),
      fc.tuple(tunnel('b'), tunnel('a')),
    ),
    a: fc.option(session, { nil: undefined }),
    b: fc.option(session, { nil: undefined }),
  })

  it('leaves nothing to do after each, and no trace after a clean stop', () => {
    fc.assert(
      fc.property(fc.array(situation, { minLength: 1, maxLength: 5 }), (situations) => {
        const kernel = new ModelKernel(SYSTEM)
        const states = new Map<string, TunnelState>()
        for (const { tunnels, a, b } of situations) {
          states.set('a', nextState(states.get('a'), a))
          states.set('b', nextState(states.get('b'), b))
          const desired = desiredState(configOf(tunnels), kernel.facts, states)
          kernel.apply(desired)
          assert.deepEqual(words(kernel, desired), [])
          assert.deepEqual(desiredState(configOf(tunnels), kernel.facts, states), desired)
        }
        kernel.apply(NOTHING_DESIRED)
        assert.deepEqual(kernel.facts, SYSTEM)
        assert.equal(kernel.nft, undefined)
      }),
      { numRuns: 1000, seed: 2 },
    )
  })
})
