import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type AddressUse, unfit } from '../../../src/core/config/fitness.ts'
import type { Config, FailoverConfig, TunnelConfig } from '../../../src/core/config/types.ts'
import { describeChange } from '../../../src/core/system/change.ts'
import { desiredState } from '../../../src/core/system/desired.ts'
import { difference } from '../../../src/core/system/difference.ts'
import type { Facts } from '../../../src/core/system/facts.ts'
import { carries, fitSession } from '../../../src/core/system/fitting.ts'
import { nextState, type TunnelSession } from '../../../src/core/system/session.ts'
import { type Learnt, NOTHING_KNOWN, surroundingsOf } from '../../../src/core/system/surroundings.ts'
import { FAILOVER, PROBE } from '../config/defaults.ts'
import { addressOn, configOf, defaultOver, linkOf, SESSION, SYSTEM, tunnelOf, uplinkOf } from './samples.ts'

/**
 * A router: fibre on eth0 (192.0.2.2, gateway 192.0.2.1), a PPPoE line with the address 203.0.113.10, a LAN on br-lan, a
 * WireGuard peer, an address of its own on lo, and a device that is down.
 */
const ROUTER: Facts = {
  ...SYSTEM,
  links: [
    ...SYSTEM.links,
    linkOf(3, 'br-lan'),
    linkOf(4, 'pppoe-wan', { noArp: true }),
    linkOf(5, 'wg0', { noArp: true }),
    linkOf(6, 'docker0', { up: false }),
  ],
  addresses: [
    ...SYSTEM.addresses,
    addressOn(1, '198.18.7.7/32', { scope: 'host' }),
    addressOn(3, '192.168.1.1/24'),
    addressOn(3, '2001:db8:2:1::1/64'),
    addressOn(4, '203.0.113.10/32', { peer: '203.0.113.254' }),
    addressOn(5, '10.8.0.1/32', { peer: '10.8.0.2' }),
    addressOn(6, '172.17.0.1/16'),
  ],
  routes: [...SYSTEM.routes, defaultOver(5, '10.8.0.99', { table: 500 })],
}
const TUNNEL = tunnelOf('aaisp', { servers: [{ host: '198.51.100.1', port: 1701 }], uplinks: ['fibre'] })
const UPLINKS = [
  uplinkOf('fibre', 'eth0', { gateway: '192.0.2.3', dns: ['9.9.9.9'] }),
  uplinkOf('dsl', 'pppoe-wan'),
]
const CONFIG: Config = {
  ...configOf([TUNNEL], UPLINKS),
  redirects: [
    {
      name: 'web',
      protocols: ['tcp'],
      srcDport: { first: 80, last: 80 },
      srcIps: [],
      destIp: '10.77.0.5',
      destPort: { first: 80, last: 80 },
      enabled: true,
    },
  ],
}
const LEARNT: Learnt = {
  targets: new Map([['aaisp', ['198.51.100.2', '2001:db8:e::1']]]),
  resolvers: new Map([['dsl', ['203.0.113.53']]]),
}

const why = (address: string, use: AddressUse = 'own', tunnel: TunnelConfig = TUNNEL) =>
  unfit(address, use, tunnel, surroundingsOf(CONFIG, ROUTER, LEARNT))

