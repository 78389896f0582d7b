import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex } from '../../../src/core/bytes.ts'
import type { Config } from '../../../src/core/config/types.ts'
import { PathAddresses } from '../../../src/core/failover/sharing.ts'
import type { ActiveRoute } from '../../../src/core/failover/types.ts'
import { scriptOf } from '../../../src/core/firewall/filters.ts'
import { describeChange } from '../../../src/core/system/change.ts'
import { desiredState } from '../../../src/core/system/desired.ts'
import { type DesiredState, NOTHING_DESIRED } from '../../../src/core/system/desired-state.ts'
import type { Facts } from '../../../src/core/system/facts.ts'
import { nextState, type TunnelSession } from '../../../src/core/system/session.ts'
import { addressedPaths } from '../../../src/core/system/sharing.ts'
import { AAISP, failoverConfig, HOME } from './failover-samples.ts'
import { ModelKernel } from './model-kernel.ts'
import { addressOn, defaultOver, FIREWALL, SYSTEM } from './samples.ts'

const FIBRE: ActiveRoute = { kind: 'path', name: 'fibre' }
const TUNNEL: ActiveRoute = { kind: 'path', name: 'aaisp' }
const LTE: ActiveRoute = { kind: 'path', name: 'lte' }
const HOLD: ActiveRoute = { kind: 'hold', awaited: 'aaisp' }

interface World {
  readonly config?: Config
  readonly facts?: Facts
  readonly session?: TunnelSession | 'ended'
  /** As it was before. */
  readonly before?: Facts
}

function desiredIn(active: ActiveRoute | undefined, world: World = {}): DesiredState {
  const { config = failoverConfig(), facts = HOME, session, before = facts } = world
  const known =
    session === undefined ? undefined : nextState(undefined, session === 'ended' ? AAISP : session)
  const state = session === 'ended' ? nextState(known, undefined) : known
  const states = new Map(state === undefined ? [] : [['aaisp', state]])
  const seen = new PathAddresses()
  for (const each of [before, facts]) seen.seen(addressedPaths(config, each, states))
  return desiredState(config, facts, states, active, seen.sharing)
}

/** Everything about routing that a fresh system lacks, in words. */
function routing(desired: DesiredState, facts: Facts = HOME): string[] {
  return new ModelKernel(facts)
    .missing(desired)
    .map(describeChange)
    .filter((line) => /^add (route|rule)/.test(line))
}

const active = (lines: readonly string[]) => lines.filter((line) => line.includes('table 17010')).sort()
const defaults = (desired: DesiredState, facts?: Facts) =>
  active(routing(desired, facts)).filter((line) => line.includes('default'))
const carrier = (desired: DesiredState) => desired.devices.map((device) => device.carrier)

/** What rules lead to, except those that are the same whatever is active. */
function addresses(desired: DesiredState, facts?: Facts): string[] {
  return routing(desired, facts)
    .flatMap((line) => /^add rule 3103\d \(IPv\d\): (.*)$/.exec(line)?.[1] ?? [])
    .sort()
}

const AGGREGATE = 'add route unreachable 2001:db8:2::/56 table 17010 metric 2147483647'
const INTO_TUNNEL = [
  'add route default (IPv4) dev l2tp-aaisp src 203.0.113.10 table 17010 metric 1',
  'add route default (IPv6) dev l2tp-aaisp table 17010 metric 1',
]

