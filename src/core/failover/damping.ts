import type { Millis } from '../time.ts'

/** A path that fails this soon after traffic went back to it was flapping, in ms. */
export const FLAP_WINDOW = 600_000
/** The longest that going back waits, however often the path has flapped, in ms. */
export const FAILBACK_DELAY_LIMIT = 600_000

/** How long one path has to be well before traffic goes back to it; doubled each time that it fails again soon. */
export class Damping {
  readonly #least: number
  #delay: number
  #lostAt: Millis | undefined
  #returnedAt: Millis | undefined

  /** `least` in ms. */
  constructor(least: number) {
    this.#least = least
    this.#delay = least
  }

  /** ms */
  get delay(): number {
    return this.#delay
  }

  /** It carried the traffic and failed not long ago. */
  lostLately(now: Millis): boolean {
    return this.#lostAt !== undefined && now - this.#lostAt < FLAP_WINDOW
  }

  /** It carries the traffic and has failed. */
  lost(now: Millis): void {
    const flapped = this.#returnedAt !== undefined && now - this.#returnedAt < FLAP_WINDOW
    if (flapped) this.#double()
    else if (!this.lostLately(now)) this.#delay = this.#least
    this.#lostAt = now
    this.#returnedAt = undefined
  }

  /** It carries the traffic that it has lost before. */
  returned(now: Millis): void {
    if (this.#lostAt !== undefined) this.#returnedAt = now
  }

  /** It looked well and was not: as good as a loss soon after it came back. */
  failed(now: Millis): void {
    this.#double()
    this.#lostAt = now
    this.#returnedAt = undefined
  }

  #double(): void {
    this.#delay = Math.min(this.#delay * 2, FAILBACK_DELAY_LIMIT)
  }
}