describe('unfit', () => {
  test('nothing that belongs to somebody here can be borne by a tunnel', () => {
    const expected = {
      '127.0.0.1': 'is a loopback address',
      '::1': 'is a loopback address',
      '224.0.0.1': 'is a multicast address',
      '240.0.0.1': 'is a reserved address (240.0.0.0/4)',
      '198.51.100.1': 'is the address of the LNS itself (tunnel aaisp)',
      '198.51.100.2': 'is the address of the LNS itself (tunnel aaisp)',
      '2001:db8:e::1': 'is the address of the LNS itself (tunnel aaisp)',
      '192.0.2.1': 'is the gateway of fibre',
      '192.0.2.3': 'is the gateway of fibre',
      '10.8.0.99': 'is the gateway of wg0',
      '192.168.1.50': 'lies in 192.168.1.0/24, the network of br-lan',
      '192.168.1.1': 'lies in 192.168.1.0/24, the network of br-lan',
      '192.0.2.77': 'lies in 192.0.2.0/24, the network of eth0',
      '2001:db8:2:1::5': 'lies in 2001:db8:2:1::/64, the network of br-lan',
      '2001:db8:f::99': 'lies in 2001:db8:f::/64, the network of eth0',
      '203.0.113.254': 'is the other end of pppoe-wan',
      '10.8.0.2': 'is the other end of wg0',
      '9.9.9.9': 'is a resolver of fibre',
      '203.0.113.53': 'is a resolver of dsl',
      '10.77.0.5': 'is the host that redirect web leads to',
    }
    for (const [address, reason] of Object.entries(expected)) assert.equal(why(address), reason, address)
  })

  test('what is free, shared with an uplink, or borne here and nowhere else is right', () => {
    for (const address of ['203.0.113.99', '10.1.2.3', '2001:db8:9::1', '172.17.5.5', '198.18.7.7'])
      assert.equal(why(address), undefined, address)
    // The line's own address, also where it comes with a network.
    assert.equal(why('203.0.113.10'), undefined)
    assert.equal(why('192.0.2.2'), undefined)
    assert.equal(why('2001:db8:f::2'), undefined)
  })

  test('what the configuration says to be of the tunnel is right, though the LAN has it: but no LNS and no gateway', () => {
    const tunnel = tunnelOf('aaisp', {
      ipaddrs: [{ address: '192.168.1.0', length: 24 }],
      ip6prefixes: [{ address: '2001:db8:2::', length: 48 }],
    })
    assert.equal(why('192.168.1.50', 'own', tunnel), undefined)
    assert.equal(why('2001:db8:2:1::5', 'own', tunnel), undefined)
    const greedy = tunnelOf('aaisp', { ipaddrs: [{ address: '192.0.0.0', length: 8 }] })
    assert.equal(why('192.0.2.1', 'own', greedy), 'is the gateway of fibre')
  })

  test('a resolver or the other end may be anybody, but none of ours', () => {
    for (const use of ['resolver', 'peer'] as const) {
      for (const address of ['127.0.0.1', '::1', '0.0.0.0', '224.0.0.1', '192.0.2.1', '192.168.1.53'])
        assert.notEqual(why(address, use), undefined, `${use} ${address}`)
      for (const address of ['10.53.0.1', '203.0.113.1', '198.51.100.1', '203.0.113.254'])
        assert.equal(why(address, use), undefined, `${use} ${address}`)
    }
    assert.equal(why('9.9.9.9', 'resolver'), undefined, 'two may ask the same one')
    assert.equal(why('9.9.9.9', 'peer'), 'is a resolver of fibre')
  })

  test('those whom failover probes and brokers that have an address stay where they are', () => {
    const failover: FailoverConfig = {
      ...FAILOVER,
      paths: ['dsl', 'aaisp'],
      probe: { ...PROBE, targets: [{ kind: 'icmp', address: '203.0.113.77' }] },
    }
    const mqtt = [
      { name: 'home', url: { tls: false, host: '10.66.0.1', port: 1883 } },
    ] as unknown as Config['mqtt']
    const around = surroundingsOf({ ...CONFIG, failover, mqtt }, ROUTER)
    const of = (address: string) => unfit(address, 'own', TUNNEL, around)
    assert.equal(of('203.0.113.77'), 'is a target of probes')
    assert.equal(of('1.1.1.1'), 'is a target of probes')
    assert.equal(of('10.66.0.1'), 'is the MQTT broker home')
  })
})

describe('fitSession', () => {
  const fitted = (change: Partial<TunnelSession>) =>
    fitSession({ ...SESSION, ...change }, TUNNEL, surroundingsOf(CONFIG, ROUTER, LEARNT))

  test('leaves out what does not fit, family by family, and tells it', () => {
    const address = { address: '2001:db8:2:1:20a::aa', length: 64, deprecated: false }
    const good = { address: '2001:db8:1::aa', length: 128, deprecated: false }
    const { session, refused } = fitted({
      ipv4: { address: '192.168.1.50', peer: '192.168.1.1' },
      ipv6: SESSION.ipv6 && { ...SESSION.ipv6, addresses: [address, good] },
    })
    assert.equal(session.ipv4, undefined)
    assert.deepEqual(session.ipv6?.addresses, [good])
    assert.deepEqual(
      refused.map((one) => `${one.what} ${one.address} ${one.why}`),
      [
        'ipv4 192.168.1.50 lies in 192.168.1.0/24, the network of br-lan',
        'peer 192.168.1.1 lies in 192.168.1.0/24, the network of br-lan',
        'ipv6 2001:db8:2:1:20a::aa lies in 2001:db8:2:1::/64, the network of br-lan',
      ],
    )
  })

  test('a peer that is nobody, or ourselves, is none and no reason for words', () => {
    for (const peer of [undefined, '0.0.0.0', '203.0.113.99']) {
      const { session, refused } = fitted({ ipv4: { address: '203.0.113.99', peer } })
      assert.deepEqual(session.ipv4, { address: '203.0.113.99', peer: undefined })
      assert.deepEqual(refused, [])
    }
  })

  test('a family carries packets that is open and has an address, or a prefix by configuration', () => {
    const none = tunnelOf('aaisp')
    const routed = tunnelOf('aaisp', { ip6prefixes: [{ address: '2001:db8:2::', length: 56 }] })
    const bare = { ipv4: undefined, ipv6: SESSION.ipv6 && { ...SESSION.ipv6, addresses: [] } }
    assert.deepEqual(carries(SESSION, none), { ipv4: true, ipv6: true })
    assert.deepEqual(carries(bare, none), { ipv4: false, ipv6: false })
    assert.deepEqual(carries(bare, routed), { ipv4: false, ipv6: true })
    assert.deepEqual(carries({ ipv4: undefined, ipv6: undefined }, routed), { ipv4: false, ipv6: false })
  })
})