describe('the table of the active path', () => {
  it('fibre: both families over its device, IPv6 although it has no address itself', () => {
    const desired = desiredIn(FIBRE)
    assert.deepEqual(active(routing(desired)), [
      'add route default (IPv4) dev pppoe-aaisp table 17010 metric 1',
      'add route default (IPv6) dev pppoe-aaisp table 17010 metric 1',
      AGGREGATE,
    ])
    assert.deepEqual(carrier(desired), [false])
  })

  it('held: into the device of the tunnel, whose carrier is on without a session', () => {
    const desired = desiredIn(HOLD, { session: 'ended' })
    assert.deepEqual(active(routing(desired)), [...INTO_TUNNEL, AGGREGATE])
    assert.deepEqual(carrier(desired), [true])
    assert.ok(!JSON.stringify(desired.routes).includes('blackhole'), 'it would outlive this process')
  })

  it('held with no tunnel to wait for, as where all that works is cut off: nothing gets out', () => {
    assert.deepEqual(defaults(desiredIn({ kind: 'hold', awaited: 'fibre' })), [
      'add route blackhole default (IPv4) table 17010 metric 1',
      'add route blackhole default (IPv6) table 17010 metric 1',
    ])
  })

  it('the tunnel: both families into it, and its server over the uplink that carries it', () => {
    const desired = desiredIn(TUNNEL, { session: AAISP })
    assert.deepEqual(active(routing(desired)), [
      'add route 198.51.100.1/32 via 10.64.0.1 dev wan-4g table 17010 metric 1',
      ...INTO_TUNNEL,
      AGGREGATE,
    ])
    assert.deepEqual(carrier(desired), [true])
  })

  it('the tunnel whose session has just ended: nothing goes elsewhere before something else is chosen', () => {
    const desired = desiredIn(TUNNEL, { session: 'ended' })
    assert.deepEqual(defaults(desired), INTO_TUNNEL)
    assert.deepEqual(carrier(desired), [true])
  })

  it('4G without IPv6: hosts that try it are told at once', () => {
    const desired = desiredIn(LTE, { session: 'ended' })
    assert.deepEqual(defaults(desired), [
      'add route default (IPv4) via 10.64.0.1 dev wan-4g table 17010 metric 1',
      'add route unreachable default (IPv6) table 17010 metric 1',
    ])
    assert.deepEqual(carrier(desired), [false])
  })

  it('fibre that is gone: lost as on a cut line, not over whatever else main knows', () => {
    const links = HOME.links.filter(({ name }) => name !== 'pppoe-aaisp')
    const facts = { ...HOME, links, addresses: HOME.addresses.filter(({ link }) => link !== 3) }
    assert.deepEqual(defaults(desiredIn(FIBRE, { facts }), facts), [
      'add route blackhole default (IPv4) table 17010 metric 1',
      'add route blackhole default (IPv6) table 17010 metric 1',
    ])
  })

  it('a tunnel without IPv6 takes it all the same, to refuse it: an unreachable route would outlive this process', () => {
    const config = failoverConfig()
    const tunnels = config.tunnels.map((tunnel) => ({ ...tunnel, ipv6: false }))
    const desired = desiredIn(TUNNEL, { config: { ...config, tunnels }, session: AAISP })
    assert.deepEqual(defaults(desired), INTO_TUNNEL)
    const settings = desired.devices[0]?.sysctls.map(
      ({ path, value }) => `${path.split('/').at(-1)} ${value}`,
    )
    assert.ok(settings?.includes('disable_ipv6 0'))
    assert.deepEqual(
      desired.devices[0]?.addresses.map(({ family }) => family),
      [4],
    )
    const small = desiredIn(TUNNEL, { session: { ...AAISP, mtu: 1200 } })
    assert.ok(defaults(small).includes('add route unreachable default (IPv6) table 17010 metric 1'))
  })

  it('is a path that takes no part: everything falls through to main', () => {
    assert.deepEqual(defaults(desiredIn({ kind: 'path', name: 'gone' })), [])
  })

  it('before the first decision: what an earlier process decided stays', () => {
    const kernel = new ModelKernel(HOME)
    kernel.apply(desiredIn(FIBRE))
    assert.deepEqual(defaults(desiredIn(undefined, { facts: kernel.facts })), defaults(desiredIn(FIBRE)))
    assert.deepEqual(kernel.missing(desiredIn(undefined, { facts: kernel.facts })).map(describeChange), [])
    kernel.apply(desiredIn(LTE, { facts: kernel.facts }))
    assert.deepEqual(kernel.missing(desiredIn(undefined, { facts: kernel.facts })).map(describeChange), [])
    assert.deepEqual(defaults(desiredIn(undefined)), [])
  })

  it('without a failover section the active path has no say', () => {
    const config = failoverConfig({ failover: undefined })
    assert.deepEqual(
      desiredIn(LTE, { config, session: AAISP }),
      desiredIn(undefined, { config, session: AAISP }),
    )
    assert.deepEqual(defaults(desiredIn(LTE, { config, session: AAISP })), INTO_TUNNEL)
  })
})

