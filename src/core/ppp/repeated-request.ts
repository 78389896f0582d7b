import { after, type Millis } from '../time.ts'
import { RestartTimer } from './restart-timer.ts'
import type { PppLimits } from './types.ts'

/**
 * What begins an authentication: sent again until it is answered, or was sent often enough (RFC 1334 section 2.2.1, RFC
 * 1994 section 4.1).
 */
export class RepeatedRequest {
  readonly #send: () => void
  readonly #timer: RestartTimer
  #deadline: Millis | undefined

  /** `send` makes and sends a fresh packet each time. */
  constructor(limits: PppLimits, send: () => void) {
    this.#timer = new RestartTimer(limits)
    this.#send = send
  }

  /** When it is sent again, or given up. */
  get deadline(): Millis | undefined {
    return this.#deadline
  }

  /** Begins anew. */
  start(now: Millis): void {
    this.#timer.initialize('configure')
    this.#transmit(now)
  }

  timeout(now: Millis): void {
    if (this.#deadline === undefined || now < this.#deadline) return
    if (this.#timer.exhausted) {
      this.stop()
      return
    }
    this.#timer.backOff()
    this.#transmit(now)
  }

  /** It is answered. */
  stop(): void {
    this.#deadline = undefined
  }

  #transmit(now: Millis): void {
    this.#send()
    this.#timer.count()
    this.#deadline = after(now, this.#timer.interval)
  }
}
