import type { Clock } from '../app/ports.ts'
import { millis } from '../core/time.ts'
import { system } from './system/engine.ts'

const { timers } = system

/** The clocks of this machine. `now` is CLOCK_MONOTONIC, counted from the start of the process. */
export const systemClock: Clock = {
  now: () => millis(timers.now()),
  wall: () => new Date(),
  alarm: timers.at,
}
