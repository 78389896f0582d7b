import { after, type Millis } from '../time.ts'
import { clockIsSet } from './clock-set.ts'
import { type DeviceCounters, octetsBetween } from './counters.ts'

/** What an uplink may carry. */
export interface BudgetLimit {
  /** Octets in a calendar month; undefined counts without a limit. */
  readonly octets: number | undefined
  /** Whether it is cut off when they are spent. */
  readonly cutoff: boolean
}

/** At 80 % and at 100 %, once each in a month. */
export interface BudgetWarning {
  readonly percent: WarningLevel
  readonly used: number
  readonly limit: number
}

/** What survives a restart. */
export interface SavedBudget {
  /** First day of the month in UTC, such as `2026-03-01`; null before the clock was plausible. */
  readonly period: string | null
  /** Octets of that month. */
  readonly used: number
  /** The highest level that was warned of in it; 0 if none. */
  readonly warned: 0 | WarningLevel
  /** Octets that belong to no month yet, as the clock was not plausible. */
  readonly unassigned: number
  readonly counters: DeviceCounters | null
}

type WarningLevel = (typeof LEVELS)[number]

const LEVELS = [80, 100] as const
/** A save for volume alone, in octets or as a share of the limit, whichever is more. */
const VOLUME_STEP = 10e6
const VOLUME_SHARE = 0.01
/** Least time between two saves for volume, and between two for lesser amounts, in ms. */
const VOLUME_PAUSE = 60_000
const TIME_PAUSE = 600_000
/** How long a clock in an earlier month is taken for one that is not set yet, in ms. */
const BEHIND_LIMIT = 86_400_000
/** Octets that are not worth a save, however old. */
const NEGLIGIBLE = 1e6

const NOTHING: SavedBudget = { period: null, used: 0, warned: 0, unassigned: 0, counters: null }

/**
 * What a metered uplink carried this month, from the counters of its device. Sans IO: give `count` every few seconds and
 * whenever the device changes, drain `pollWarning`, and write `save` where `saveDue`.
 */
export class Budget {
  #limit: BudgetLimit
  #state: SavedBudget
  /** What the month before was, in case the clock that ended it turns out to have been wrong. */
  #before: Pick<SavedBudget, 'period' | 'used' | 'warned'> | undefined
  /** Octets in all, to tell how many are not saved. */
  #total = 0
  #clockPlausible = false
  #countedAt: Millis | undefined
  #saved: { readonly at: Millis; readonly total: number } | undefined
  #urgent = false
  #behindSince: Millis | undefined
  readonly #warnings: BudgetWarning[] = []

  constructor(limit: BudgetLimit, saved: SavedBudget = NOTHING) {
    this.#limit = limit
    this.#state = saved
  }

  /** Octets of this month, those of no month yet included. */
  get used(): number {
    return this.#state.used + this.#state.unassigned
  }

  get limit(): number | undefined {
    return this.#limit.octets
  }

  /** First day of the month that is counted, such as `2026-03-01`; undefined while no plausible clock was seen. */
  get periodStart(): string | undefined {
    return this.#state.period ?? undefined
  }

  /** Hardly anything is left: at least 80 % are spent. */
  get short(): boolean {
    return this.#level() >= 80
  }

  /** The uplink must not be used. Never while the clock is not plausible: the month may be over, and time come over it. */
  get cutOff(): boolean {
    return this.#limit.cutoff && this.#clockPlausible && this.#level() >= 100
  }