/** fibre: flow 0xff, steering 0xfe; lte: 0xfd and 0xfc; the tunnel: 0x01. Tables: 17060, 17061 and 17011. */
const LTE_RULES = ['from 10.64.0.2/32 lookup 17061']

describe('what belongs to an address', () => {
  it('over fibre: its table has the address and the marks of both, the prefix too', () => {
    assert.deepEqual(addresses(desiredIn(FIBRE, { session: 'ended' })), [
      ...LTE_RULES,
      'from 2001:db8:2::/56 lookup 17060',
      'from 203.0.113.10/32 lookup 17060',
      ...bothFamilies('fwmark 0x10000/0xff0000 lookup 17060'),
      ...bothFamilies('fwmark 0xfd0000/0xff0000 lookup 17061'),
      ...bothFamilies('fwmark 0xff0000/0xff0000 lookup 17060'),
    ])
  })

  it('held and over the tunnel: its table has them', () => {
    const expected = [
      ...LTE_RULES,
      'from 2001:db8:2::/56 lookup 17011',
      'from 203.0.113.10/32 lookup 17011',
      ...bothFamilies('fwmark 0x10000/0xff0000 lookup 17011'),
      ...bothFamilies('fwmark 0xfd0000/0xff0000 lookup 17061'),
      ...bothFamilies('fwmark 0xff0000/0xff0000 lookup 17011'),
    ]
    assert.deepEqual(addresses(desiredIn(HOLD, { session: 'ended' })), expected)
    assert.deepEqual(addresses(desiredIn(TUNNEL, { session: AAISP })), expected)
  })

  it('over 4G: sockets of the address keep to fibre, hosts of the prefix fall through to be refused', () => {
    const lines = addresses(desiredIn(LTE, { session: 'ended' }))
    assert.ok(lines.includes('from 203.0.113.10/32 lookup 17060'))
    assert.ok(
      lines.includes('from 2001:db8:2::/56 lookup 17011'),
      'the tunnel is down: no route there counts',
    )
  })

  it('while the session is up the provider sends the address there, whatever is active', () => {
    const lines = addresses(desiredIn(LTE, { session: AAISP }))
    assert.ok(lines.includes('from 203.0.113.10/32 lookup 17011'))
    const trial = addresses(desiredIn(FIBRE, { session: AAISP }))
    assert.ok(trial.includes('from 203.0.113.10/32 lookup 17060'))
  })

  it('a probe steered over an uplink takes its table before any address counts', () => {
    const lines = routing(desiredIn(TUNNEL, { session: AAISP }))
    assert.ok(lines.includes('add rule 31020 (IPv4): fwmark 0xfe0000/0xff0000 lookup 17060'))
    assert.ok(lines.includes('add rule 31020 (IPv6): fwmark 0xfe0000/0xff0000 lookup 17060'))
    assert.ok(lines.includes('add rule 31020 (IPv4): fwmark 0xfc0000/0xff0000 lookup 17061'))
  })

  it('that a router in the tunnel advertises is of the tunnel alone, whoever carries what is shared', () => {
    const advertised = { address: '2001:db8:9::aa', length: 64, deprecated: false }
    const ipv6 = { interfaceId: fromHex('020a 0000 0000 00aa'), addresses: [advertised] }
    const config = failoverConfig({ firewalls: [FIREWALL] })
    const desired = desiredIn(FIBRE, { config, session: { ...AAISP, ipv6 } })
    const lines = addresses(desired)
    assert.ok(lines.includes('from 203.0.113.10/32 lookup 17060'))
    assert.ok(lines.includes('from 2001:db8:9::aa/128 lookup 17011'))
    const script = scriptOf(desired.filters) ?? ''
    assert.match(script, /ip saddr 203\.0\.113\.10\/32 oifname \{ "pppoe-aaisp", "l2tp-aaisp" \} accept/)
    assert.match(script, /ip6 saddr 2001:db8:9::aa\/128 oifname "l2tp-aaisp" accept/)
  })

  it('is shared because backs_up says so, before the tunnel ever had an address', () => {
    const config = failoverConfig()
    const tunnels = config.tunnels.map((tunnel) => ({ ...tunnel, backsUp: 'fibre' }))
    const backed = { config: { ...config, tunnels } }
    assert.ok(addresses(desiredIn(FIBRE, backed)).includes('from 2001:db8:2::/56 lookup 17060'))
    assert.ok(addresses(desiredIn(FIBRE)).includes('from 2001:db8:2::/56 lookup 17011'))
    const other = config.tunnels.map((tunnel) => ({ ...tunnel, backsUp: 'lte' }))
    const wrong = addresses(desiredIn(FIBRE, { config: { ...config, tunnels: other }, session: 'ended' }))
    assert.ok(wrong.includes('from 2001:db8:2::/56 lookup 17011'))
  })

  it('is shared with an uplink that is away and had the address last', () => {
    const facts = { ...HOME, addresses: HOME.addresses.filter(({ link }) => link !== 3) }
    const mark = 'fwmark 0xff0000/0xff0000 lookup 17011'
    assert.ok(!addresses(desiredIn(TUNNEL, { facts, session: AAISP }), facts).includes(mark))
    assert.ok(addresses(desiredIn(TUNNEL, { facts, session: AAISP, before: HOME }), facts).includes(mark))
  })

  it('in a block of the tunnel: over whichever of the paths that share carries it now', () => {
    const base = failoverConfig()
    const block = { address: '198.51.100.18', length: 29 }
    const config = { ...base, tunnels: base.tunnels.map((tunnel) => ({ ...tunnel, ipaddrs: [block] })) }
    const from = (state: ActiveRoute, link: number, session: World['session']) => {
      const mine = [addressOn(link, '198.51.100.17/29'), addressOn(link, '2001:db8:2:ff::1/128')]
      const facts = { ...HOME, addresses: [...HOME.addresses, ...mine] }
      const world = { config, facts, ...(session === undefined ? {} : { session }) }
      return addresses(desiredIn(state, world), facts).filter((line) =>
        /^from (198\.51\.100\.17|2001:db8:2:ff::1)\//.test(line),
      )
    }
    const both = (table: number) => [
      `from 198.51.100.17/32 lookup ${table}`,
      `from 2001:db8:2:ff::1/128 lookup ${table}`,
    ]
    assert.deepEqual(from(FIBRE, 3, 'ended'), both(17060))
    assert.deepEqual(from(HOLD, 3, 'ended'), both(17011))
    assert.deepEqual(from(TUNNEL, 3, AAISP), both(17011))
    assert.deepEqual(from(FIBRE, 3, AAISP), both(17060))
    // Of a path that does not share an address with the tunnel the provider knows nothing.
    assert.deepEqual(from(LTE, 4, AAISP), [])
    assert.deepEqual(from(FIBRE, 4, 'ended'), [])
  })

  it('while IPv6 is refused: an uplink that has it answers over TCP, and nothing new leaves there', () => {
    const facts = {
      ...HOME,
      addresses: [...HOME.addresses, addressOn(4, '2001:db8:4::2/64')],
      routes: [
        ...HOME.routes.filter(({ family }) => family === 4),
        defaultOver(4, '2001:db8:4::1', { metric: 2000 }),
      ],
    }
    const kernel = new ModelKernel(facts)
    const rules = (state: ActiveRoute | undefined, session: World['session'] = 'ended') => {
      const desired = desiredIn(state, { facts: kernel.facts, session })
      kernel.apply(desired)
      assert.deepEqual(kernel.missing(desired).map(describeChange), [])
      return addresses(desired, facts).filter((line) => line.startsWith('from 2001:db8:4::2/'))
    }
    const all = ['from 2001:db8:4::2/128 lookup 17061']
    const answers = ['from 2001:db8:4::2/128 ipproto tcp sport 1-65534 lookup 17061']
    assert.deepEqual(rules(LTE), all)
    assert.deepEqual(rules(FIBRE), answers)
    assert.deepEqual(rules(undefined), answers, 'what an earlier process left')
    assert.deepEqual(rules(TUNNEL, AAISP), all)
    assert.deepEqual(rules(TUNNEL, { ...AAISP, mtu: 1200 }), answers)
    assert.deepEqual(rules({ kind: 'hold', awaited: 'lte' }), answers)
  })

  it('of two tunnels in server use stays with each', () => {
    const plain = failoverConfig().tunnels.map((tunnel) => ({ ...tunnel, defaultroute: false }))
    const [first] = plain
    assert.ok(first)
    const second = { ...first, name: 'other', device: 'l2tp-other', ip6prefixes: [] }
    const config = failoverConfig({ failover: undefined, tunnels: [first, second], uplinks: [] })
    const states = new Map([
      ['aaisp', nextState(undefined, AAISP)],
      ['other', nextState(undefined, { ...AAISP, ipv4: { address: '198.18.0.7', peer: undefined } })],
    ])
    const desired = desiredState(config, SYSTEM, states)
    const lines = addresses(desired, SYSTEM)
    assert.ok(lines.includes('from 203.0.113.10/32 lookup 17011'))
    assert.ok(lines.includes('from 198.18.0.7/32 lookup 17012'))
    assert.ok(lines.includes('fwmark 0x10000/0xff0000 lookup 17011'))
    assert.ok(lines.includes('fwmark 0x20000/0xff0000 lookup 17012'))
    assert.deepEqual(defaults(desired, SYSTEM), [])
  })
})

