/** "Is my backup ready?" is answered by what is, not by what was wanted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failoverPatch } from '../../../src/app/failover/failover-status.ts'
import type { PathWatcher } from '../../../src/app/failover/path-watcher.ts'
import type { Verdict } from '../../../src/app/failover/standby-checks.ts'
import type { TunnelPath } from '../../../src/app/tunnel/tunnel-status.ts'
import { DEFAULT_PROBE } from '../../../src/core/config/probe.ts'
import { FailoverController } from '../../../src/core/failover/controller.ts'
import { PathHealth } from '../../../src/core/failover/health.ts'
import type { PathPlan } from '../../../src/core/failover/types.ts'
import { millis } from '../../../src/core/time.ts'

const PLAN = { backsUp: undefined, metered: false }
const PLANS: readonly PathPlan[] = [
  { ...PLAN, name: 'fibre', kind: 'uplink', standby: 'hot' },
  { ...PLAN, name: 'aaisp', kind: 'tunnel', standby: 'hot' },
]
const IDLE: TunnelPath = {
  device: 'l2tp-aaisp',
  dialable: true,
  session: 'none',
  failed: false,
  problem: null,
  control: false,
  heardAt: undefined,
  idleClosed: 0,
  address: undefined,
  addresses: [],
  dns: [],
}

/** What is told of the tunnel that stands by behind fibre. */
function told(tunnel: Partial<TunnelPath>, probed: 'up' | 'down' = 'down', verdict?: Verdict) {
  const controller = new FailoverController({
    paths: PLANS,
    mode: 'auto',
    dialGrace: 5000,
    failbackDelay: 10_000,
  })
  const health = new PathHealth(DEFAULT_PROBE)
  health.link(millis(0), probed === 'up', 'the tunnel is not up')
  if (probed === 'up') health.targets(millis(0), [], new Set())
  const watchers = new Map(PLANS.map(({ name }) => [name, { health } as PathWatcher]))
  const patch = failoverPatch(
    controller,
    watchers,
    { kind: 'path', name: 'fibre' },
    (name) => (name === 'aaisp' ? { ...IDLE, ...tunnel } : undefined),
    (name) => (name === 'aaisp' ? verdict : undefined),
  )
  const { health: state, readiness, reason, ready, heard_at } = patch.path?.aaisp ?? assert.fail()
  return { told: [state, readiness, ready, reason], heard_at, backup: patch.backup }
}

test('a warm tunnel is well, and its LNS was heard', () => {
  const warm = told({ control: true, heardAt: millis(1234) })
  assert.deepEqual(warm.told, ['up', 'warm', true, 'stands by: its LNS answers'])
  assert.equal(warm.heard_at, 1234)
  assert.deepEqual(warm.backup, { path: 'aaisp', ready: true })
})

test('what was to be hot and has no answer is neither hot nor ready', () => {
  assert.deepEqual(told({ failed: true }).told, ['down', 'cold', false, 'could not be dialled'])
  assert.deepEqual(told({ dialable: false }).backup, { path: 'aaisp', ready: false })
})

test('of a cold tunnel nobody knows', () => {
  const cold = told({})
  assert.deepEqual(cold.told, ['unknown', 'cold', null, 'stands by without a connection to its LNS'])
  assert.deepEqual(cold.backup, { path: 'aaisp', ready: null })
})

test('a session whose probes are answered is hot', () => {
  const [health, readiness, ready] = told({ session: 'up', control: true }, 'up').told
  assert.deepEqual([health, readiness, ready], ['up', 'hot', true])
})

test('a test that failed stands against an LNS that answers; one that was passed speaks for a cold tunnel', () => {
  const reason = 'did not pass its last test: it got no session'
  const warm = told({ control: true, heardAt: millis(1234) }, 'down', { ok: false, reason })
  assert.deepEqual(warm.told, ['down', 'warm', false, reason])
  assert.deepEqual(warm.backup, { path: 'aaisp', ready: false })
  const passed = { ok: true, reason: 'worked when it was tested' }
  const cold = told({}, 'down', passed)
  assert.deepEqual(cold.told, ['unknown', 'cold', true, passed.reason])
  const failed = told({ failed: true }, 'down', passed)
  assert.deepEqual(failed.told, ['down', 'cold', false, 'could not be dialled'])
})
