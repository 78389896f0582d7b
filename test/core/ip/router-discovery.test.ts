import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex } from '../../../src/core/bytes.ts'
import { encodeRouterAdvertisement, type RouterAdvertisement } from '../../../src/core/ip/ra.ts'
import { RouterDiscovery, type RouterDiscoveryEvent } from '../../../src/core/ip/router-discovery.ts'
import { millis } from '../../../src/core/time.ts'

const INTERFACE_ID = fromHex('0000000000000010')
const HOUR = 3600
const DAY = 24 * HOUR

/** What AAISP and l2tpns agree on: a /64 for SLAAC; resolvers as l2tpns sends them. */
const ADVERTISEMENT: RouterAdvertisement = {
  curHopLimit: 64,
  managed: true,
  other: true,
  routerLifetime: 9000,
  mtu: undefined,
  prefixes: [prefix({})],
  rdnss: [],
}

function prefix(change: {
  address?: string
  length?: number
  onLink?: boolean
  autonomous?: boolean
  validLifetime?: number
  preferredLifetime?: number
}) {
  const { address = '2001:db8:1:10::', length = 64, ...flags } = change
  return {
    prefix: { address, length },
    onLink: true,
    autonomous: true,
    validLifetime: 30 * DAY,
    preferredLifetime: 7 * DAY,
    ...flags,
  }
}

/** Steps in seconds; `random` is RAND of RFC 7559 from -1 (10 % less) to 1 (10 % more). */
class Script {
  readonly discovery: RouterDiscovery
  now = 0

  constructor(random = 0) {
    const value = Math.min(0xffff, (random + 1) * 0x8000)
    this.discovery = new RouterDiscovery(() => Uint8Array.of(value >> 8, value & 0xff))
  }

  start(at: number, interfaceId = INTERFACE_ID): this {
    this.now = at
    this.discovery.command(millis(at * 1000), { kind: 'start', interfaceId })
    return this
  }

  stop(at: number): this {
    this.now = at
    this.discovery.command(millis(at * 1000), { kind: 'stop' })
    return this
  }

  receive(
    at: number,
    change: Partial<RouterAdvertisement> = {},
    { from = 'fe80::1', hopLimit = 255 } = {},
  ): this {
    this.now = at
    const message = encodeRouterAdvertisement({ ...ADVERTISEMENT, ...change })
    this.discovery.receive(millis(at * 1000), from, message, hopLimit)
    return this
  }

  /** How many solicitations left since the last look. */
  sent(): number {
    let count = 0
    for (let transmit = this.discovery.pollTransmit(); transmit; transmit = this.discovery.pollTransmit()) {
      assert.deepEqual(transmit, { to: 'ff02::2', message: fromHex('8500000000000000') })
      count++
    }
    return count
  }

  events(): RouterDiscoveryEvent[] {
    const events: RouterDiscoveryEvent[] = []
    for (let event = this.discovery.pollEvent(); event; event = this.discovery.pollEvent()) events.push(event)
    return events
  }

  /** Lets alarms ring until `until`, and gives the seconds at which solicitations left, rounded to a tenth. */
  run(until: number): number[] {
    const sentAt: number[] = []
    for (let alarms = 0; ; alarms++) {
      assert.ok(alarms < 10_000, 'the alarm makes progress')
      const at = this.discovery.pollTimeout()
      if (at === undefined || at > until * 1000) break
      this.now = at / 1000
      this.discovery.timeout(at)
      for (let i = this.sent(); i > 0; i--) sentAt.push(Math.round(at / 100) / 10)
    }
    this.now = until
    return sentAt
  }
}

function configured(script: Script) {
  const events = script.events()
  assert.equal(events.length, 1, JSON.stringify(events))
  const event = events[0]
  assert.ok(event?.kind === 'configured')
  return event
}