describe('desiredState with what a hostile peer gives', () => {
  const words = (session: TunnelSession | undefined, held = session, facts = ROUTER, learnt = LEARNT) => {
    const states = new Map([['aaisp', { session, held }]])
    const desired = desiredState(CONFIG, facts, states, undefined, undefined, learnt)
    return difference(desired, facts, { nft: undefined, readSysctl: () => undefined }).map(describeChange)
  }
  const naming = (lines: readonly string[], address: string) =>
    lines.filter((line) => line.startsWith('add address') && line.includes(` ${address}`))

  test('a held address that is where an LNS is dialled is dropped before anything is dialled', () => {
    const held = (address: string) => ({ ...SESSION, ipv4: { address, peer: undefined }, ipv6: undefined })
    for (const address of ['198.51.100.1', '198.51.100.2'])
      assert.deepEqual(naming(words(undefined, held(address)), address), [], address)
    // As soon as a name leads there.
    const other = held('203.0.113.99')
    assert.equal(naming(words(undefined, other), '203.0.113.99').length, 1)
    const learnt = { ...NOTHING_KNOWN, targets: new Map([['aaisp', ['203.0.113.99']]]) }
    assert.deepEqual(naming(words(undefined, other, ROUTER, learnt), '203.0.113.99'), [])
  })

  test('an address goes when a device with its network comes', () => {
    const session = { ...SESSION, ipv4: { address: '172.17.5.5', peer: undefined } }
    assert.equal(naming(words(session), '172.17.5.5').length, 1)
    const links = ROUTER.links.map((link) => ({ ...link, up: true }))
    const lines = words(session, session, { ...ROUTER, links })
    assert.deepEqual(naming(lines, '172.17.5.5'), [])
    assert.ok(lines.includes('add route unreachable default (IPv4) table 17010 metric 2147483647'))
  })

  test('whatever is given: no address and no rule of ours is that of anybody in the surroundings', () => {
    const theirs = [
      ...['127.0.0.1', '192.168.1.50', '192.168.1.1', '192.0.2.1', '192.0.2.3', '192.0.2.77', '198.51.100.1'],
      ...['224.0.0.1', '240.0.0.1', '255.255.255.255', '0.0.0.1', '10.8.0.2', '9.9.9.9', '169.254.1.1'],
    ]
    const theirs6 = [
      '::1',
      'ff02::1',
      'fe80::1',
      '2001:db8:f::1',
      '2001:db8:2:1::5',
      '2001:db8:e::1',
      '::ffff:1.2.3.4',
    ]
    const session = fc.record({
      mtu: fc.constant(1462),
      ipv4: fc.option(fc.record({ address: fc.constantFrom(...theirs), peer: fc.constantFrom(...theirs) }), {
        nil: undefined,
      }),
      ipv6: fc.record({
        interfaceId: fc.constant(new Uint8Array(8).fill(1)),
        addresses: fc.uniqueArray(
          fc.record({
            address: fc.constantFrom(...theirs6),
            length: fc.constantFrom(64, 128),
            deprecated: fc.boolean(),
          }),
          { selector: ({ address }) => address, maxLength: 4 },
        ),
      }),
      underlay: fc.constant({ device: 'eth0', server: '198.51.100.1' }),
    })
    fc.assert(
      fc.property(session, session, (one, two) => {
        const { held } = nextState(nextState(undefined, one), two)
        const lines = words(two, held)
        const own = lines
          .filter((line) => /^add address|from /.test(line))
          .flatMap((line) => line.replace(/ peer .*/, '').split(/[ /]/))
        const taken = [...theirs, ...theirs6].filter((address) => own.includes(address))
        assert.deepEqual(taken, [])
      }),
      { seed: 8, numRuns: 300 },
    )
  })
})
