import type { Cancel, Clock } from '../app/ports.ts'
import { type Millis, millis } from '../core/time.ts'

/** The longest delay that setTimeout takes, in ms; longer ones would ring at once. */
const MAX_DELAY = 2 ** 31 - 1

/** The clocks of this machine. `now` is CLOCK_MONOTONIC, counted from the start of the process. */
export const systemClock: Clock = {
  now: () => millis(performance.now()),
  wall: () => new Date(),
  alarm,
}

function alarm(at: Millis, run: () => void): Cancel {
  let disarm = arm()
  return () => disarm()

  function arm(): Cancel {
    const delay = at - performance.now()
    if (delay <= 0) {
      const due = setImmediate(run)
      return () => clearImmediate(due)
    }
    const timer = setTimeout(ring, Math.min(Math.ceil(delay), MAX_DELAY))
    return () => clearTimeout(timer)
  }

  // libuv counts whole milliseconds and may ring a fraction early.
  function ring(): void {
    if (performance.now() >= at) run()
    else disarm = arm()
  }
}