  /** The limit after a reload; levels that are not reached any more will be warned of anew. */
  setLimit(limit: BudgetLimit): void {
    this.#limit = limit
    const level = this.#level()
    if (level < this.#state.warned) this.#change({ warned: level })
    this.#warn()
  }

  /** Takes the counters of the device; `wall` is the wall clock in ms since 1970, whether it is right or not. */
  count(now: Millis, wall: number, counters: DeviceCounters): void {
    const { counters: old, unassigned } = this.#state
    const elapsed = this.#countedAt === undefined ? undefined : ((now - this.#countedAt) as Millis)
    this.#countedAt = now
    this.#saved ??= { at: now, total: this.#total }
    // What a device carried before we first saw it belongs to nobody knows which month.
    const octets = old === null ? 0 : octetsBetween(old, counters, elapsed)
    this.#total += octets
    this.#state = { ...this.#state, counters, unassigned: unassigned + octets }
    this.#clockPlausible = this.#believe(now, wall)
    if (this.#clockPlausible) this.#assign(monthOf(wall))
    this.#warn()
  }

  pollWarning(): BudgetWarning | undefined {
    return this.#warnings.shift()
  }

  /** Whether what is not saved yet is worth wearing out flash memory. At a clean stop `save` is always called. */
  saveDue(now: Millis): boolean {
    if (this.#urgent) return true
    if (this.#saved === undefined) return false
    const unsaved = this.#total - this.#saved.total
    const step = Math.max(VOLUME_STEP, (this.#limit.octets ?? 0) * VOLUME_SHARE)
    if (unsaved >= step && now >= after(this.#saved.at, VOLUME_PAUSE)) return true
    return unsaved >= NEGLIGIBLE && now >= after(this.#saved.at, TIME_PAUSE)
  }

  /** What to write to `state_dir`; the caller does so. */
  save(now: Millis): SavedBudget {
    this.#saved = { at: now, total: this.#total }
    this.#urgent = false
    return this.#state
  }

  /**
   * Time only goes on: a month before the one that is counted comes from a clock that was not set yet, as after a boot,
   * unless it stays so for long, when the month that is counted came from a wrong one.
   */
  #believe(now: Millis, wall: number): boolean {
    if (!clockIsSet(wall)) return false
    if (this.#state.period === null || monthOf(wall) >= this.#state.period) {
      this.#behindSince = undefined
      return true
    }
    this.#behindSince ??= now
    return now >= after(this.#behindSince, BEHIND_LIMIT)
  }

  /** Adds what belongs to no month to this one, and begins it if it is new. */
  #assign(month: string): void {
    const { period, used, warned, unassigned } = this.#state
    if (period === month) {
      if (unassigned > 0) this.#state = { ...this.#state, used: used + unassigned, unassigned: 0 }
      return
    }
    if (period === null) {
      this.#change({ period: month, used: used + unassigned, unassigned: 0 })
    } else if (month > period) {
      this.#before = { period, used, warned }
      this.#change({ period: month, used: unassigned, warned: 0, unassigned: 0 })
    } else {
      // The clock had been ahead: what was counted meanwhile belongs to the month that it really is.
      const back = this.#before?.period === month ? this.#before : { used: 0, warned: 0 as const }
      const total = back.used + used + unassigned
      this.#before = undefined
      this.#change({ period: month, used: total, warned: back.warned || warned, unassigned: 0 })
    }
  }

  #warn(): void {
    const { octets: limit } = this.#limit
    const level = this.#level()
    if (limit === undefined || level === 0 || level <= this.#state.warned || !this.#clockPlausible) return
    this.#change({ warned: level })
    this.#warnings.push({ percent: level, used: this.used, limit })
  }

  #level(): 0 | WarningLevel {
    const { octets } = this.#limit
    if (octets === undefined) return 0
    return LEVELS.filter((percent) => this.used * 100 >= octets * percent).at(-1) ?? 0
  }

  /** A change that is saved soon, as it does not follow from the counters. */
  #change(change: Partial<SavedBudget>): void {
    this.#state = { ...this.#state, ...change }
    this.#urgent = true
  }
}

function monthOf(wall: number): string {
  return `${new Date(wall).toISOString().slice(0, 7)}-01`
}

/** The text of a file in `state_dir` that holds budgets by the names of their uplinks. */
export function formatBudgets(budgets: ReadonlyMap<string, SavedBudget>): string {
  return `${JSON.stringify(Object.fromEntries(budgets))}\n`
}

/** Reads it back. What is not as we wrote it is left out: a budget then begins anew. */
export function parseBudgets(text: string | undefined): Map<string, SavedBudget> {
  try {
    const entries = Object.entries(record(JSON.parse(text ?? '{}')))
    return new Map(
      entries.flatMap(([name, value]): [string, SavedBudget][] => {
        const budget = budgetOf(record(value))
        return budget === undefined ? [] : [[name, budget]]
      }),
    )
  } catch {
    return new Map()
  }
}

function budgetOf({
  period,
  used,
  warned,
  unassigned,
  counters,
}: Record<string, unknown>): SavedBudget | undefined {
  if (period !== null && !(typeof period === 'string' && /^\d{4}-\d\d-01$/.test(period))) return undefined
  if (!isCount(used) || !isCount(unassigned)) return undefined
  const level = LEVELS.find((candidate) => candidate === warned) ?? 0
  return { period, used, warned: level, unassigned, counters: countersOf(record(counters)) }
}

function countersOf({ instance, received, sent }: Record<string, unknown>): DeviceCounters | null {
  if (typeof instance !== 'string' || !isCount(received) || !isCount(sent)) return null
  return { instance, received, sent }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
