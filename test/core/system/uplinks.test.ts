import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config, UplinkConfig } from '../../../src/core/config/types.ts'
import { failureMessage } from '../../../src/core/failure.ts'
import { type Facts, type LinkAddress, NO_FACTS, type Route } from '../../../src/core/system/facts.ts'
import {
  candidateAddresses,
  carriersOf,
  lackingSources,
  noUplink,
  stillLeads,
  type UsableUplink,
  uplinks,
} from '../../../src/core/system/uplinks.ts'
import { addressOn, configOf, defaultOver, linkOf, tunnelOf, uplinkOf } from './samples.ts'

const tunnel = (names: readonly string[]) => tunnelOf('aaisp', { uplinks: names })

function config(configured: readonly UplinkConfig[], names: readonly string[] = []): Config {
  return configOf([tunnel(names)], configured)
}

/** What `uplinks` says of one configured uplink on eth0. */
function one(facts: Partial<Facts>, change: Partial<UplinkConfig> = {}) {
  const [described] = uplinks(config([uplinkOf('fibre', 'eth0', change)], ['fibre']), {
    ...NO_FACTS,
    ...facts,
  })
  assert.ok(described)
  return described
}

/** In short: state, addresses, and each way out as `family via gateway`. */
function brief(described: ReturnType<typeof one>) {
  const ways = described.state === 'up' ? described.ways : []
  return [
    described.state,
    described.addresses,
    ways.map(
      ({ family, nexthop }) => `${family} via ${nexthop ? (nexthop.gateway ?? 'the link') : 'nothing'}`,
    ),
  ]
}

const ETH0 = linkOf(2, 'eth0')
const V4 = addressOn(2, '192.0.2.2/24')
const V6 = addressOn(2, '2001:db8::2/64')

