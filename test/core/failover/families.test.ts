/** IPv4 and IPv6 fail separately; so does what pins a path, and what asks to go back. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ProbeTarget, Require } from '../../../src/core/config/types.ts'
import { defaultTargets } from '../../../src/core/failover/targets.ts'
import type { PathFacts } from '../../../src/core/failover/types.ts'
import { ipFamily } from '../../../src/core/ip/address.ts'
import { millis } from '../../../src/core/time.ts'
import { FAILBACK_DELAY, FIBRE, LTE, plan, script, TUNNEL } from './controller-script.ts'
import { ANYCAST, PathScript } from './path-script.ts'

const ANYCAST6: ProbeTarget = { kind: 'icmp', address: '2001:db8:53::1' }
const OTHER6: ProbeTarget = { kind: 'icmp', address: '2001:db8:53::2' }
const CABLE = plan('cable', 'uplink')

/** A path of both families that is well. */
function dual(require: Require = 'ipv4'): PathScript {
  return PathScript.up({ require }, [ANYCAST, ANYCAST6, OTHER6])
}

/** Only probes of these families are answered from now on. */
function only(path: PathScript, ...families: readonly (4 | 6)[]): void {
  path.answer = ({ target }) =>
    families.some((family) => ipFamily(target.address) === family) ? 20 : undefined
}

describe('health', () => {
  test('a path that lost IPv4 while IPv6 is answered is down, and says which family it is', () => {
    const path = dual()
    only(path, 6)
    path.run(5_000)
    assert.equal(path.health.health, 'down')
    assert.equal(path.health.reason, 'lost IPv4: no answer from 198.51.100.1')
    assert.deepEqual([path.health.family(4), path.health.family(6)], ['down', 'up'])
    path.answer = () => 20
    path.run(20_000)
    assert.equal(path.health.health, 'up')
  })

  test('a path that lost IPv6 alone is up, and says so all the same', () => {
    const path = dual()
    only(path, 4)
    path.run(5_000)
    assert.equal(path.health.health, 'up')
    assert.deepEqual(path.health.lost, [6])
    assert.equal(path.health.reason, 'lost IPv6: no answer from 2001:db8:53::1, 2001:db8:53::2')
  })

  test('which families have to work is for the user to say', () => {
    const outcomes = (['ipv4', 'ipv6', 'both', 'any'] as const).map((require) => {
      const healths = ([4, 6] as const).map((survivor) => {
        const path = dual(require)
        only(path, survivor)
        path.run(5_000)
        return path.health.health
      })
      const path = dual(require)
      path.silence()
      path.run(5_000)
      return [require, ...healths, path.health.health]
    })
    assert.deepEqual(outcomes, [
      ['ipv4', 'up', 'down', 'down'],
      ['ipv6', 'down', 'up', 'down'],
      ['both', 'down', 'down', 'down'],
      ['any', 'up', 'up', 'down'],
    ])
  })

  test('LCP echoes speak for no family that is silent beside one that is answered', () => {
    for (const phase of [0, 150, 400, 700, 950]) {
      const path = dual()
      path.run(phase)
      only(path, 6)
      let next = path.now
      path.run(
        10_000,
        (now) => {
          if (now < next) return
          next = millis(next + 1000)
          path.health.life(now)
        },
        50,
      )
      assert.equal(path.health.health, 'down', `phase ${phase}`)
    }
  })

  test('an address that went is a family lost, one that never was is none', () => {
    const path = dual()
    assert.deepEqual(dual('both').health.absent, [])
    path.health.targets(path.now, [ANYCAST], new Set(), [4])
    assert.deepEqual(path.health.lost, [6])
    assert.equal(path.health.reason, 'lost IPv6: it has no IPv6 address any more')
    const plain = PathScript.up({}, [ANYCAST])
    assert.deepEqual([plain.health.family(6), plain.health.lost], ['none', []])
    assert.deepEqual(PathScript.up({ require: 'both' }, [ANYCAST]).health.absent, [6])
  })

  test('a family that is answered nowhere is no fault of the path', () => {
    const path = new PathScript()
    path.link(true)
    only(path, 4)
    path.targets([ANYCAST, ANYCAST6], [ANYCAST])
    path.run(30_000)
    assert.equal(path.health.health, 'up')
    assert.deepEqual([path.health.family(6), path.health.lost], ['unknown', []])
  })

  test('the resolvers of a path are probed beside two targets of each family', () => {
    const families = defaultTargets(['192.0.2.53', '2001:db8::53']).map(({ address }) => ipFamily(address))
    assert.deepEqual(families.filter((family) => family === 4).length, 3)
    assert.deepEqual(families.filter((family) => family === 6).length, 3)
  })
})

