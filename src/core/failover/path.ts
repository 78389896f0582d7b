import type { Readiness } from '../client/dialer-state.ts'
import type { Millis } from '../time.ts'
import { Damping } from './damping.ts'
import type { Pace } from './health.ts'
import type { PathFacts, PathPlan } from './types.ts'

/** What the controller knows of one path, and has asked of it. */
export interface Path extends PathPlan {
  facts: PathFacts
  /** No path to be used before then: it is being drilled. */
  drilledUntil: Millis | undefined
  /** It looked well and did not carry traffic on trial. */
  distrustedUntil: Millis | undefined
  readonly damping: Damping
  wanted: Readiness | undefined
  pace: Pace
  steered: boolean
}

export const NOT_LOOKED_AT: PathFacts = {
  health: 'unknown',
  reason: 'not looked at yet',
  troubleSince: undefined,
  cutOff: false,
  address: undefined,
  tunnel: undefined,
}

/** `failbackDelay` in ms. */
export function newPath(plan: PathPlan, failbackDelay: number): Path {
  return {
    ...plan,
    facts: NOT_LOOKED_AT,
    drilledUntil: undefined,
    distrustedUntil: undefined,
    damping: new Damping(failbackDelay),
    wanted: undefined,
    pace: 'normal',
    steered: false,
  }
}

/** Traffic may go there now. */
export function usable({ kind, facts, drilledUntil }: Path): boolean {
  if (facts.cutOff || drilledUntil !== undefined || facts.health === 'down') return false
  return kind === 'uplink' || facts.tunnel?.session === 'up'
}

/** Nothing speaks for it yet: it did not carry traffic on trial, or has failed and not answered since. */
export function dubious({ kind, facts, damping, distrustedUntil }: Path, now: Millis): boolean {
  if (distrustedUntil !== undefined) return true
  return kind === 'uplink' && facts.health === 'unknown' && damping.lostLately(now)
}

/** Good enough to go back to. */
export function healthy(path: Path): boolean {
  if (path.distrustedUntil !== undefined || !usable(path)) return false
  return path.facts.health === 'up' || path.kind === 'tunnel'
}

/** A tunnel whose session may be had. */
export function dialable({ kind, facts }: Path): boolean {
  return kind === 'tunnel' && facts.tunnel?.dialable === true && !facts.cutOff
}