describe('solicitations', () => {
  it('leave at once when started, and never before', () => {
    const script = new Script()
    assert.equal(script.discovery.pollTimeout(), undefined)
    assert.equal(script.start(5).sent(), 1)
    assert.equal(script.discovery.pollTimeout(), 9_000)
  })

  it('back off without end (RFC 7559 section 2)', () => {
    const script = new Script().start(0)
    assert.equal(script.sent(), 1)
    const expected = [4, 12, 28, 60, 124, 252, 508, 1020, 2044, 4092, 7692, 11292]
    assert.deepEqual(script.run(12_000), expected)
  })

  it('are spread by 10 % either way', () => {
    const early = new Script(-1).start(0)
    const late = new Script(1).start(0)
    assert.deepEqual([early.sent(), late.sent()], [1, 1])
    // 4 - 10 %, then 2 x 3.6 - 10 %; 4 + 10 %, then 2 x 4.4 + 10 %
    assert.deepEqual(early.run(12), [3.6, 10.4])
    assert.deepEqual(late.run(14), [4.4, 13.6])
  })

  it('end with an advertisement of a default router', () => {
    const script = new Script().start(0).receive(0.01)
    assert.equal(script.sent(), 1)
    assert.deepEqual(script.run(HOUR), [])
  })

  it('go on after one of no default router, whose prefixes count all the same', () => {
    const script = new Script().start(0).receive(1, { routerLifetime: 0 })
    const { addresses, router } = configured(script)
    assert.deepEqual([addresses[0]?.address, router], ['2001:db8:1:10::10', undefined])
    assert.equal(script.sent(), 1)
    assert.deepEqual(script.run(20), [4, 12])
  })

  it('do not heed an early alarm', () => {
    const script = new Script().start(0)
    assert.equal(script.sent(), 1)
    script.discovery.timeout(millis(3_999))
    assert.equal(script.sent(), 0)
  })

  it('end with stop', () => {
    const script = new Script().start(0).stop(1)
    assert.equal(script.sent(), 1)
    assert.equal(script.discovery.pollTimeout(), undefined)
  })
})

describe('silence of the router', () => {
  it('is told once, when three solicitations had their time', () => {
    const script = new Script().start(0)
    script.run(27)
    assert.deepEqual(script.events(), [])
    script.run(28)
    assert.deepEqual(script.events(), [{ kind: 'unanswered' }])
    script.run(600)
    assert.deepEqual(script.events(), [])
  })

  it('is none where it speaks, nor later when it only does not answer a refresh', () => {
    const script = new Script().start(0).receive(13, { routerLifetime: 100, prefixes: [] })
    configured(script)
    script.run(112)
    assert.deepEqual(script.events(), [])
    script.run(113)
    assert.deepEqual(script.events(), [{ kind: 'expired' }])
    script.run(HOUR)
    assert.deepEqual(script.events(), [])
  })

  it('is told of each start', () => {
    const script = new Script().start(0)
    script.run(20)
    script.stop(20).start(21)
    script.run(48)
    assert.deepEqual(script.events(), [])
    script.run(49)
    assert.deepEqual(script.events(), [{ kind: 'unanswered' }])
  })
})

describe('an advertisement', () => {
  it('configures address, router, resolvers and flags', () => {
    const rdnss = [{ lifetime: 1200, addresses: ['2001:db8:feed::53', '2001:db8:feed::54'] }]
    const script = new Script().start(0).receive(10, { rdnss, mtu: 1460, managed: false })
    assert.deepEqual(script.events(), [
      {
        kind: 'configured',
        addresses: [
          {
            address: '2001:db8:1:10::10',
            length: 64,
            deprecated: false,
            preferredUntil: (10 + 7 * DAY) * 1000,
            validUntil: (10 + 30 * DAY) * 1000,
          },
        ],
        router: { address: 'fe80::1', validUntil: 9_010_000 },
        dns: [
          { address: '2001:db8:feed::53', validUntil: 1_210_000 },
          { address: '2001:db8:feed::54', validUntil: 1_210_000 },
        ],
        mtu: 1460,
        managed: false,
        other: true,
      },
    ])
  })

  it('is ignored where it is not valid', () => {
    const script = new Script()
      .start(0)
      .receive(1, {}, { hopLimit: 64 })
      .receive(1, {}, { from: '2001:db8::1' })
    assert.deepEqual(script.events(), [])
    assert.equal(script.sent(), 1)
    assert.deepEqual(script.run(4), [4])
  })

  it('that came before IPV6CP opened is asked for again', () => {
    const script = new Script().receive(1).start(1.003)
    assert.deepEqual(script.events(), [])
    assert.equal(script.sent(), 1)
  })

  it('of another session is forgotten', () => {
    const script = new Script().start(0).receive(1).stop(2).start(3, fromHex('0000000000000020'))
    script.events()
    assert.equal(script.sent(), 2)
    script.receive(4)
    assert.deepEqual(
      configured(script).addresses.map(({ address }) => address),
      ['2001:db8:1:10::20'],
    )
  })

  it('that says the same again within a second is not told again', () => {
    const script = new Script().start(0).receive(1)
    configured(script)
    assert.deepEqual(script.receive(1.9).events(), [])
    assert.equal(configured(script.receive(2.1)).router?.validUntil, 9_002_100)
  })

  it('keeps the last MTU that was said, and never one below 1280', () => {
    const script = new Script().start(0).receive(1, { mtu: 1400 })
    assert.equal(configured(script).mtu, 1400)
    assert.equal(configured(script.receive(10)).mtu, 1400)
    assert.equal(configured(script.receive(20, { mtu: 1279 })).mtu, 1400)
    assert.equal(configured(script.receive(30, { mtu: 1280 })).mtu, 1280)
  })
})

