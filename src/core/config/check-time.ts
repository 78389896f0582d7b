/** When standbys are tested: every day, or on one day of the week. */
import { err, ok } from '../result.ts'
import type { Kind } from './kinds.ts'

/** Days of the week as options name them, Sunday first like `Date.getUTCDay`. */
export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** A time of day, in the local time of the machine; without a day: on all days. */
export interface CheckTime {
  readonly day: (typeof WEEKDAYS)[number] | undefined
  /** 0..23 */
  readonly hour: number
  /** 0..59 */
  readonly minute: number
}

/** `daily 04:00`, `sun 04:00`; `weekly` is on Sundays. */
export const checkTime: Kind<CheckTime> = {
  name: 'day and time',
  range: "`daily` or `weekly` or a weekday, and a time of day: `'weekly 04:00'`, `'mon 13:30'`",
  allowed: `daily, weekly (on Sundays) or one of ${WEEKDAYS.join(', ')}, and a time of day from 00:00 to 23:59, such as 'weekly 04:00'`,
  spaced: true,
  parse(text) {
    const [, word, digits, more] = /^([A-Za-z]+) +(\d{1,2}):(\d{2})$/.exec(text) ?? []
    if (word === undefined) return err(`'${text}' is not a day with a time`)
    const [hour, minute] = [Number(digits), Number(more)]
    if (hour > 23 || minute > 59) return err(`'${digits}:${more}' is no time of day`)
    const day = word === 'weekly' ? 'sun' : WEEKDAYS.find((each) => each === word)
    if (day === undefined && word !== 'daily') return err(`'${word}' is unknown`)
    return ok({ day, hour, minute })
  },
  print: ({ day, hour, minute }) => `${day ?? 'daily'} ${two(hour)}:${two(minute)}`,
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
