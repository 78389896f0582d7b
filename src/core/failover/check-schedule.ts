import type { Zone } from '../amounts.ts'
import { WEEKDAYS } from '../config/check-time.ts'
import type { CheckTime } from '../config/types.ts'
import { after, type Millis } from '../time.ts'
import { clockIsSet } from './clock-set.ts'

const MINUTE = 60_000
const DAY = 86_400_000
/** 1 January 1970 was a Thursday. */
const FIRST_WEEKDAY = 4
/** A clock that was set, or a machine that slept, is noticed by looking this often, in ms. */
const LOOK_INTERVAL = MINUTE
/** The same time of day again within so many ms is the same one: summer time ended, or the clock was set back a little. */
const SAME_LIMIT = 6 * 3_600_000

/**
 * Tells when the time of a check has come, from a wall clock that may not be set yet, may jump, and knows summer time.
 * Sans IO: `look` at or before the instant it returns; a time that came while nobody looked (the machine slept, the
 * clock was set forward) has come once, however often it would have. What was before the first look is not missed.
 */
export class CheckSchedule {
  readonly #period: number
  /** ms of local time from the start of a period, which is a day or a week counted from 1970-01-01, to the check. */
  readonly #shift: number
  readonly #zone: Zone
  /** Which occurrence was the last one before the last look, counted from 1970. */
  #slot: number | undefined
  #came: { readonly now: Millis; readonly wall: number } | undefined

  /** `zone`: how local time differs from UTC. */
  constructor({ day, hour, minute }: CheckTime, zone: Zone) {
    const days = day === undefined ? 0 : (WEEKDAYS.indexOf(day) - FIRST_WEEKDAY + 7) % 7
    this.#period = day === undefined ? DAY : 7 * DAY
    this.#shift = days * DAY + (hour * 60 + minute) * MINUTE
    this.#zone = zone
  }

  /** `due`: the time has come since the look before. `again`: when to look next, if not earlier. */
  look(now: Millis, wall: Date): { readonly due: boolean; readonly again: Millis } {
    const at = wall.getTime()
    if (!clockIsSet(at)) {
      this.#slot = undefined
      return { due: false, again: after(now, LOOK_INTERVAL) }
    }
    const local = at + this.#zone(wall) * MINUTE - this.#shift
    const slot = Math.floor(local / this.#period)
    const due = this.#slot !== undefined && slot > this.#slot && !this.#cameLately(now, at)
    this.#slot = slot
    if (due) this.#came = { now, wall: at }
    const next = Math.max(1, Math.ceil((slot + 1) * this.#period - local))
    return { due, again: after(now, Math.min(next, LOOK_INTERVAL)) }
  }

  /** By whichever clock says more: the monotonic one stands still while the machine sleeps. */
  #cameLately(now: Millis, wall: number): boolean {
    return this.#came !== undefined && Math.max(now - this.#came.now, wall - this.#came.wall) < SAME_LIMIT
  }
}
