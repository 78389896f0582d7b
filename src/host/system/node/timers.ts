import type { Cancel } from '../../../app/ports.ts'
import type { Timers } from '../port.ts'

/** The longest delay that setTimeout takes, in ms; longer ones would ring at once. */
const MAX_DELAY = 2 ** 31 - 1

/** The timers of libuv. */
export const timers: Timers = {
  now: () => performance.now(),
  start: Number(process.hrtime.bigint()) / 1e6 - performance.now(),
  at,
}

function at(time: number, run: () => void): Cancel {
  let disarm = arm()
  return () => disarm()

  function arm(): Cancel {
    const delay = time - performance.now()
    if (delay <= 0) {
      const due = setImmediate(run)
      return () => clearImmediate(due)
    }
    const timer = setTimeout(ring, Math.min(Math.ceil(delay), MAX_DELAY))
    return () => clearTimeout(timer)
  }

  // libuv counts whole milliseconds and may ring a fraction early.
  function ring(): void {
    if (performance.now() >= time) run()
    else disarm = arm()
  }
}