describe('an uplink', () => {
  it('is absent without its device', () => {
    assert.deepEqual(brief(one({ links: [linkOf(2, 'eth1')] })), ['absent', [], []])
  })

  it('is down where its device is, or has no carrier', () => {
    const addresses = [V4]
    const down = ['down', ['192.0.2.2'], []]
    assert.deepEqual(
      brief(one({ links: [linkOf(2, 'eth0', { up: false, carrier: false })], addresses })),
      down,
    )
    assert.deepEqual(brief(one({ links: [linkOf(2, 'eth0', { carrier: false })], addresses })), down)
  })

  it('has no address where none can be sent from', () => {
    const addresses = [
      addressOn(2, 'fe80::2/64'),
      addressOn(2, '169.254.3.4/16'),
      addressOn(2, '2001:db8::2/64', { tentative: true }),
      addressOn(2, '127.0.0.2/8', { scope: 'host' }),
      addressOn(3, '192.0.2.2/24'),
    ]
    assert.deepEqual(brief(one({ links: [ETH0], addresses })), ['no_address', [], []])
  })

  it('is up with address and gateway, IPv6 first, deprecated addresses last', () => {
    const addresses = [
      V4,
      addressOn(2, '2001:db8::dead/64', { deprecated: true }),
      V6,
      addressOn(2, '192.168.1.2/24'),
    ]
    const routes = [defaultOver(2, '192.0.2.1'), defaultOver(2, 'fe80::1')]
    const described = one({ links: [ETH0], addresses, routes })
    assert.deepEqual(brief(described), [
      'up',
      ['2001:db8::2', '2001:db8::dead', '192.0.2.2', '192.168.1.2'],
      ['6 via fe80::1', '4 via 192.0.2.1'],
    ])
  })

  it('leaves out a family without a gateway if the other has one', () => {
    const facts = {
      links: [ETH0],
      addresses: [V4, addressOn(2, 'fd00::2/64')],
      routes: [defaultOver(2, '192.0.2.1')],
    }
    assert.deepEqual(brief(one(facts))[2], ['4 via 192.0.2.1'])
  })

  it('leaves out a family without an address', () => {
    const facts = {
      links: [ETH0],
      addresses: [V4],
      routes: [defaultOver(2, 'fe80::1', { metric: 0 }), defaultOver(2, '192.0.2.1')],
    }
    assert.deepEqual(brief(one(facts))[2], ['4 via 192.0.2.1'])
  })

  it('reaches at least its neighbours without any gateway', () => {
    assert.deepEqual(brief(one({ links: [ETH0], addresses: [V4, V6] }))[2], [
      '6 via nothing',
      '4 via nothing',
    ])
  })

  it('needs no gateway on a device that resolves no neighbours', () => {
    const facts = { links: [linkOf(2, 'eth0', { noArp: true })], addresses: [V4] }
    assert.deepEqual(brief(one(facts))[2], ['4 via the link'])
  })

  it('uses the configured gateway before a learnt one, as onlink', () => {
    const facts = { links: [ETH0], addresses: [V4, V6], routes: [defaultOver(2, '192.0.2.1')] }
    const described = one(facts, { gateway: '192.0.2.254', gateway6: 'fe80::254' })
    assert.ok(described.state === 'up')
    assert.deepEqual(described.ways, [
      { family: 6, nexthop: { gateway: 'fe80::254', onlink: true } },
      { family: 4, nexthop: { gateway: '192.0.2.254', onlink: true } },
    ])
  })

  it('learns its gateway from main before other tables, by metric, from its own device, and never from us', () => {
    const learnt = (...routes: Route[]) =>
      brief(one({ links: [ETH0, linkOf(3, 'eth1')], addresses: [V4], routes }))[2]
    assert.deepEqual(
      learnt(
        defaultOver(2, '192.0.2.91', { table: 100 }),
        defaultOver(2, '192.0.2.92', { protocol: 108 }),
        defaultOver(2, '192.0.2.93', { type: 'unreachable', nexthops: [] }),
        defaultOver(3, '192.0.2.94'),
        defaultOver(2, '192.0.2.95', { metric: 200 }),
        defaultOver(2, '192.0.2.1', { metric: 100 }),
      ),
      ['4 via 192.0.2.1'],
    )
    assert.deepEqual(learnt(defaultOver(2, '192.0.2.9', { metric: 5, table: 100 })), ['4 via 192.0.2.9'])
    const several = [
      { link: 3, gateway: '198.51.100.1', onlink: false },
      { link: 2, gateway: '192.0.2.1', onlink: false },
    ]
    assert.deepEqual(learnt(defaultOver(2, undefined, { nexthops: several })), ['4 via 192.0.2.1'])
  })

  it('waits for its configured source', () => {
    const facts = { links: [ETH0], addresses: [V4], routes: [defaultOver(2, '192.0.2.1')] }
    assert.equal(one(facts, { source: '192.0.2.77' }).state, 'no_address')
    assert.equal(one(facts, { source: '192.0.2.2' }).state, 'up')
  })

  it('that lacks its configured source can be told from one without any address', () => {
    const lacking = (source: string, addresses: readonly LinkAddress[]) =>
      lackingSources(configOf([], [uplinkOf('fibre', 'eth0', { source })]), {
        ...NO_FACTS,
        links: [ETH0],
        addresses,
      })
    assert.deepEqual(lacking('192.0.2.77', [V4]), [{ uplink: 'fibre', address: '192.0.2.77' }])
    assert.deepEqual(lacking('192.0.2.2', [V4]), [])
    assert.deepEqual(lacking('192.0.2.77', []), [])
  })
})

const LTE = linkOf(3, 'wwan0', { noArp: true })
const TUNNEL = linkOf(9, 'l2tp-aaisp', { noArp: true })
const FACTS: Facts = {
  ...NO_FACTS,
  links: [ETH0, LTE, TUNNEL],
  addresses: [V4, addressOn(3, '198.51.100.2/32'), addressOn(9, '203.0.113.10/32')],
  routes: [
    defaultOver(2, '192.0.2.1', { metric: 100 }),
    defaultOver(3, undefined, { metric: 600 }),
    defaultOver(9, undefined),
  ],
}
const FIBRE = uplinkOf('fibre', 'eth0', { dns: ['192.0.2.53'] })
const MOBILE = uplinkOf('lte', 'wwan0')

