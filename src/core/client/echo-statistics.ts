/** Echoes that loss is told over. */
const WINDOW = 60
/** RFC 6298 section 2: alpha and beta. */
const SMOOTHING = 1 / 8
const DEVIATION_SMOOTHING = 1 / 4

/** Round-trip time, jitter and loss of LCP echoes, as users read them. */
export class EchoStatistics {
  #srtt: number | undefined
  #rttvar: number | undefined
  readonly #recent: boolean[] = []

  /** `late`: it was told as missed before, which is taken back. */
  answered(rttMs: number, late: boolean): void {
    // RFC 6298 section 2.3: the deviation is taken from the average before it moves.
    if (this.#srtt !== undefined) {
      const deviation = Math.abs(rttMs - this.#srtt)
      const rttvar = this.#rttvar ?? deviation
      this.#rttvar = rttvar + DEVIATION_SMOOTHING * (deviation - rttvar)
    }
    this.#srtt = this.#srtt === undefined ? rttMs : this.#srtt + SMOOTHING * (rttMs - this.#srtt)
    const miss = late ? this.#recent.lastIndexOf(false) : -1
    if (miss >= 0) this.#recent[miss] = true
    else if (!late) this.#note(true)
  }

  missed(): void {
    this.#note(false)
  }

  /** Smoothed, in ms. */
  get rttMs(): number | null {
    return this.#srtt === undefined ? null : Math.round(this.#srtt * 100) / 100
  }

  /** Mean deviation of the round-trip time in ms; null until two were measured. */
  get jitterMs(): number | null {
    return this.#rttvar === undefined ? null : Math.round(this.#rttvar * 100) / 100
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
