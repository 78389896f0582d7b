import type { Millis } from '../time.ts'
import { millis } from '../time.ts'

const FIRST = 1_000
const LAST = 60_000

/** Exponential back-off with jitter: 1 s doubling to 60 s, each step spread over 80..100 % of its length. */
export class Backoff {
  #step = 0
  readonly #random: () => number

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random
  }

  /** The next delay in ms, within 800..60,000. */
  next(): Millis {
    const full = Math.min(FIRST * 2 ** this.#step, LAST)
    if (full < LAST) this.#step++
    return millis(Math.round(full * (0.8 + 0.2 * this.#random())))
  }

  reset(): void {
    this.#step = 0
  }
}
