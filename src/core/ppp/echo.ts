/** Our LCP Echo-Requests and what they tell: round-trip time, loss, and whether the peer is there (RFC 1661 section 5.8). */
import { after, type Millis, millis } from '../time.ts'

/** What became of an Echo-Request, or that the whole link is silent. */
export type EchoNews =
  /** `late`: it was told as missed before. */
  | { readonly type: 'echoed'; readonly rttMs: number; readonly late: boolean }
  /** Not answered in time; `echoed` may follow. */
  | { readonly type: 'echoMissed' }
  /** Nothing at all arrived for so long. */
  | { readonly type: 'silent'; readonly silence: Millis }

/** An Echo-Request without answer for so long (or for one interval, if that is longer) counts as missed. */
const MISSED_AFTER = millis(3000)
/** How long an answer may take that is merely late. */
const LATE_AFTER = millis(60_000)
/** Identifiers have 8 bits: beyond that, requests of very short intervals are forgotten. */
const MAX_PENDING = 64

interface Request {
  readonly identifier: number
  readonly at: Millis
  missed: boolean
}

/** Sends Echo-Requests and tells what became of them (RFC 1661 section 5.8). */
export class EchoMonitor {
  readonly #interval: Millis
  readonly #failures: number
  /** Undefined while stopped. */
  #next: Millis | undefined
  #heardAt: Millis
  #heard = true
  #silentIntervals = 0
  #pending: Request[] = []

  /** `interval` 0 never sends and never finds the peer silent. */
  constructor(interval: Millis, failures: number) {
    this.#interval = interval
    this.#failures = failures
    this.#heardAt = millis(0)
  }

  get deadline(): Millis | undefined {
    return this.#next
  }

  start(now: Millis): void {
    if (this.#interval <= 0) return
    this.#next = after(now, this.#interval)
    this.#heardAt = now
    this.#heard = true
    this.#silentIntervals = 0
    this.#pending = []
  }

  stop(): void {
    this.#next = undefined
    this.#pending = []
  }

  /** Anything arrived from the peer. */
  heard(now: Millis): void {
    this.#heard = true
    this.#heardAt = now
  }

  /** An Echo-Reply arrived. Undefined if it answers nothing that we still wait for. */
  replied(now: Millis, identifier: number): EchoNews | undefined {
    const index = this.#pending.findIndex((request) => request.identifier === identifier)
    const [request] = index < 0 ? [] : this.#pending.splice(index, 1)
    return request && { type: 'echoed', rttMs: now - request.at, late: request.missed }
  }

  /**
   * Once per interval: looks back at the last one, then sends. A late call counts as one interval, so that a stall of
   * our own is not taken for the peer's silence.
   */
  timeout(now: Millis, send: () => number): EchoNews[] {
    if (this.#next === undefined || now < this.#next) return []
    this.#next = after(now, this.#interval)
    this.#silentIntervals = this.#heard ? 0 : this.#silentIntervals + 1
    this.#heard = false
    if (this.#silentIntervals >= this.#failures) {
      this.stop()
      return [{ type: 'silent', silence: millis(now - this.#heardAt) }]
    }
    const patience = Math.max(this.#interval, MISSED_AFTER)
    const missed = this.#pending.filter(({ at, missed: before }) => !before && now - at >= patience)
    for (const request of missed) request.missed = true
    const waiting = this.#pending.filter(({ at }) => now - at < patience + LATE_AFTER)
    this.#pending = [...waiting, { identifier: send(), at: now, missed: false }].slice(-MAX_PENDING)
    return missed.map(() => ({ type: 'echoMissed' }))
  }
}
