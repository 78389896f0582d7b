import type { Millis } from '../time.ts'
import { dialable, NOT_LOOKED_AT, type Path, usable } from './path.ts'
import type { SwitchKind } from './types.ts'

/** Traffic has no path that does what is wanted, or somebody asks for another one: since when, and why. */
export interface Need {
  readonly since: Millis
  readonly kind: SwitchKind
  readonly cause: string
  readonly troubleSince: Millis | undefined
}

/** `current` does not do any more, or there was none; `kind`: what a switch is called that no drill led to. */
export function newNeed(now: Millis, current: Path | undefined, kind: SwitchKind): Need {
  const { reason, troubleSince } = current?.facts ?? NOT_LOOKED_AT
  if (current?.drilledUntil !== undefined) {
    return { since: now, kind: kind === 'manual' ? kind : 'drill', cause: 'drill', troubleSince: now }
  }
  if (current && !usable(current)) current.damping.lost(now)
  const cause = current ? `${current.name}: ${reason}` : 'start'
  return { since: now, kind, cause, troubleSince: troubleSince ?? now }
}

/** The tunnel to wait for: the first that can be dialled and is better than the best path that works. */
export function awaitedOf(candidates: readonly Path[], best: Path | undefined): Path | undefined {
  const better = best ? candidates.slice(0, candidates.indexOf(best)) : candidates
  return better.find(
    (path) =>
      dialable(path) &&
      path.facts.tunnel?.failed !== true &&
      path.drilledUntil === undefined &&
      path.distrustedUntil === undefined,
  )
}
