import type { Millis } from '../time.ts'

/** Limits how much of what a peer cannot use is answered: `perSecond` on average, as many at once. */
export class RejectBudget {
  readonly #perSecond: number
  #left: number
  #at: Millis | undefined

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#left = perSecond
  }

  /** Takes one; false if there is none left. */
  take(now: Millis): boolean {
    const gained = ((now - (this.#at ?? now)) / 1000) * this.#perSecond
    this.#left = Math.min(this.#perSecond, this.#left + gained)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