describe('carriers', () => {
  const names = (given: Config, facts: Facts) =>
    carriersOf(given.tunnels[0] ?? tunnel([]), given, facts).map(({ name, device }) => `${name} ${device}`)
  const without = (...devices: string[]): Facts => ({
    ...FACTS,
    links: FACTS.links.map((one) => (devices.includes(one.name) ? { ...one, carrier: false } : one)),
  })

  it('are the usable ones of the list, in its order', () => {
    assert.deepEqual(names(config([FIBRE, MOBILE], ['lte', 'fibre']), FACTS), ['lte wwan0', 'fibre eth0'])
    assert.deepEqual(names(config([FIBRE, MOBILE], ['lte', 'fibre']), without('wwan0')), ['fibre eth0'])
    assert.deepEqual(names(config([FIBRE, MOBILE], ['lte']), without('wwan0')), [])
  })

  it('are the device of the default route without a list, never a tunnel of ours', () => {
    assert.deepEqual(names(config([]), FACTS), ['eth0 eth0'])
  })

  it('follow the default route', () => {
    const moved = {
      ...FACTS,
      routes: [defaultOver(2, '192.0.2.1', { metric: 700 }), defaultOver(3, undefined, { metric: 600 })],
    }
    assert.deepEqual(names(config([]), moved), ['wwan0 wwan0'])
    assert.deepEqual(names(config([]), { ...FACTS, routes: [] }), [])
    const elsewhere = FACTS.routes.map((route) => ({ ...route, table: 100 }))
    assert.deepEqual(names(config([]), { ...FACTS, routes: elsewhere }), [])
    const ours = FACTS.routes.map((route) => ({ ...route, protocol: 108 }))
    assert.deepEqual(names(config([]), { ...FACTS, routes: ours }), [])
  })

  it('follow the next default route where the first leads nowhere', () => {
    assert.deepEqual(names(config([]), without('eth0')), ['wwan0 wwan0'])
    assert.deepEqual(names(config([]), without('eth0', 'wwan0')), [])
  })

  it('follow the default route of IPv6 where IPv4 has none', () => {
    const facts = { ...FACTS, addresses: [V6], routes: [defaultOver(2, 'fe80::1')] }
    assert.deepEqual(names(config([]), facts), ['eth0 eth0'])
    const both = {
      ...FACTS,
      routes: [defaultOver(2, 'fe80::1', { metric: 100 }), defaultOver(3, undefined, { metric: 600 })],
    }
    assert.deepEqual(names(config([]), both), ['wwan0 wwan0'])
  })

  it('are known by their configured name and options', () => {
    const [carrier] = carriersOf(tunnel([]), config([FIBRE]), FACTS)
    assert.deepEqual([carrier?.name, carrier?.dns], ['fibre', ['192.0.2.53']])
  })
})

describe('carriers of a tunnel that is a path', () => {
  const paths = (names: readonly string[], own: readonly string[] = []): Config => ({
    ...config([FIBRE, MOBILE], own),
    failover: { paths: names } as unknown as Config['failover'],
  })
  const names = (given: Config, facts: Facts) =>
    carriersOf(given.tunnels[0] ?? tunnel([]), given, facts).map(({ name }) => name)

  it('are the uplinks that follow it', () => {
    assert.deepEqual(names(paths(['fibre', 'aaisp', 'lte']), FACTS), ['lte'])
    assert.deepEqual(names(paths(['aaisp', 'lte', 'fibre']), FACTS), ['lte', 'fibre'])
    assert.deepEqual(names(paths(['aaisp', 'other', 'lte']), FACTS), ['lte'])
  })

  it('are its own ones where it names any', () => {
    assert.deepEqual(names(paths(['fibre', 'aaisp', 'lte'], ['fibre']), FACTS), ['fibre'])
  })

  it('are none while those that follow are not usable: never the one before it', () => {
    const broken = { ...FACTS, links: [ETH0, linkOf(3, 'wwan0', { carrier: false })] }
    assert.deepEqual(names(paths(['fibre', 'aaisp', 'lte']), broken), [])
  })

  it('are those of the system where none follows, but never the one before it', () => {
    assert.deepEqual(names(paths(['aaisp']), FACTS), ['fibre'])
    assert.deepEqual(names(paths(['fibre', 'aaisp']), FACTS), ['lte'])
    assert.deepEqual(names(paths(['lte', 'fibre', 'aaisp']), FACTS), [])
  })

  it('need no uplink of the system where some follow', () => {
    const facts = {
      ...FACTS,
      links: [...FACTS.links, linkOf(4, 'eth9')],
      routes: [defaultOver(4, undefined, { metric: 1 })],
    }
    const listed = (given: Config) => uplinks(given, facts).map(({ name }) => name)
    assert.deepEqual(listed(paths(['fibre', 'aaisp', 'lte'])), ['fibre', 'lte'])
    assert.deepEqual(listed(paths(['fibre', 'aaisp'])), ['fibre', 'lte', 'eth9'])
  })
})