describe('prefixes (RFC 4862 section 5.5.3)', () => {
  const refused: [why: string, information: ReturnType<typeof prefix>][] = [
    ['a) the A flag is clear', prefix({ autonomous: false })],
    ['b) it is link-local', prefix({ address: 'fe80::' })],
    ['it is multicast', prefix({ address: 'ff0e::' })],
    ['c) it is preferred longer than valid', prefix({ validLifetime: 10, preferredLifetime: 11 })],
    ['d) it is no /64', prefix({ length: 63 })],
    ['d) it is no longer valid', prefix({ validLifetime: 0, preferredLifetime: 0 })],
  ]
  for (const [why, information] of refused) {
    it(`give no address where ${why}`, () => {
      assert.deepEqual(
        configured(new Script().start(0).receive(0, { prefixes: [information] })).addresses,
        [],
      )
    })
  }

  it('that are not on-link give a /128', () => {
    const script = new Script().start(0).receive(0, { prefixes: [prefix({ onLink: false })] })
    assert.equal(configured(script).addresses[0]?.length, 128)
  })

  it('may be endless, preferred or not', () => {
    const forever = prefix({ validLifetime: 0xffff_ffff, preferredLifetime: 0 })
    const [address] = configured(new Script().start(5).receive(5, { prefixes: [forever] })).addresses
    assert.deepEqual([address?.preferredUntil, address?.validUntil], [5_000, undefined])
  })

  /** e): seconds left of the valid lifetime when an advertisement with `received` comes, and what is left then. */
  const TWO_HOURS = 2 * HOUR
  const rule: [remaining: number, received: number, left: number][] = [
    [DAY, 3 * HOUR, 3 * HOUR], // more than two hours: taken
    [HOUR, TWO_HOURS + 1, TWO_HOURS + 1],
    [HOUR, HOUR + 60, HOUR + 60], // more than remains: taken
    [HOUR, HOUR - 60, HOUR], // no more than two hours remain: ignored
    [TWO_HOURS, 0, TWO_HOURS],
    [TWO_HOURS + 1, 0, TWO_HOURS], // else two hours
    [DAY, HOUR, TWO_HOURS],
    [DAY, TWO_HOURS, TWO_HOURS],
  ]
  for (const [remaining, received, left] of rule) {
    it(`with ${remaining} s left and ${received} s received keep ${left} s`, () => {
      const lasting = (validLifetime: number) => ({
        routerLifetime: 65535,
        prefixes: [prefix({ validLifetime, preferredLifetime: 0 })],
      })
      const script = new Script().start(0).receive(0, lasting(remaining + 10))
      script.events()
      script.receive(10, lasting(received))
      script.events()
      assert.equal(script.discovery.learnt.addresses[0]?.validUntil, (10 + left) * 1000)
    })
  }

  it('have an endless lifetime shortened to two hours at once', () => {
    const script = new Script().start(0).receive(0, { prefixes: [prefix({ validLifetime: 0xffff_ffff })] })
    script.events()
    script.receive(10, { prefixes: [prefix({ validLifetime: 60, preferredLifetime: 60 })] })
    const [address] = configured(script).addresses
    assert.deepEqual([address?.preferredUntil, address?.validUntil], [70_000, (10 + 2 * HOUR) * 1000])
  })

  it('are deprecated at once by a preferred lifetime of zero', () => {
    const script = new Script().start(0).receive(0)
    script.events()
    script.receive(10, { prefixes: [prefix({ preferredLifetime: 0 })] })
    const [address] = configured(script).addresses
    assert.deepEqual([address?.deprecated, address?.preferredUntil], [true, 10_000])
  })

  it('are told when they become deprecated, and when they are preferred again', () => {
    const script = new Script().start(0).receive(0, { prefixes: [prefix({ preferredLifetime: 600 })] })
    assert.equal(configured(script).addresses[0]?.deprecated, false)
    script.run(599)
    assert.deepEqual(script.events(), [])
    script.run(600)
    assert.equal(configured(script).addresses[0]?.deprecated, true)
    assert.deepEqual([script.run(3000).length > 0, script.events()], [true, []])
    assert.equal(configured(script.receive(3000)).addresses[0]?.deprecated, false)
  })
})

