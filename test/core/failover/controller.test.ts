import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LINGER, TRIAL_LIMIT } from '../../../src/core/failover/controller.ts'
import { FLAP_WINDOW } from '../../../src/core/failover/damping.ts'
import { millis } from '../../../src/core/time.ts'
import { DIAL_GRACE, FAILBACK_DELAY, FIBRE, LTE, plan, script, TUNNEL } from './controller-script.ts'

/** Fibre has failed, the tunnel carries the traffic. */
function onBackup() {
  const s = script()
  s.start()
  s.fails('fibre')
  s.session('up')
  assert.equal(s.controller.readiness('aaisp'), 'active')
  return s
}

test('starts on the most preferred path; the tunnel is kept warm, the metered path is spared', () => {
  const s = script()
  assert.deepEqual(s.start(), [
    'route fibre',
    'start nothing -> fibre (start)',
    'want aaisp warm',
    'pace lte sparing',
  ])
})

test('fibre dies: the tunnel is dialled while traffic is held, and carries it as soon as its session is up', () => {
  const s = script()
  s.start()
  assert.deepEqual(s.fails('fibre'), ['hold for aaisp', 'want aaisp session', 'pace lte normal'])
  assert.deepEqual(s.session('dialling'), [])
  assert.deepEqual(s.session('up'), [
    'route aaisp',
    'failover fibre -> aaisp (fibre: no answer from 1.1.1.1)',
    'steer fibre on',
    'pace lte sparing',
  ])
})

test('a tunnel that needs longer than the grace is not waited for, and taken when it comes', () => {
  const s = script()
  s.start()
  s.fails('fibre')
  assert.deepEqual(s.run(DIAL_GRACE), [
    `${DIAL_GRACE} route lte`,
    `${DIAL_GRACE} failover fibre -> lte (fibre: no answer from 1.1.1.1)`,
  ])
  assert.deepEqual(s.session('up').slice(0, 2), ['route aaisp', 'failback lte -> aaisp (aaisp works again)'])
})

test('a tunnel whose dial has failed is not waited for', () => {
  const s = script()
  s.start()
  s.fails('fibre')
  assert.deepEqual(s.session('none', true).slice(0, 1), ['route lte'])
})

test('a dead fibre at boot is no different', () => {
  const s = script()
  s.start({ fibre: { health: 'unknown', reason: 'the link came up, probing' } })
  assert.deepEqual(s.fails('fibre').slice(0, 2), ['hold for aaisp', 'want aaisp session'])
})

test('after a reload on backup the traffic stays where it is until the better path has proved itself', () => {
  const s = script()
  const tunnel = { dialable: true, session: 'up', failed: false, idleClosed: 0 } as const
  const first = { fibre: { health: 'unknown' }, aaisp: { tunnel, health: 'unknown' } } as const
  const words = s.start(first, 'aaisp')
  assert.deepEqual(words, ['route aaisp', 'steer fibre on', 'want aaisp session', 'pace lte sparing'])
  assert.deepEqual(s.fails('fibre'), [])
  s.works('fibre')
  assert.equal(s.run(FAILBACK_DELAY)[0], `${FAILBACK_DELAY} route fibre`)
})

test('a first miss raises a cold tunnel to warm and dials no session', () => {
  const s = script([FIBRE, { ...TUNNEL, standby: 'cold' }, LTE])
  assert.ok(s.start().includes('want aaisp cold'))
  assert.deepEqual(s.tell('fibre', { health: 'suspect', troubleSince: millis(0) }), [
    'want aaisp warm',
    'pace lte normal',
  ])
  assert.deepEqual(s.works('fibre'), ['want aaisp cold', 'pace lte sparing'])
})

test('going back to a shared address is a trial with linger, and ends when the uplink is confirmed', () => {
  const s = onBackup()
  assert.deepEqual(s.works('fibre'), [])
  assert.deepEqual(s.run(FAILBACK_DELAY), [
    `${FAILBACK_DELAY} route fibre`,
    `${FAILBACK_DELAY} linger aaisp ${LINGER}`,
    `${FAILBACK_DELAY} steer fibre off`,
    `${FAILBACK_DELAY} want aaisp warm`,
    `${FAILBACK_DELAY} confirm fibre`,
  ])
  s.session('none')
  assert.deepEqual(
    s.input((now) => s.controller.confirmed(now, 'fibre')),
    ['failback aaisp -> fibre (fibre works again)'],
  )
  assert.deepEqual(s.run(FAILBACK_DELAY + TRIAL_LIMIT + 1), [])
})