describe('why a tunnel has no uplink', () => {
  const said = (given: Config, facts: Facts) =>
    failureMessage(noUplink(given.tunnels[0] ?? tunnel([]), given, facts)).replace(
      'no uplink is usable: ',
      '',
    )
  const failover = (paths: readonly string[]) => ({ paths }) as unknown as Config['failover']

  it('never denies a default route that is there', () => {
    const over = (link: number, table = 254): Facts => ({
      ...FACTS,
      routes: [{ ...defaultOver(link, undefined), table }],
    })
    assert.equal(said(config([]), { ...FACTS, routes: [] }), 'this machine has no default route')
    assert.match(said(config([]), over(9)), /leads over l2tp-aaisp, which is the device of a tunnel of ours$/)
    assert.match(
      said(config([]), over(3, 100)),
      /over wwan0 is in table 100 and not in main: name wwan0 in an uplink/,
    )
    const dark = { ...over(2), links: [linkOf(2, 'eth0', { carrier: false })] }
    assert.match(said(config([]), dark), /leads over eth0, which has no link$/)
    assert.match(said(config([]), { ...over(2), addresses: [] }), /eth0, which has no address to send from$/)
    const replacing = { ...config([FIBRE]), failover: failover(['fibre', 'aaisp']) }
    assert.match(said(replacing, over(2)), /leads over eth0, which comes before the tunnel in failover/)
  })

  it('names those that are to follow it, and those whose budget is spent', () => {
    const given = { ...config([FIBRE, MOBILE]), failover: failover(['fibre', 'aaisp', 'lte']) }
    const dark = { ...FACTS, links: [ETH0] }
    assert.equal(said(given, dark), 'lte has no working link with an address')
    const spent = noUplink(given.tunnels[0] ?? tunnel([]), given, FACTS, new Set(['lte']))
    assert.match(failureMessage(spent), /the budget of lte is spent for this month$/)
  })

  it('is told of the default routes only where they were to lead the way', () => {
    assert.equal(noUplink(tunnel(['lte']), config([MOBILE], ['lte']), FACTS).defaults, undefined)
  })
})

describe('all uplinks', () => {
  const states = (given: Config, facts: Facts) =>
    uplinks(given, facts).map(({ name, state }) => `${name} ${state}`)

  it('are the configured ones, and the one of the system if a tunnel leaves the choice to it', () => {
    assert.deepEqual(states(config([MOBILE], ['lte']), FACTS), ['lte up'])
    assert.deepEqual(states(config([MOBILE]), FACTS), ['lte up', 'eth0 up'])
    assert.deepEqual(states(config([MOBILE, FIBRE]), FACTS), ['lte up', 'fibre up'])
    assert.deepEqual(states(config([]), NO_FACTS), [])
    const broken = { ...FACTS, links: [linkOf(2, 'eth0', { carrier: false })] }
    assert.deepEqual(states(config([]), broken), ['eth0 down'])
  })
})

describe('a socket on an uplink', () => {
  const [carrier] = carriersOf(tunnel([]), config([]), FACTS)

  it('leads on while device and address stay', () => {
    assert.ok(carrier)
    assert.equal(stillLeads(carrier, ETH0, '192.0.2.2'), true)
    assert.equal(stillLeads(carrier, linkOf(7, 'eth0'), '192.0.2.2'), false)
    assert.equal(stillLeads(carrier, ETH0, '192.0.2.3'), false)
  })
})

describe('candidate addresses (RFC 8305 section 4)', () => {
  const addresses = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '198.51.100.1', '198.51.100.2']
  const over = (...families: (4 | 6)[]): UsableUplink => {
    const [carrier] = carriersOf(tunnel([]), config([]), FACTS)
    assert.ok(carrier)
    return { ...carrier, ways: families.map((family) => ({ family, nexthop: undefined })) }
  }

  it('alternate between the families, IPv6 first', () => {
    assert.deepEqual(candidateAddresses(addresses, over(6, 4)), [
      '2001:db8::1',
      '198.51.100.1',
      '2001:db8::2',
      '198.51.100.2',
      '2001:db8::3',
    ])
  })

  it('are of families that the uplink has', () => {
    assert.deepEqual(candidateAddresses(addresses, over(4)), ['198.51.100.1', '198.51.100.2'])
    assert.deepEqual(candidateAddresses(addresses, over(6)), ['2001:db8::1', '2001:db8::2', '2001:db8::3'])
    assert.deepEqual(candidateAddresses(['198.51.100.1', '198.51.100.1'], over(6, 4)), ['198.51.100.1'])
  })
})