describe('resolvers (RFC 8106 section 5.1)', () => {
  const one = ['2001:db8::53']
  const two = ['2001:db8::54']

  it('come and go by their lifetimes', () => {
    const script = new Script().start(0).receive(0, { rdnss: [{ lifetime: 600, addresses: one }] })
    assert.deepEqual(
      configured(script).dns.map(({ address }) => address),
      one,
    )
    script.receive(100, { rdnss: [{ lifetime: 0xffff_ffff, addresses: two }] })
    assert.deepEqual(configured(script).dns, [
      { address: one[0], validUntil: 600_000 },
      { address: two[0], validUntil: undefined },
    ])
    script.run(600)
    assert.deepEqual(configured(script).dns, [{ address: two[0], validUntil: undefined }])
    script.receive(601, { rdnss: [{ lifetime: 0, addresses: two }] })
    assert.deepEqual(configured(script).dns, [])
  })

  it('are unicast addresses of other machines', () => {
    const addresses = ['::', '::1', 'ff02::fb', 'fe80::53']
    const script = new Script().start(0).receive(0, { rdnss: [{ lifetime: 600, addresses }] })
    assert.deepEqual(
      configured(script).dns.map(({ address }) => address),
      ['fe80::53'],
    )
  })
})

describe('refresh', () => {
  it('is asked for at three quarters of the shortest lifetime, backing off until it comes', () => {
    const rdnss = [{ lifetime: 1200, addresses: ['2001:db8::53'] }]
    const script = new Script().start(0).receive(0, { rdnss })
    script.events()
    assert.equal(script.sent(), 1)
    assert.deepEqual(script.run(950), [900, 904, 912, 928])
    script.receive(951, { rdnss })
    assert.deepEqual(script.run(951 + 899), [])
    assert.deepEqual(script.run(951 + 901), [951 + 900])
  })

  it('is not asked for before an unsolicited advertisement is overdue', () => {
    const script = new Script().start(0).receive(0)
    assert.equal(script.sent(), 1)
    for (const at of [4096, 8192, 12288]) {
      assert.deepEqual(script.run(at), [])
      script.receive(at)
    }
  })

  it('does not hurry for a lifetime of a second', () => {
    const script = new Script().start(0).receive(0, { routerLifetime: 1 })
    assert.equal(script.sent(), 1)
    assert.deepEqual(script.run(4), [4])
    script.receive(4, { routerLifetime: 1 })
    assert.deepEqual(script.run(8), [8])
    script
      .receive(8, { routerLifetime: 1 })
      .receive(8.5, { routerLifetime: 0 })
      .receive(8.6, { routerLifetime: 1 })
    assert.deepEqual(script.run(12), [12])
  })
})

describe('lapse', () => {
  it('of everything is told once, and the search goes on', () => {
    const brief = { routerLifetime: 100, prefixes: [prefix({ validLifetime: 50, preferredLifetime: 50 })] }
    const script = new Script().start(0).receive(0, brief)
    configured(script)
    script.sent()
    script.run(50)
    const { addresses, router } = configured(script)
    assert.deepEqual([addresses, router?.address], [[], 'fe80::1'])
    script.run(99)
    assert.deepEqual(script.events(), [])
    script.run(100)
    assert.deepEqual(script.events(), [{ kind: 'expired' }])
    assert.ok(script.run(4000).length > 0)
    assert.deepEqual(script.events(), [])
    configured(script.receive(4001))
  })

  it('of the router by its own word keeps the addresses, and a new one is sought', () => {
    const script = new Script().start(0).receive(0)
    configured(script)
    assert.equal(script.sent(), 1)
    script.receive(100, { routerLifetime: 0 })
    const { addresses, router } = configured(script)
    assert.deepEqual([addresses.length, router], [1, undefined])
    assert.deepEqual(script.run(110), [100, 104])
  })

  it('by the word of another router is no lapse', () => {
    const script = new Script().start(0).receive(0)
    configured(script)
    script.receive(0, { routerLifetime: 0 }, { from: 'fe80::2' })
    assert.deepEqual(script.events(), [])
    assert.equal(script.discovery.learnt.router?.address, 'fe80::1')
  })
})
