/** Waiting for a condition, with an error that says what was awaited and how things stood. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface WaitOptions {
  /** ms until it counts as failed; generous by default, as machines may be slow and busy. */
  readonly within?: number
  /** ms between two looks. */
  readonly every?: number
  /** What to add to the error: the state of things at the end. */
  explain?(): string
}

/** Looks again and again until `look` gives something other than undefined and false, and returns that. */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitOptions = {},
): Promise<T> {
  const within = options.within ?? 30_000
  const deadline = performance.now() + within
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() >= deadline) {
      const state = options.explain?.()
      throw new Error(`waited ${within} ms for ${what}${state === undefined ? '' : `\n${state}`}`)
    }
    await sleep(options.every ?? 50)
  }
}
