/** Spans of time on this machine, in ms. */
import type { Cancel } from '../app/ports.ts'
import { system } from './system/engine.ts'

const { timers } = system

/** Runs something once, when a span is over. */
export function later(span: number, run: () => void): Cancel {
  return timers.at(timers.now() + span, run)
}

/** Runs something each time that a span is over. */
export function every(span: number, run: () => void): Cancel {
  let cancel = later(span, ring)
  return () => cancel()

  function ring(): void {
    cancel = later(span, ring)
    run()
  }
}

/** Resolves when a span is over. */
export function pause(span: number): Promise<void> {
  return new Promise((resolve) => {
    later(span, resolve)
  })
}