test('a trial that is not confirmed dials again at once and doubles the delay', () => {
  const s = onBackup()
  s.works('fibre')
  s.run(FAILBACK_DELAY)
  s.session('none')
  const end = FAILBACK_DELAY + TRIAL_LIMIT
  assert.deepEqual(s.run(end), [
    `${end} trial of fibre failed, next after ${2 * FAILBACK_DELAY}`,
    `${end} hold for aaisp`,
    `${end} want aaisp session`,
    `${end} pace lte normal`,
  ])
  assert.deepEqual(s.session('up').slice(0, 1), ['route aaisp'])
  const quiet = s.run(end + 2 * FAILBACK_DELAY)
  assert.deepEqual(quiet, [], 'not tried again before the doubled delay')
  assert.notDeepEqual(s.run(end + 3 * FAILBACK_DELAY), [])
})

test('a drill that ends during a trial has no alarm of its own', () => {
  const s = onBackup()
  s.works('lte')
  s.works('fibre')
  s.input((now) => s.controller.drill(now, 'lte', FAILBACK_DELAY + 100))
  s.run(FAILBACK_DELAY + 100)
  assert.equal(s.controller.pollTimeout(), FAILBACK_DELAY + TRIAL_LIMIT)
})

test('an uplink with an address of its own is gone back to without a trial', () => {
  const s = script(undefined, 'auto', { fibre: ['198.51.100.7'] })
  s.start()
  s.fails('fibre')
  s.session('up')
  s.works('fibre')
  assert.deepEqual(s.run(FAILBACK_DELAY), [
    `${FAILBACK_DELAY} route fibre`,
    `${FAILBACK_DELAY} failback aaisp -> fibre (fibre works again)`,
    `${FAILBACK_DELAY} want aaisp warm`,
  ])
})

test('an uplink that fails again before the delay is over starts it anew', () => {
  const s = onBackup()
  s.works('fibre')
  s.run(FAILBACK_DELAY - 1)
  s.fails('fibre')
  s.works('fibre')
  assert.deepEqual(s.run(2 * FAILBACK_DELAY - 2), [])
})

test('a path that flaps is gone back to after twice the delay', () => {
  const s = onBackup()
  s.works('fibre')
  s.run(FAILBACK_DELAY)
  s.session('none')
  s.input((now) => s.controller.confirmed(now, 'fibre'))
  s.run(FAILBACK_DELAY + FLAP_WINDOW - 1)
  s.fails('fibre')
  s.session('up')
  s.works('fibre')
  const back = FAILBACK_DELAY + FLAP_WINDOW - 1
  assert.deepEqual(s.run(back + 2 * FAILBACK_DELAY - 1), [])
  assert.notDeepEqual(s.run(back + 2 * FAILBACK_DELAY), [])
})

test('a tunnel that has failed waits as any other path, twice as long if it fails again', () => {
  const s = script([TUNNEL, LTE])
  s.start()
  s.session('up')
  assert.equal(s.controller.readiness('aaisp'), 'active')
  assert.equal(s.session('none', true)[0], 'route lte')
  s.session('up')
  assert.deepEqual(s.run(FAILBACK_DELAY - 1), [])
  assert.equal(s.run(FAILBACK_DELAY)[0], `${FAILBACK_DELAY} route aaisp`)
  s.session('none', true)
  s.session('up')
  assert.deepEqual(s.run(3 * FAILBACK_DELAY - 1), [])
  assert.equal(s.run(3 * FAILBACK_DELAY)[0], `${3 * FAILBACK_DELAY} route aaisp`)
})

test('each path has a delay of its own: one that flaps makes no other wait', () => {
  const s = script([FIBRE, plan('cable', 'uplink'), LTE], 'auto', { cable: ['198.51.100.9'] })
  s.start()
  s.fails('fibre')
  s.works('fibre')
  s.run(FAILBACK_DELAY)
  s.fails('fibre')
  s.fails('cable')
  s.works('cable')
  assert.equal(s.run(2 * FAILBACK_DELAY)[0], `${2 * FAILBACK_DELAY} route cable`)
})

test('a line that has failed is not hurried back to on its carrier alone while another works', () => {
  const s = script([FIBRE, TUNNEL, LTE])
  s.start()
  s.fails('fibre', 'lost carrier')
  const unproven = { health: 'unknown', reason: 'the link came up, probing' } as const
  assert.deepEqual(s.tell('fibre', unproven), [])
  assert.deepEqual(s.works('fibre').slice(0, 1), ['route fibre'])
  s.fails('lte')
  s.session('none', true)
  s.fails('fibre', 'lost carrier')
  s.tell('fibre', unproven)
  assert.equal(s.controller.readiness('fibre'), 'active', 'where nothing else works it may have another try')
})

