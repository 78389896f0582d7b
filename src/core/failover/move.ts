import { after, type Millis } from '../time.ts'
import { type Candidate, preferred } from './candidate.ts'
import type { SwitchKind } from './types.ts'

/** The traffic is to leave a path that works for another one, unless something changes before. */
export interface Move {
  readonly path: Candidate
  readonly at: Millis
  readonly kind: SwitchKind
  readonly cause: string
}

/** Where the traffic should go from `current`, which works, and when. `pending` is what was decided last. */
export function nextMove(
  now: Millis,
  paths: readonly Candidate[],
  current: Candidate,
  pending: Move | undefined,
  failbackDelay: number,
): Move | undefined {
  const path = preferred(paths, current)
  if (!path || path === current) return undefined
  if (paths.indexOf(path) < paths.indexOf(current)) return goingBack(now, path, pending)
  return current.facts.lost.length > 0 ? leaving(now, current, path, pending, failbackDelay) : undefined
}

function goingBack(now: Millis, path: Candidate, pending: Move | undefined): Move {
  if (pending?.path === path && pending.kind !== 'failover') return pending
  return { path, at: after(now, delayTo(now, path)), kind: 'failback', cause: `${path.name} works again` }
}

/** A tunnel that has not failed is what was waited for. */
function delayTo(now: Millis, { kind, damping }: Candidate): number {
  return kind === 'tunnel' && !damping.lostLately(now) ? 0 : damping.delay
}

/** What it has lost is not required, so there is no hurry: often it comes back by itself. */
function leaving(
  now: Millis,
  current: Candidate,
  path: Candidate,
  pending: Move | undefined,
  failbackDelay: number,
): Move {
  if (pending?.path === path && pending.kind === 'failover') return pending
  const cause = `${current.name}: ${current.facts.reason}`
  return { path, at: after(now, failbackDelay), kind: 'failover', cause }
}
