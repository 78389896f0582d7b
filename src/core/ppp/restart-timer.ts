import { type Millis, millis } from '../time.ts'
import type { PppLimits } from './types.ts'

/** The restart counter and the length of the restart timer (RFC 1661 section 4.6), with a slow exponential back-off. */
export class RestartTimer {
  readonly #limits: PppLimits
  #left = 0
  #interval: Millis

  constructor(limits: PppLimits) {
    this.#limits = limits
    this.#interval = limits.restartTimer
  }

  /** From a transmission to its timeout. */
  get interval(): Millis {
    return this.#interval
  }

  /** No transmission is left: the next timeout is TO-. */
  get exhausted(): boolean {
    return this.#left <= 0
  }

  /** Initialize-Restart-Count. */
  initialize(purpose: 'configure' | 'terminate'): void {
    this.#left = purpose === 'configure' ? this.#limits.maxConfigure : this.#limits.maxTerminate
    this.#interval = this.#limits.restartTimer
  }

  /** Zero-Restart-Count: one more timeout, and it is TO-. */
  zero(): void {
    this.#left = 0
    this.#interval = this.#limits.restartTimer
  }

  /** Something was transmitted that wants an answer. */
  count(): void {
    this.#left--
  }

  /** Lowers the number of transmissions left. */
  atMost(transmissions: number): void {
    this.#left = Math.min(this.#left, transmissions)
  }

  /** A timeout happened: the next one takes half as long again, up to the limit. */
  backOff(): void {
    this.#interval = millis(Math.min(this.#interval * 1.5, this.#limits.restartTimerMax))
  }
}
