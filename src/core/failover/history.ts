import { type Millis, millis } from '../time.ts'

/** Length of a bin in ms, the same as on FireBrick's graphs. */
export const BIN = 100_000
/** Bins of 24 h. */
export const MAX_BINS = 864
/** Events kept; a path that flaps makes no more of them. */
const MAX_EVENTS = 200

/** The last 24 h of a path, for `lifeline history` and for pages. Instants are ISO 8601 in UTC. */
export interface PathHistory {
  readonly path: string
  /** Length of a bin in seconds. */
  readonly interval: number
  /** When this was told. */
  readonly at: string
  /** Oldest first; those in which nothing was probed are left out. The last one may not be full yet. */
  readonly bins: readonly HistoryBin[]
  /** Oldest first. */
  readonly events: readonly HistoryEvent[]
}

/** What probes found in 100 s; instants as in status. */
export interface HistoryBin {
  /** Its beginning. */
  readonly at: string
  /** Round-trip times in ms; null if every probe was lost. */
  readonly min: number | null
  readonly mean: number | null
  readonly max: number | null
  /** Share of the probes that were lost, 0 to 1. */
  readonly loss: number
  readonly probes: number
}

/** Something that happened to a path. */
export interface HistoryEvent {
  readonly at: string
  /** As in `lifeline events`: `health`, `failover`, `failback`, ... */
  readonly event: string
  /** In words. */
  readonly text: string
}

interface Bin {
  readonly index: number
  answered: number
  lost: number
  min: number
  sum: number
  max: number
}

/** What outlives a restart: instants in ms since 1970, times in ms. Some 70 kB as JSON at most. */
export interface SavedHistory {
  /** The beginning, answers, losses, and of the answers the least, the sum and the greatest round-trip time. */
  readonly bins: readonly SavedBin[]
  readonly events: readonly (readonly [at: number, event: string, text: string])[]
}

/** One bin: when it begins, in ms since 1970, how many probes were answered and lost, and round-trip times in ms. */
export type SavedBin = readonly [
  at: number,
  answered: number,
  lost: number,
  min: number,
  sum: number,
  max: number,
]

/** Octets of a text that is kept. */
const MAX_TEXT = 300

/** Folds what is measured on one path into bins of 100 s; bounded, in memory, on the monotonic clock. */
export class HistoryRecord {
  readonly #path: string
  readonly #bins: Bin[] = []
  readonly #events: { readonly at: Millis; readonly event: string; readonly text: string }[] = []

  constructor(path: string) {
    this.#path = path
  }

  /**
   * A probe: its round-trip time in ms, or undefined if it was lost. `late`: it was told as lost, at most 10 s before.
   */
  sample(now: Millis, rttMs: number | undefined, late = false): void {
    const bin = this.#bin(now)
    if (late) this.#takeLossBack()
    if (rttMs === undefined) {
      bin.lost++
      return
    }
    bin.answered++
    bin.sum += rttMs
    bin.min = Math.min(bin.min, rttMs)
    bin.max = Math.max(bin.max, rttMs)
  }

  /** From the newest bin that has one: a bin may have ended meanwhile. */
  #takeLossBack(): void {
    const [bin] = [this.#bins.at(-1), this.#bins.at(-2)].filter((each) => each !== undefined && each.lost > 0)
    if (bin) bin.lost--
  }

  event(now: Millis, event: string, text: string): void {
    this.#events.push({ at: now, event, text: text.slice(0, MAX_TEXT) })
    if (this.#events.length > MAX_EVENTS) this.#events.shift()
  }

  /** What is known at `now`; `wall` is the wall clock then. */
  read(now: Millis, wall: Date): PathHistory {
    const iso = (instant: number) => new Date(wall.getTime() - (now - instant)).toISOString()
    const oldest = Math.floor(now / BIN) - MAX_BINS
    return {
      path: this.#path,
      interval: BIN / 1000,
      at: iso(now),
      bins: this.#bins
        .filter(({ index }) => index > oldest)
        .map((bin) => ({ at: iso(bin.index * BIN), ...told(bin) })),
      events: this.#events
        .filter(({ at }) => at > now - MAX_BINS * BIN)
        .map(({ at, event, text }) => ({ at: iso(at), event, text })),
    }
  }

  /** What is to be kept of it over a restart. */
  save(now: Millis, wall: Date): SavedHistory {
    const epoch = (instant: number) => Math.round(wall.getTime() - (now - instant))
    return {
      bins: this.#bins.map(({ index, answered, lost, min, sum, max }) => [
        epoch(index * BIN),
        answered,
        lost,
        answered > 0 ? hundredths(min) : 0,
        hundredths(sum),
        hundredths(max),
      ]),
      events: this.#events.map(({ at, event, text }) => [epoch(at), event, text]),
    }
  }

  /**
   * Takes over what an earlier process saved, before anything is measured. `end` is the instant, in ms since 1970, that is
   * `now`. What lies after it or is older than 24 h is left out.
   */
  restore({ bins, events }: SavedHistory, now: Millis, end: number): void {
    const instant = (at: number) => now - (end - at)
    for (const [at, answered, lost, min, sum, max] of bins) {
      const index = Math.floor(instant(at) / BIN)
      const last = this.#bins.at(-1)?.index ?? Number.NEGATIVE_INFINITY
      if (index <= last || instant(at) > now || index <= Math.floor(now / BIN) - MAX_BINS) continue
      this.#bins.push({ index, answered, lost, sum, max, min: answered > 0 ? min : Number.POSITIVE_INFINITY })
    }
    for (const [at, event, text] of events.slice(-MAX_EVENTS))
      if (instant(at) <= now) this.event(millis(instant(at)), event, text)
  }

  #bin(now: Millis): Bin {
    const index = Math.floor(now / BIN)
    const last = this.#bins.at(-1)
    if (last !== undefined && last.index >= index) return last
    const bin = { index, answered: 0, lost: 0, min: Number.POSITIVE_INFINITY, sum: 0, max: 0 }
    this.#bins.push(bin)
    while ((this.#bins[0]?.index ?? index) <= index - MAX_BINS) this.#bins.shift()
    return bin
  }
}

function told({ answered, lost, min, sum, max }: Bin): Omit<HistoryBin, 'at'> {
  const some = answered > 0
  return {
    min: some ? hundredths(min) : null,
    mean: some ? hundredths(sum / answered) : null,
    max: some ? hundredths(max) : null,
    loss: lost / (answered + lost),
    probes: answered + lost,
  }
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100
}
