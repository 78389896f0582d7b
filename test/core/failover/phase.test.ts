/** What the phases of the choice carry from one to the next: since when, why, and what is planned. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TRIAL_LIMIT } from '../../../src/core/failover/trial.ts'
import type { PathFacts, PathPlan } from '../../../src/core/failover/types.ts'
import { millis } from '../../../src/core/time.ts'
import { FAILBACK_DELAY, FIBRE, LTE, plan, script, TUNNEL } from './controller-script.ts'

const CABLE = plan('cable', 'uplink')
const DEAD: Partial<PathFacts> = { link: false, health: 'down', ipv4: 'down', reason: 'lost carrier' }
/** Of both families, of which the required one has failed. */
const HALF: Partial<PathFacts> = { health: 'down', ipv4: 'down', ipv6: 'up', reason: 'lost IPv4' }

type Script = ReturnType<typeof script>

/** The last failed path works again, and after its delay the traffic is on it for a trial. */
function onTrial(
  paths: readonly PathPlan[],
  uplink: string,
  addresses = {},
  dead: readonly string[] = [],
): Script {
  const s = script(paths, 'auto', addresses)
  s.start(Object.fromEntries(dead.map((name) => [name, DEAD])))
  s.fails(uplink)
  s.session('up')
  s.works(uplink)
  s.run(FAILBACK_DELAY)
  assert.equal(s.controller.pollTimeout(), FAILBACK_DELAY + TRIAL_LIMIT)
  s.session('none')
  return s
}

/** When the trouble began that the switches of `run` tell of. */
function troubles(s: Script, run: () => void): (number | undefined)[] {
  const seen: (number | undefined)[] = []
  const poll = s.controller.pollAction.bind(s.controller)
  s.controller.pollAction = () => {
    const action = poll()
    if (action?.type === 'switched') seen.push(action.troubleSince)
    return action
  }
  run()
  return seen
}

test('what is confirmed has carried the traffic since its trial began', () => {
  const s = onTrial([FIBRE, TUNNEL], 'fibre')
  s.run(FAILBACK_DELAY + 500)
  s.input((now) => s.controller.confirmed(now, 'fibre'))
  assert.equal(s.controller.since, FAILBACK_DELAY)
})

test('a trial that fails was trouble from its beginning', () => {
  const s = onTrial([FIBRE, TUNNEL], 'fibre')
  const seen = troubles(s, () => {
    s.run(FAILBACK_DELAY + TRIAL_LIMIT)
    // Its tunnel cannot be dialled again, so that fibre is all that there is.
    s.tell('aaisp', { tunnel: { dialable: true, session: 'none', failed: true, idleClosed: 0 } })
    s.run(2 * FAILBACK_DELAY + TRIAL_LIMIT)
  })
  assert.deepEqual(seen, [FAILBACK_DELAY])
})

test('a drill that ended during a trial is gone back from once the trial is over, at once', () => {
  const addresses = { fibre: ['192.0.2.1'] }
  const s = onTrial([FIBRE, CABLE, TUNNEL], 'cable', addresses, ['fibre'])
  s.input((now) => s.controller.drill(now, 'fibre', 500))
  s.works('fibre')
  s.tell('fibre', { link: true })
  assert.deepEqual(s.run(FAILBACK_DELAY + 600), [])
  assert.deepEqual(
    s.input((now) => s.controller.confirmed(now, 'cable')).filter((word) => !/^(steer|want)/.test(word)),
    [
      'failback aaisp -> cable (cable works again)',
      'route fibre',
      'drill cable -> fibre (the drill is over)',
    ],
  )
})

test('a session that ended for a trial is not dialled again while the trial lasts, though it is preferred', () => {
  const tunnel = { dialable: true, session: 'up', failed: false, idleClosed: 0 } as const
  const s = script([TUNNEL, FIBRE])
  const both = { ipv4: 'up', ipv6: 'up', health: 'up', link: true } as const
  s.start({ aaisp: { ...both, tunnel }, fibre: both })
  assert.equal(s.controller.readiness('aaisp'), 'active')
  s.tell('aaisp', { ipv6: 'down', lost: [6], reason: 'lost IPv6' })
  s.run(FAILBACK_DELAY)
  assert.equal(s.controller.pollTimeout(), FAILBACK_DELAY + TRIAL_LIMIT)
  assert.deepEqual(s.session('none'), [])
})

test('traffic that is held is held since then, whatever else is heard meanwhile', () => {
  const s = script([FIBRE, TUNNEL])
  s.start()
  s.run(1_000)
  assert.ok(s.fails('fibre').includes('hold for aaisp'))
  s.run(3_000)
  s.fails('fibre', 'lost carrier')
  s.session('dialling')
  assert.equal(s.controller.since, 1_000)
})

test('traffic that is held is told of the tunnel that it waits for now', () => {
  const s = script([FIBRE, TUNNEL, plan('other', 'tunnel')])
  s.start()
  s.fails('fibre')
  assert.deepEqual(s.controller.active, { kind: 'hold', awaited: 'aaisp' })
  assert.ok(s.session('none', true).includes('hold for other'))
})

test('who asks for another path while half of one is used is told since when the rest was lost', () => {
  const s = script([FIBRE, LTE])
  s.start({ fibre: { ipv6: 'up' }, lte: DEAD })
  s.run(1_000)
  s.tell('fibre', { ...HALF, troubleSince: millis(1_000) })
  s.run(5_000)
  const seen = troubles(s, () => {
    s.tell('fibre', { troubleSince: undefined })
    s.input((now) => s.controller.setMode(now, 'lte'))
    s.run(6_000)
    s.tell('lte', { link: true, health: 'up', ipv4: 'up' })
  })
  assert.deepEqual(seen, [1_000])
})

test('who asks for the best path before anything is decided is not made to wait either', () => {
  const s = script([FIBRE, LTE], 'lte')
  s.tell('fibre', {})
  s.tell('lte', {})
  s.input((now) => s.controller.setMode(now, 'auto'))
  assert.deepEqual(
    s.input((now) => s.controller.begin(now, 'lte')).filter((word) => !/^pace/.test(word)),
    ['route lte', 'route fibre', 'manual lte -> fibre (use auto)'],
  )
})