function bothFamilies(line: string): string[] {
  return [line, line]
}

describe('a tunnel beside failover that has the address of a line', () => {
  it('leaves the line its own packets, those to the LNS among them', () => {
    const config = failoverConfig()
    const beside = {
      ...config,
      failover: config.failover && { ...config.failover, paths: ['fibre', 'lte'] },
      firewalls: [FIREWALL],
    }
    const { filters } = desiredIn(FIBRE, { config: beside, session: AAISP })
    assert.match(
      scriptOf(filters) ?? '',
      /ip saddr 203\.0\.113\.10\/32 oifname \{ "l2tp-aaisp", "pppoe-aaisp" \} accept/,
    )
  })
})

describe('a switch', () => {
  it('between paths of one address changes routes and rules only, what is new first, and no filter', () => {
    const kernel = new ModelKernel(HOME)
    kernel.apply(desiredIn(FIBRE, { session: 'ended' }))
    const lines = kernel.apply(desiredIn(HOLD, { session: 'ended', facts: kernel.facts })).map(describeChange)
    assert.deepEqual(lines.filter((line) => line.startsWith('add route')).sort(), INTO_TUNNEL)
    assert.ok(!lines.some((line) => /nft|device|address|remove route/.test(line)), lines.join('\n'))
    const place = (start: RegExp) => lines.findIndex((line) => start.test(line))
    assert.ok(place(/^add rule .*from 203.0.113.10/) < place(/^remove rule .*from 203.0.113.10/))
  })

  it('through every state and back leaves nothing behind', () => {
    const kernel = new ModelKernel(HOME)
    const journey: [ActiveRoute | undefined, TunnelSession | 'ended' | undefined][] = [
      [undefined, undefined],
      [FIBRE, undefined],
      [HOLD, undefined],
      [TUNNEL, AAISP],
      [LTE, 'ended'],
      [HOLD, 'ended'],
      [TUNNEL, AAISP],
      [FIBRE, AAISP],
      [FIBRE, 'ended'],
    ]
    for (const [state, session] of journey) {
      const desired = desiredIn(state, { facts: kernel.facts, ...(session === undefined ? {} : { session }) })
      kernel.apply(desired)
      assert.deepEqual(kernel.missing(desired).map(describeChange), [])
    }
    const once = new ModelKernel(HOME)
    once.apply(desiredIn(FIBRE, { session: 'ended' }))
    assert.deepEqual(new Set(kernel.facts.routes.map(text)), new Set(once.facts.routes.map(text)))
    assert.deepEqual(new Set(kernel.facts.rules.map(text)), new Set(once.facts.rules.map(text)))
  })

  it('works with uplinks alone', () => {
    const config = failoverConfig({ tunnels: [] })
    assert.ok(config.failover)
    const only = { ...config, failover: { ...config.failover, paths: ['fibre', 'lte'] } }
    assert.deepEqual(defaults(desiredIn(LTE, { config: only })), [
      'add route default (IPv4) via 10.64.0.1 dev wan-4g table 17010 metric 1',
      'add route unreachable default (IPv6) table 17010 metric 1',
    ])
  })
})

