import type { Cancel, Clock } from '../src/app/ports.ts'
import { type Millis, millis } from '../src/core/time.ts'
import { Timeline } from './sim/timeline.ts'

/** Time that passes only when told to. */
export class VirtualClock implements Clock {
  readonly #timeline = new Timeline()
  readonly #armed = new Set<object>()
  /** What the wall clock shows when the monotonic one shows 0, in ms since 1970. */
  wallOffset: number

  /** `start`: what the monotonic clock shows first, in ms. */
  constructor({ start = 1000, wallOffset = 0 }: { start?: number; wallOffset?: number } = {}) {
    this.#timeline.now = millis(start)
    this.wallOffset = wallOffset
  }

  now(): Millis {
    return this.#timeline.now
  }

  wall(): Date {
    return new Date(this.wallOffset + this.#timeline.now)
  }

  alarm(at: Millis, run: () => void): Cancel {
    const alarm = {}
    this.#armed.add(alarm)
    const cancel = this.#timeline.at(at, () => {
      this.#armed.delete(alarm)
      run()
    })
    return () => {
      this.#armed.delete(alarm)
      cancel()
    }
  }

  /** Alarms that have not rung. */
  get armed(): number {
    return this.#armed.size
  }

  /** Lets `span` ms pass, ringing what falls due, in order. */
  advance(span: number): void {
    const end = this.now() + span
    while (this.#timeline.step(end));
  }

  /** The same, with everything that follows from it: `settled` resolves when what can happen now has happened. */
  async pass(span: number, settled: () => Promise<void> = turn): Promise<void> {
    const end = this.now() + span
    do await settled()
    while (this.#timeline.step(end))
  }
}

/** Resolves when the promises that can settle now have settled. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
