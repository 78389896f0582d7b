import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hooks } from '../../src/app/hooks.ts'
import type { HookRunner } from '../../src/app/ports.ts'
import { StatusStore } from '../../src/app/status-store.ts'
import type { HookEvent } from '../../src/core/hooks.ts'
import { MemoryLog } from '../memory-log.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** Runs hooks until it is told that they have ended. */
class FakeRunner implements HookRunner {
  readonly begun: string[] = []
  aborted = false
  finish: () => void = () => {}

  run({ name, environment }: HookEvent, signal: AbortSignal): Promise<void> {
    this.begun.push(`${name} ${environment.LIFELINE_PATH}`)
    return new Promise((resolve) => {
      this.finish = resolve
      signal.addEventListener('abort', () => {
        this.aborted = true
        resolve()
      })
    })
  }
}

function make() {
  const clock = new VirtualClock({ start: 0 })
  const status = new StatusStore(clock, '0.1.0')
  const tunnels = [{ name: 'aaisp', device: 'l2tp-aaisp', defaultroute: true, enabled: true }]
  status.configure({
    node: 'router',
    tunnels,
    uplinks: [{ name: 'fibre', device: { by: 'name', name: 'eth0' } }],
  })
  const runner = new FakeRunner()
  const log = new MemoryLog()
  const hooks = new Hooks({ status, runner, clock, log })
  const failover = (to: string) => status.event('failover', { from: 'fibre', to, cause: 'x', outage_ms: 1 })
  return { clock, status, runner, log, hooks, failover }
}

test('hooks begin after what they are about', async () => {
  const { clock, runner, failover } = make()
  failover('aaisp')
  await clock.pass(99)
  assert.deepEqual(runner.begun, [])
  await clock.pass(1)
  assert.deepEqual(runner.begun, ['failover aaisp'])
})

test('one event at a time, in order; an event after a pause begins anew', async () => {
  const { clock, runner, failover } = make()
  failover('one')
  failover('two')
  await clock.pass(100)
  assert.deepEqual(runner.begun, ['failover one'])
  failover('three')
  runner.finish()
  await clock.pass(0)
  assert.deepEqual(runner.begun, ['failover one', 'failover two'])
  runner.finish()
  await clock.pass(0)
  runner.finish()
  await clock.pass(0)
  failover('four')
  await clock.pass(100)
  assert.deepEqual(runner.begun.slice(2), ['failover three', 'failover four'])
})

test('the addresses are those of the instant of the event, not of when the hook runs', async () => {
  const { clock, status, runner, hooks } = make()
  const seen: (string | undefined)[] = []
  runner.run = async ({ environment }) => {
    seen.push(environment.LIFELINE_IPV4)
  }
  status.tunnel('aaisp', { state: 'up', ipv4: { address: '203.0.113.10', peer: null, reason: null } })
  status.tunnel('aaisp', { ipv4: { address: '203.0.113.11', peer: null, reason: null } })
  await clock.pass(100)
  assert.ok(seen.length > 0)
  assert.deepEqual(new Set(seen), new Set(['203.0.113.10']))
  await hooks.close()
})

test('of more than 32 events that wait the oldest are left out, and that is said', async () => {
  const { clock, runner, log, failover } = make()
  failover('running')
  await clock.pass(100)
  for (let i = 0; i < 34; i++) failover(`${i}`)
  assert.equal(log.complaints.length, 2)
  runner.finish()
  await clock.pass(0)
  assert.equal(runner.begun.at(-1), 'failover 2')
})

test('close waits for the hooks of what happened, for 5 s', async () => {
  const { clock, runner, hooks, failover } = make()
  failover('aaisp')
  let closed = false
  const closing = hooks.close().then(() => {
    closed = true
  })
  await clock.pass(0)
  assert.deepEqual(runner.begun, ['failover aaisp'], 'it begins at once')
  failover('later')
  await clock.pass(4999)
  assert.equal(closed, false)
  await clock.pass(1)
  await closing
  assert.equal(runner.aborted, true)
  assert.equal(runner.begun.length, 1)
})

test('close ends as soon as the hooks have, and at once without any', async () => {
  const { clock, runner, hooks, failover } = make()
  failover('aaisp')
  failover('fibre')
  const closing = hooks.close()
  await clock.pass(0)
  runner.finish()
  await clock.pass(0)
  runner.finish()
  await closing
  assert.equal(runner.aborted, false)
  assert.deepEqual(runner.begun, ['failover aaisp', 'failover fibre'])
  await make().hooks.close()
})
