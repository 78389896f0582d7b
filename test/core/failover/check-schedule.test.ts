/** The times of `standby_check` from clocks that jump, stand still, and know summer time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UTC, type Zone } from '../../../src/core/amounts.ts'
import type { CheckTime } from '../../../src/core/config/types.ts'
import { CheckSchedule } from '../../../src/core/failover/check-schedule.ts'
import { after, millis } from '../../../src/core/time.ts'

const DAILY: CheckTime = { day: undefined, hour: 4, minute: 0 }
const SUNDAYS: CheckTime = { ...DAILY, day: 'sun' }
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A machine whose clock shows `start` at first; `due` holds the wall clock at each check, in UTC. */
function machine(when: CheckTime, start: string, zone: Zone = UTC) {
  const schedule = new CheckSchedule(when, zone)
  const due: string[] = []
  let now = millis(1000)
  let wall = Date.parse(start)
  let again = now
  const look = () => {
    const told = schedule.look(now, new Date(wall))
    if (told.due) due.push(new Date(wall).toISOString().slice(0, 16))
    assert.ok(told.again > now, 'time stands still')
    again = told.again
  }
  look()
  return {
    due,
    run(span: number) {
      const end = after(now, span)
      while (again <= end) {
        wall += again - now
        now = again
        look()
      }
      wall += end - now
      now = end
    },
    /** The wall clock is set; the monotonic one knows nothing. The same as seen after a sleep. */
    jump(to: string | number) {
      wall = typeof to === 'number' ? wall + to : Date.parse(to)
    },
  }
}

test('every day, or every week, at the minute', () => {
  const daily = machine(DAILY, '2026-03-04T00:00:30Z')
  daily.run(3 * DAY)
  assert.deepEqual(daily.due, ['2026-03-04T04:00', '2026-03-05T04:00', '2026-03-06T04:00'])
  // 1 March 2026 is a Sunday.
  const weekly = machine(SUNDAYS, '2026-02-27T12:00Z')
  weekly.run(15 * DAY)
  assert.deepEqual(weekly.due, ['2026-03-01T04:00', '2026-03-08T04:00'])
  const friday = machine({ day: 'fri', hour: 23, minute: 59 }, '2026-03-01T00:00Z')
  friday.run(7 * DAY)
  assert.deepEqual(friday.due, ['2026-03-06T23:59'])
})

test('in local time', () => {
  const far = machine(SUNDAYS, '2026-02-28T00:00Z', () => 11 * 60)
  far.run(2 * DAY)
  assert.deepEqual(far.due, ['2026-02-28T17:00'])
})

test('a start is no check, though the last time was missed', () => {
  const started = machine(DAILY, '2026-03-04T04:00:01Z')
  started.run(HOUR)
  assert.deepEqual(started.due, [])
})

test('a clock that is not set makes none, and neither does setting it', () => {
  const router = machine(DAILY, '1970-01-01T03:59Z')
  router.run(DAY)
  router.jump('2026-03-04T12:00Z')
  router.run(HOUR)
  assert.deepEqual(router.due, [])
  router.run(DAY)
  assert.deepEqual(router.due, ['2026-03-05T04:00'])
})

test('who slept through several makes up for one, soon after', () => {
  const laptop = machine(DAILY, '2026-03-04T03:00Z')
  laptop.run(30 * MINUTE)
  laptop.jump(5 * DAY)
  laptop.run(20 * MINUTE)
  assert.deepEqual(laptop.due, ['2026-03-09T03:31'])
  laptop.run(20 * MINUTE)
  assert.equal(laptop.due.length, 1, 'the next one is so near that it is the same')
  laptop.run(DAY)
  assert.equal(laptop.due[1], '2026-03-10T04:00')
})

test('a laptop that is awake for an hour a day has a check each day', () => {
  const laptop = machine(DAILY, '2026-03-04T03:30Z')
  for (let day = 0; day < 4; day++) {
    laptop.run(HOUR)
    laptop.jump(23 * HOUR)
  }
  assert.equal(laptop.due.length, 4)
})

test('a clock that is set back repeats nothing that was done just now, and goes by what it shows later', () => {
  const back = machine(DAILY, '2026-03-04T03:59Z')
  back.run(10 * MINUTE)
  back.jump(-20 * MINUTE)
  back.run(HOUR)
  assert.deepEqual(back.due, ['2026-03-04T04:00'])
  // It was years ahead: it does not wait for them.
  back.jump('2031-01-01T12:00Z')
  back.run(HOUR)
  back.jump('2026-03-04T15:00Z')
  back.run(DAY)
  assert.deepEqual(back.due.slice(-1), ['2026-03-05T04:00'])
})

test('summer time: an hour that does not exist is the next one, one that comes twice counts once', () => {
  // Central Europe: 29 March 2026 01:00 UTC, 02:00 becomes 03:00; 25 October 2026 01:00 UTC, 03:00 becomes 02:00.
  const zone: Zone = (at) =>
    at.getTime() >= Date.UTC(2026, 2, 29, 1) && at.getTime() < Date.UTC(2026, 9, 25, 1) ? 120 : 60
  const night: CheckTime = { day: undefined, hour: 2, minute: 30 }
  const spring = machine(night, '2026-03-28T00:00Z', zone)
  spring.run(3 * DAY)
  assert.deepEqual(spring.due, ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'])
  const autumn = machine(night, '2026-10-24T00:00Z', zone)
  autumn.run(3 * DAY)
  assert.deepEqual(autumn.due, ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'])
})
