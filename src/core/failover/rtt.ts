/** RFC 6298 section 2: smoothed round-trip time and its variation, all in ms. */
export class RoundTripTime {
  #srtt: number | undefined
  #rttvar = 0

  sample(rttMs: number): void {
    if (this.#srtt === undefined) {
      this.#srtt = rttMs
      this.#rttvar = rttMs / 2
      return
    }
    this.#rttvar += (Math.abs(this.#srtt - rttMs) - this.#rttvar) / 4
    this.#srtt += (rttMs - this.#srtt) / 8
  }

  /** Undefined before the first sample. */
  get smoothed(): number | undefined {
    return this.#srtt
  }

  /** How long an answer may take before it counts as missed: srtt + 4 rttvar, within [least, most]; `most` if unknown. */
  timeout(least: number, most: number): number {
    if (this.#srtt === undefined) return most
    return Math.min(most, Math.max(least, this.#srtt + 4 * this.#rttvar))
  }
}