describe('any history', () => {
  const path = fc.constantFrom<ActiveRoute | undefined>(FIBRE, TUNNEL, LTE, HOLD, undefined)
  const moment = fc.record({
    active: path,
    session: fc.constantFrom<'up' | 'other' | 'ended'>('up', 'other', 'ended'),
    away: fc.subarray([3, 4]),
    backsUp: fc.constantFrom(undefined, 'fibre'),
    ipv6: fc.boolean(),
  })

  it('leaves nothing to do after each moment, one default for each family, and no trace after a clean stop', () => {
    fc.assert(
      fc.property(fc.array(moment, { minLength: 1, maxLength: 6 }), (history) => {
        const kernel = new ModelKernel(HOME)
        let state = nextState(undefined, undefined)
        const foreign = HOME.routes
        for (const { active: chosen, session, away, backsUp, ipv6 } of history) {
          kernel.facts = withoutLinks(kernel.facts, away)
          const other = { ...AAISP, ipv4: { address: '198.18.0.7', peer: undefined } }
          state = nextState(state, session === 'ended' ? undefined : session === 'up' ? AAISP : other)
          const base = failoverConfig({ firewalls: [FIREWALL] })
          const config = { ...base, tunnels: base.tunnels.map((one) => ({ ...one, backsUp, ipv6 })) }
          const desired = desiredState(config, kernel.facts, new Map([['aaisp', state]]), chosen)
          kernel.apply(desired)
          assert.deepEqual(kernel.missing(desired).map(describeChange), [])
          for (const family of [4, 6] as const) {
            const found = kernel.facts.routes.filter(
              (route) => route.table === 17010 && route.family === family && route.destination.length === 0,
            )
            assert.ok(found.length <= 1, text(found))
            if (chosen !== undefined) assert.equal(found.length, 1)
          }
          kernel.facts = withLinks(kernel.facts, away)
        }
        kernel.apply(NOTHING_DESIRED)
        assert.deepEqual(new Set(kernel.facts.routes.map(text)), new Set(foreign.map(text)))
        assert.deepEqual(kernel.facts.rules, [])
        assert.equal(kernel.nft, undefined)
      }),
      { numRuns: 500, seed: 3 },
    )
  })

  /** As the kernel does when devices vanish. */
  function withoutLinks(facts: Facts, gone: readonly number[]): Facts {
    return {
      ...facts,
      links: facts.links.filter(({ index }) => !gone.includes(index)),
      addresses: facts.addresses.filter(({ link }) => !gone.includes(link)),
      routes: facts.routes.filter(({ nexthops }) => !nexthops.some(({ link }) => gone.includes(link))),
    }
  }

  function withLinks(facts: Facts, back: readonly number[]): Facts {
    return {
      ...facts,
      links: [...facts.links, ...HOME.links.filter(({ index }) => back.includes(index))],
      addresses: [...facts.addresses, ...HOME.addresses.filter(({ link }) => back.includes(link))],
      routes: [
        ...facts.routes,
        ...HOME.routes.filter(({ nexthops }) => nexthops.some(({ link }) => back.includes(link))),
      ],
    }
  }
})

function text(value: unknown): string {
  return JSON.stringify(value)
}
