import assert from 'node:assert/strict'
import { test } from 'node:test'
import { after, type Millis } from '../../../src/core/time.ts'
import { systemClock as clock } from '../../../src/host/clock.ts'

function ring(at: Millis): Promise<Millis> {
  return new Promise((resolve) => clock.alarm(at, () => resolve(clock.now())))
}

test('an alarm rings at or after its instant, never before', async () => {
  const instants = Array.from({ length: 40 }, (_, i) => after(clock.now(), 1 + i * 0.37))
  const rung = await Promise.all(instants.map(ring))
  for (const [i, at] of instants.entries()) assert.ok((rung[i] ?? 0) >= at, `${rung[i]} < ${at}`)
})

test('an alarm for the past rings soon, but not at once', async () => {
  let rung = false
  clock.alarm(after(clock.now(), -1000), () => {
    rung = true
  })
  assert.equal(rung, false)
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(rung, true)
})

test('a cancelled alarm is silent, and so is one for next month', async () => {
  let rung = 0
  const count = () => {
    rung++
  }
  clock.alarm(after(clock.now(), -1), count)()
  clock.alarm(after(clock.now(), 5), count)()
  const cancel = clock.alarm(after(clock.now(), 2 ** 31 + 1000), count)
  await new Promise((resolve) => setTimeout(resolve, 50))
  cancel()
  assert.equal(rung, 0)
})