test('hot is refused for a tunnel whose address a better path has', () => {
  const s = script([FIBRE, { ...TUNNEL, standby: 'hot' }, LTE])
  assert.ok(s.start().includes('want aaisp warm'))
  assert.match(s.controller.problem ?? '', /aaisp cannot be hot/)
  const own = script([FIBRE, { ...TUNNEL, standby: 'hot', backsUp: 'other' }, LTE])
  assert.ok(own.start().includes('want aaisp session'))
  assert.equal(own.controller.problem, undefined)
})

test('an LNS that keeps closing idle tunnels gets none', () => {
  const s = script()
  s.start()
  const tunnel = { dialable: true, session: 'none', failed: false, idleClosed: 2 } as const
  assert.deepEqual(s.tell('aaisp', { tunnel }), ['want aaisp cold'])
})

test('a pinned path is used whatever the others are like, and said to be a problem when it fails', () => {
  const s = script()
  s.start()
  assert.deepEqual(
    s.input((now) => s.controller.setMode(now, 'lte')),
    ['route lte', 'manual fibre -> lte (use lte)', 'pace lte normal'],
  )
  assert.deepEqual(s.run(3_600_000), [])
  s.fails('lte', 'the link is down')
  assert.equal(s.controller.problem, 'pinned to lte, whose probes fail: the link is down')
  assert.deepEqual(s.input((now) => s.controller.setMode(now, 'auto')).slice(0, 1), ['route fibre'])
})

test('pinning the tunnel dials it and goes there; what works carries the traffic until it is dialled', () => {
  const s = script()
  s.start()
  assert.deepEqual(
    s.input((now) => s.controller.setMode(now, 'aaisp')),
    ['want aaisp session'],
  )
  assert.deepEqual(s.controller.active, { kind: 'path', name: 'fibre' })
  assert.deepEqual(s.session('up').slice(0, 1), ['route aaisp'])
})

test('a drill treats the path as dead, and goes back without a delay', () => {
  const s = script()
  s.start()
  assert.deepEqual(
    s.input((now) => s.controller.drill(now, 'fibre', 20_000)),
    ['hold for aaisp', 'want aaisp session', 'pace lte normal'],
  )
  assert.equal(s.session('up')[1], 'drill fibre -> aaisp (drill)')
  assert.deepEqual(s.run(20_000).slice(0, 1), ['20000 route fibre'])
})

test('to use a path ends its drill', () => {
  const s = script()
  s.start()
  s.input((now) => s.controller.drill(now, 'aaisp', 20_000))
  assert.deepEqual(
    s.input((now) => s.controller.setMode(now, 'aaisp')),
    ['want aaisp session'],
  )
  assert.equal(s.session('up')[0], 'route aaisp')
})

test('a tunnel that is drilled is not dialled: its session would take the address of a line that may yet work', () => {
  const s = script()
  s.start()
  s.input((now) => s.controller.drill(now, 'aaisp', 20_000))
  assert.deepEqual(s.fails('lte'), [])
  assert.deepEqual(s.fails('fibre'), ['pace lte normal'])
  assert.deepEqual(s.run(20_000), ['20000 hold for aaisp', '20000 want aaisp session'])
})

test('the path that carries the traffic is left when it is cut off, though no other works', () => {
  const s = script([FIBRE, LTE])
  s.start()
  s.fails('fibre')
  assert.equal(s.tell('lte', { cutOff: true })[0], 'hold for fibre')
  assert.deepEqual(s.tell('lte', { cutOff: false }).slice(0, 1), ['route lte'])
})

test('a path cut off by its budget is not used while any other works', () => {
  const s = script([FIBRE, LTE])
  s.start()
  s.tell('lte', { cutOff: true })
  assert.deepEqual(s.fails('fibre'), ['pace lte normal'])
  assert.equal(s.controller.problem, 'no path works')
})

test('with no path at all traffic stays where it was', () => {
  const s = script([FIBRE, LTE])
  s.start()
  s.fails('lte')
  assert.deepEqual(
    s.fails('fibre').filter((word) => word.startsWith('route')),
    [],
  )
  assert.deepEqual(s.works('lte').slice(0, 1), ['route lte'])
})

test('a tunnel that is dialled for longer than its grace, with nothing else that works, is waited for in silence', () => {
  const s = script()
  s.start()
  s.fails('lte')
  s.fails('fibre')
  s.session('dialling')
  assert.deepEqual(s.run(DIAL_GRACE + 60_000), [])
  assert.equal(s.controller.pollTimeout(), undefined)
  assert.deepEqual(s.session('up').slice(0, 1), ['route aaisp'])
})
