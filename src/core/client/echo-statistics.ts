/** Echoes that loss is told over. */
const WINDOW = 60
/** RFC 6298 section 2: alpha. */
const SMOOTHING = 1 / 8

/** Round-trip time and loss of LCP echoes, as users read them. */
export class EchoStatistics {
  #srtt: number | undefined
  readonly #recent: boolean[] = []

  answered(rttMs: number): void {
    this.#srtt = this.#srtt === undefined ? rttMs : this.#srtt + SMOOTHING * (rttMs - this.#srtt)
    this.#note(true)
  }

  missed(): void {
    this.#note(false)
  }

  /** Smoothed, in ms. */
  get rttMs(): number | null {
    return this.#srtt === undefined ? null : Math.round(this.#srtt * 100) / 100
  }

  /** Share of the last 60 echoes that stayed unanswered, 0..1. */
  get loss(): number | null {
    if (this.#recent.length === 0) return null
    const missed = this.#recent.filter((answered) => !answered).length
    return Math.round((missed / this.#recent.length) * 1000) / 1000
  }

  #note(answered: boolean): void {
    this.#recent.push(answered)
    if (this.#recent.length > WINDOW) this.#recent.shift()
  }
}
