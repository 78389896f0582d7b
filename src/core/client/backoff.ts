import type { Millis } from '../time.ts'
import { millis } from '../time.ts'

const FIRST = 1_000
const LAST = 60_000

/** A session that lasted this long is stable: nothing that failed before counts any more. In ms. */
export const STABLE = 60_000
/** A session that lasted this long has shown that the LNS serves us: its first loss is answered at once. In ms. */
export const PROVEN = 10_000

/** Exponential back-off with jitter: 1 s doubling to 60 s, each step spread over 80..100 % of its length. */
export class Backoff {
  #step = 0
  /** A proven session has been dialled again at once since the last stable one. */
  #excused = false
  /** The LNS has answered since the last round began. */
  #heard = false
  #silent = false
  readonly #random: () => number

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random
  }

  /** The LNS answers. If it was silent before, what failed until now says nothing about it. */
  answered(): void {
    if (this.#silent) this.reset()
    this.#silent = false
    this.#heard = true
  }

  /**
   * The LNS has answered a dial that was given up. True if nobody had answered at all in the last round, so that there is
   * no need to wait: else it is the loser of a race, whose winner had no luck.
   */
  answeredLate(): boolean {
    if (!this.#silent) return false
    this.#silent = false
    this.reset()
    return true
  }

  /** The delay after a round of dialling that led to nothing. */
  afterRound(): Millis {
    this.#silent = !this.#heard
    this.#heard = false
    return this.next()
  }

  /**
   * The delay before what lived for `lived` ms is dialled again: each 10 s of life take one doubling back. A stable session
   * is dialled at once, a proven one too, but once: an LNS that ends each session after 12 s is not to be hammered.
   */
  afterSession(lived: number): Millis {
    this.#heard = false
    if (lived >= STABLE) {
      this.reset()
      return millis(0)
    }
    this.#step = Math.max(0, this.#step - Math.floor(lived / PROVEN))
    if (lived < PROVEN || this.#excused) return this.next()
    this.#excused = true
    return millis(0)
  }

  reset(): void {
    this.#step = 0
    this.#excused = false
  }

  /** The next delay in ms, within 800..60,000. */
  next(): Millis {
    const full = Math.min(FIRST * 2 ** this.#step, LAST)
    if (full < LAST) this.#step++
    return millis(Math.round(full * (0.8 + 0.2 * this.#random())))
  }
}