const BOTH: Partial<PathFacts> = { health: 'up', ipv4: 'up', ipv6: 'up' }
const LOST4: Partial<PathFacts> = {
  health: 'down',
  reason: 'lost IPv4: no answer from 1.1.1.1',
  ipv4: 'down',
  ipv6: 'up',
}
const LOST6: Partial<PathFacts> = { reason: 'lost IPv6: no answer from 2001:db8::1', ipv6: 'down', lost: [6] }

describe('choice', () => {
  test('a path that lost IPv4 is left for one that has it, which says why', () => {
    const s = script([FIBRE, LTE])
    s.start({ fibre: BOTH })
    assert.deepEqual(s.tell('fibre', LOST4).slice(0, 2), [
      'route lte',
      'failover fibre -> lte (fibre: lost IPv4: no answer from 1.1.1.1)',
    ])
  })

  test('while a tunnel is dialled what still gets through is not held back', () => {
    const s = script()
    s.start({ fibre: BOTH })
    assert.deepEqual(s.tell('fibre', LOST4), ['want aaisp session', 'pace lte normal'])
    assert.equal(s.session('up')[0], 'route aaisp')
  })

  test('where no other has IPv4, within its budget, IPv6 goes on as it was', () => {
    const s = script([FIBRE, LTE])
    s.start({ fibre: BOTH })
    s.tell('lte', { cutOff: true })
    assert.deepEqual(s.tell('fibre', LOST4), ['pace lte normal'])
    assert.equal(
      s.controller.problem,
      'no path does what option require wants: fibre lost IPv4: no answer from 1.1.1.1',
    )
    assert.equal(s.tell('lte', { cutOff: false })[0], 'route lte')
  })

  test('a dead path is left for half a path, if there is no whole one', () => {
    const s = script([FIBRE, LTE])
    s.start({ lte: { ...LOST4 } })
    assert.equal(s.fails('fibre')[0], 'route lte')
    s.works('lte')
    assert.equal(s.works('fibre').length, 0)
    assert.equal(s.run(FAILBACK_DELAY)[0], `${FAILBACK_DELAY} route fibre`)
  })

  test('a path that lost IPv6 alone is left for no other that has none', () => {
    const s = script([FIBRE, LTE])
    s.start({ fibre: BOTH })
    assert.deepEqual(s.tell('fibre', LOST6), [])
    assert.deepEqual(s.run(3_600_000), [])
    assert.equal(s.controller.problem, 'fibre lost IPv6: no answer from 2001:db8::1')
  })

  test('it is left, without hurry, for one on which both work, and taken again once it has both', () => {
    const s = script([FIBRE, LTE, CABLE])
    s.start({ fibre: BOTH, cable: BOTH })
    s.tell('fibre', LOST6)
    assert.deepEqual(
      s.run(FAILBACK_DELAY),
      [
        `${FAILBACK_DELAY} route cable`,
        `${FAILBACK_DELAY} failover fibre -> cable (fibre: lost IPv6: no answer from 2001:db8::1)`,
        `${FAILBACK_DELAY} pace lte sparing`,
      ].slice(0, 2),
    )
    assert.deepEqual(s.run(300_000), [], 'lte, which is better, has but one family')
    s.tell('fibre', { ...BOTH, lost: [], reason: 'probes are answered' })
    assert.equal(s.run(320_000)[0], `${300_000 + FAILBACK_DELAY} route fibre`)
  })

  test('a session that is of no use gives back the address of a line that works', () => {
    const s = script([FIBRE, TUNNEL])
    s.start({ fibre: BOTH })
    s.tell('fibre', { health: 'down', reason: 'lost IPv6: no answer', ipv6: 'down' })
    const tunnel = { dialable: true, session: 'up', failed: false, idleClosed: 0 } as const
    s.tell('aaisp', {
      tunnel,
      link: true,
      health: 'down',
      reason: 'has no IPv6 address',
      ipv4: 'up',
      ipv6: 'none',
    })
    assert.deepEqual(s.run(5_000), ['5000 want aaisp warm'])
    s.session('none')
    assert.deepEqual(s.run(5_000 + FAILBACK_DELAY - 1), [])
    assert.deepEqual(s.run(5_000 + FAILBACK_DELAY), [`${5_000 + FAILBACK_DELAY} want aaisp session`])
  })
})

