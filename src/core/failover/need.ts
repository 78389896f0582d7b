import type { Millis } from '../time.ts'
import { type Candidate, dialable, usable } from './candidate.ts'
import type { SwitchKind } from './types.ts'

/** Traffic has no path that does what is wanted, or somebody asks for another one: since when, and why. */
export interface Need {
  readonly since: Millis
  readonly kind: SwitchKind
  readonly cause: string
  /** Since when traffic has been lost for it, or could have been; undefined: it still gets through. */
  readonly troubleSince: Millis | undefined
}

/** What a need arises in. */
interface Situation {
  /** The path that somebody chose. */
  readonly pinned: Candidate | undefined
  /** No path has carried traffic yet. */
  readonly first: boolean
  /** Since when the path in use has had the traffic: what it suffered before was nobody's outage. */
  readonly carriesSince: Millis | undefined
}

/** `current` does not do any more, or is not what somebody chose, or there was none. */
export function newNeed(
  now: Millis,
  current: Candidate | undefined,
  { pinned, first, carriesSince }: Situation,
): Need {
  const kind = pinned ? 'manual' : first ? 'start' : 'failover'
  if (current?.drilledUntil !== undefined) {
    return { since: now, kind: pinned ? kind : 'drill', cause: 'drill', troubleSince: now }
  }
  if (current && !usable(current)) current.damping.lost(now)
  return {
    since: now,
    kind,
    cause: causeOf(current, pinned),
    troubleSince: feltSince(now, current, carriesSince),
  }
}

function causeOf(current: Candidate | undefined, pinned: Candidate | undefined): string {
  if (!current) return 'start'
  return pinned && pinned !== current
    ? `pinned to ${pinned.name}`
    : `${current.name}: ${current.facts.reason}`
}

/** The same need now: while `current` goes on carrying the traffic of whoever asked for another path nothing is out. */
export function feltNow(
  need: Need,
  now: Millis,
  current: Candidate | undefined,
  carriesSince: Millis | undefined,
): Need {
  if (current && usable(current)) return { ...need, troubleSince: undefined }
  return { ...need, troubleSince: need.troubleSince ?? feltSince(now, current, carriesSince) }
}

function feltSince(now: Millis, current: Candidate | undefined, carriesSince: Millis | undefined): Millis {
  const since = current?.facts.troubleSince
  return since === undefined ? now : latest(since, carriesSince ?? since)
}

function latest(one: Millis, other: Millis): Millis {
  return one > other ? one : other
}

/** The tunnel to wait for: the first that can be dialled and is better than the best path that works. */
export function awaitedOf(
  candidates: readonly Candidate[],
  best: Candidate | undefined,
): Candidate | undefined {
  const better = best ? candidates.slice(0, candidates.indexOf(best)) : candidates
  return better.find(
    (path) =>
      dialable(path) &&
      path.facts.tunnel?.failed !== true &&
      path.drilledUntil === undefined &&
      path.distrustedUntil === undefined,
  )
}
