import type { Readiness } from '../client/dialer-state.ts'
import type { PathFacts, PathPlan } from './types.ts'

/** An LNS that has closed the idle control connection this often does not want one. */
const IDLE_CLOSED_LIMIT = 2

/**
 * How ready a tunnel that is not needed should be. `shared`: its address is on a more preferred path, so its session
 * must stay down. `uneasy`: the active path is suspect or gone; the first miss may raise cold to warm, never more.
 */
export function standbyOf(
  { standby, facts }: Pick<PathPlan, 'standby'> & { readonly facts: PathFacts },
  shared: boolean,
  uneasy: boolean,
): Readiness {
  const { tunnel, cutOff } = facts
  if (!tunnel?.dialable || cutOff) return 'cold'
  switch (standby) {
    case 'cold':
      return uneasy ? 'warm' : 'cold'
    case 'warm':
      return 'warm'
    case 'hot':
      return shared ? 'warm' : 'session'
    case 'auto':
      return (tunnel.idleClosed >= IDLE_CLOSED_LIMIT || tunnel.short) && !uneasy ? 'cold' : 'warm'
  }
}