describe('who asks', () => {
  test('pins a path whose probes fail, as long as it can carry a packet at all', () => {
    const s = script()
    s.start()
    s.fails('lte')
    assert.deepEqual(s.input((now) => s.controller.setMode(now, 'lte')).slice(0, 2), [
      'route lte',
      'manual fibre -> lte (use lte)',
    ])
    assert.equal(s.controller.problem, 'pinned to lte, whose probes fail: no answer from 1.1.1.1')
    assert.deepEqual(s.run(600_000), [])
  })

  test('does so by the configuration as well', () => {
    const s = script([FIBRE, LTE], 'lte')
    const dead = { health: 'down', ipv4: 'down', reason: 'no answer from 1.1.1.1' } as const
    assert.equal(s.start({ lte: dead })[0], 'route lte')
  })

  test('is told so as well of a path that the configuration pins while another one carries the traffic', () => {
    const s = script([FIBRE, LTE], 'lte')
    assert.equal(s.start({}, 'fibre').at(-1), 'manual fibre -> lte (pinned to lte)')
  })

  test('is told of a pinned path that does half of what is required that it does, not that probes fail', () => {
    const s = script([FIBRE, LTE], 'lte')
    s.start({ lte: { health: 'down', reason: 'has no IPv6 address', ipv4: 'up', ipv6: 'none' } })
    assert.equal(
      s.controller.problem,
      'pinned to lte, which does not do what option require wants: has no IPv6 address',
    )
  })

  test('does not pin what cannot carry a packet', () => {
    const s = script([FIBRE, LTE])
    s.start()
    s.tell('lte', { health: 'down', ipv4: 'down', link: false, reason: 'lost carrier' })
    assert.deepEqual(
      s.input((now) => s.controller.setMode(now, 'lte')),
      [],
    )
    assert.equal(s.controller.problem, 'pinned to lte, which cannot carry traffic: lost carrier')
    assert.equal(s.tell('lte', { link: true })[0], 'route lte')
  })

  test('goes straight back to the best path that is up: no tunnel is dialled on the way', () => {
    const s = script()
    s.start()
    s.input((now) => s.controller.setMode(now, 'lte'))
    assert.deepEqual(
      s.input((now) => s.controller.setMode(now, 'auto')),
      ['route fibre', 'manual lte -> fibre (use auto)', 'pace lte sparing'],
    )
    assert.deepEqual(s.run(60_000), [])
  })

  test('goes back from a pinned path that is dead for the reason that was given', () => {
    const s = script([FIBRE, LTE])
    s.start()
    s.input((now) => s.controller.setMode(now, 'lte'))
    s.fails('lte')
    const words = s.input((now) => s.controller.setMode(now, 'auto'))
    assert.equal(words[1], 'manual lte -> fibre (use auto)')
  })

  test('comes back from a drill by the drill, and only from a failure by a failback', () => {
    const s = script([FIBRE, LTE])
    s.start()
    assert.equal(s.input((now) => s.controller.drill(now, 'fibre', 20_000))[1], 'drill fibre -> lte (drill)')
    assert.equal(s.run(20_000)[1], '20000 drill lte -> fibre (the drill is over)')
    s.fails('fibre')
    s.works('fibre')
    assert.match(s.run(120_000)[1] ?? '', /failback lte -> fibre \(fibre works again\)/)
  })
})

test('a tunnel that is warm is not dialled for a family that is not required', () => {
  const s = script([FIBRE, TUNNEL])
  s.start({ fibre: BOTH })
  assert.deepEqual(s.tell('fibre', LOST6), [])
})

describe('what an outage lasted', () => {
  /** How long before each switch the traffic was in trouble, in ms. */
  function outages(s: ReturnType<typeof script>, run: () => void): (number | undefined)[] {
    const seen: (number | undefined)[] = []
    const { controller } = s
    const poll = controller.pollAction.bind(controller)
    controller.pollAction = () => {
      const action = poll()
      if (action?.type === 'switched')
        seen.push(action.troubleSince === undefined ? undefined : s.now() - action.troubleSince)
      return action
    }
    run()
    return seen
  }
  const ask = (s: ReturnType<typeof script>, mode: string) =>
    s.input((now) => s.controller.setMode(now, mode))

  test('is not the time for which a pinned path could not be had while another carried the traffic', () => {
    const s = script([FIBRE, LTE])
    s.start({ lte: { link: false, health: 'down', reason: 'lost carrier' } })
    const seen = outages(s, () => {
      ask(s, 'lte')
      s.run(60_000)
      s.tell('lte', { link: true })
    })
    assert.deepEqual(seen, [0])
  })

  test('begins when the traffic came to a path that was dead long before', () => {
    const s = script([FIBRE, LTE])
    s.start()
    s.fails('fibre')
    s.run(60_000)
    const seen = outages(s, () => {
      ask(s, 'fibre')
      s.run(63_000)
      ask(s, 'auto')
    })
    assert.deepEqual(seen, [0, 3_000])
  })

  test('begins when what carried the traffic beside a pinned path that never came fails as well', () => {
    const s = script([FIBRE, LTE, CABLE])
    s.start({ lte: { link: false, health: 'down', reason: 'lost carrier' } })
    const seen = outages(s, () => {
      ask(s, 'lte')
      s.run(60_000)
      s.fails('fibre')
      s.run(64_000)
      s.tell('lte', { link: true })
    })
    assert.deepEqual(seen, [4_000])
  })
})
