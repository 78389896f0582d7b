import type { Readiness } from '../client/dialer-state.ts'
import type { Millis } from '../time.ts'
import { Damping } from './damping.ts'
import type { FamilyState, Pace } from './probing.ts'
import type { PathFacts, PathPlan } from './types.ts'

/** A path as the choice sees it: what it was told of it, remembers of it, and has asked of it. */
export interface Candidate extends PathPlan {
  facts: PathFacts
  /** No path to be used before then: it is being drilled. */
  drilledUntil: Millis | undefined
  /** It looked well and did not carry traffic on trial. */
  distrustedUntil: Millis | undefined
  /** Since when its session has been up without doing what is wanted, in the way of a line that has its address. */
  vainSince: Millis | undefined
  /** How long it is not dialled after that, in ms. */
  vainDelay: number
  readonly damping: Damping
  wanted: Readiness | undefined
  pace: Pace
  steered: boolean
}

/** The facts of a path of which nothing was told yet. */
export const NOT_LOOKED_AT: PathFacts = {
  health: 'unknown',
  reason: 'not looked at yet',
  link: false,
  ipv4: 'unknown',
  ipv6: 'unknown',
  lost: [],
  troubleSince: undefined,
  cutOff: false,
  tunnel: undefined,
}

/** `failbackDelay` in ms. */
export function newCandidate(plan: PathPlan, failbackDelay: number): Candidate {
  return {
    ...plan,
    facts: NOT_LOOKED_AT,
    drilledUntil: undefined,
    distrustedUntil: undefined,
    vainSince: undefined,
    vainDelay: failbackDelay,
    damping: new Damping(failbackDelay),
    wanted: undefined,
    pace: 'normal',
    steered: false,
  }
}

/** Traffic may go there now. */
export function usable(path: Candidate): boolean {
  const { kind, facts, drilledUntil } = path
  if (facts.cutOff || drilledUntil !== undefined || facts.health === 'down') return false
  return kind === 'uplink' || facts.tunnel?.session === 'up'
}

/** It can carry a packet, whether or not anyone answers: that is enough for whoever pins it. */
export function passable({ kind, facts, drilledUntil }: Candidate): boolean {
  if (facts.cutOff || drilledUntil !== undefined || !facts.link) return false
  return kind === 'uplink' || facts.tunnel?.session === 'up'
}

/** Not what is wanted of it, but better than nothing: another family than the required one gets through. */
export function partial(path: Candidate): boolean {
  const { ipv4, ipv6 } = path.facts
  return !usable(path) && passable(path) && (works(ipv4) || works(ipv6))
}

/** Both families are seen to work. */
function complete({ facts: { ipv4, ipv6 } }: Candidate): boolean {
  return ipv4 === 'up' && ipv6 === 'up'
}

function works(state: FamilyState): boolean {
  return state === 'up' || state === 'suspect'
}

/** Nothing speaks for it yet: it did not carry traffic on trial, or has failed and not answered since. */
export function dubious({ kind, facts, damping, distrustedUntil }: Candidate, now: Millis): boolean {
  if (distrustedUntil !== undefined) return true
  return kind === 'uplink' && facts.health === 'unknown' && damping.lostLately(now)
}

/** Good enough to go back to. */
export function healthy(path: Candidate): boolean {
  if (path.distrustedUntil !== undefined || !usable(path)) return false
  return path.facts.health === 'up' || path.kind === 'tunnel'
}

/** A tunnel whose session may be had. */
export function dialable({ kind, facts }: Candidate): boolean {
  return kind === 'tunnel' && facts.tunnel?.dialable === true && !facts.cutOff
}

/**
 * Where the traffic should be, of those to which one may go without need: the first that does what is wanted. Where that
 * one has lost a family which is not required, the first on which both work, if there is any. Where `current` does
 * only half of what is wanted, as all do, the first of that kind.
 */
export function preferred(paths: readonly Candidate[], current: Candidate): Candidate | undefined {
  const first = paths.find((path) => (path === current ? usable(path) : healthy(path)))
  if (first && first.facts.lost.length > 0)
    return paths.find((path) => healthy(path) && complete(path)) ?? first
  if (first) return first
  return paths.find((path) => partial(path) && path.distrustedUntil === undefined)
}

/** The path behind which tunnels need no session: `current`, or a better one that is only left for a family that it lost. */
export function preferredOver(paths: readonly Candidate[], current: Candidate): Candidate {
  const better = paths.slice(0, paths.indexOf(current))
  return better.find((path) => healthy(path) && path.facts.lost.length > 0) ?? current
}
