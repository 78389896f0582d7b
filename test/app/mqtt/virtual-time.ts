import type { Cancel, Clock } from '../../../src/app/ports.ts'
import { type Millis, millis } from '../../../src/core/time.ts'

/** Time that passes only when told to; promises settle before it goes on. */
export class VirtualTime implements Clock {
  #now = millis(1000)
  /** Wall clock less monotonic clock, in ms. */
  offset = Date.UTC(2026, 0, 1)
  readonly #alarms = new Set<{ at: Millis; run: () => void }>()

  now(): Millis {
    return this.#now
  }

  wall(): Date {
    return new Date(this.offset + this.#now)
  }

  alarm(at: Millis, run: () => void): Cancel {
    const alarm = { at, run }
    this.#alarms.add(alarm)
    return () => this.#alarms.delete(alarm)
  }

  get armed(): number {
    return this.#alarms.size
  }

  /** Lets `span` ms pass, ringing what falls due, in order. */
  async pass(span: number): Promise<void> {
    const end = this.#now + span
    for (;;) {
      await settled()
      let next: { at: Millis; run: () => void } | undefined
      for (const alarm of this.#alarms)
        if (alarm.at <= end && (next === undefined || alarm.at < next.at)) next = alarm
      if (next === undefined) break
      this.#alarms.delete(next)
      this.#now = millis(Math.max(this.#now, next.at))
      next.run()
    }
    this.#now = millis(end)
  }
}

/** Resolves when the promises that can settle now have settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
