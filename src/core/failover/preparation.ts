import type { Readiness } from '../client/dialer-state.ts'
import { type Candidate, preferredOver } from './candidate.ts'
import type { Pace } from './probing.ts'
import type { Sharing } from './sharing.ts'
import { standbyOf } from './standby.ts'
import type { ControllerAction } from './types.ts'

/** What the paths are prepared for. */
export interface Situation {
  /** The path that has the traffic, on trial or not. */
  readonly current: Candidate | undefined
  /** `current` does what is wanted of it. */
  readonly works: boolean
  /** The path that somebody chose. */
  readonly pinned: Candidate | undefined
  /** Where the traffic is about to go without need. */
  readonly next: Candidate | undefined
  /** The tunnel whose session was ended to try the uplink that has its address. */
  readonly ended: Candidate | undefined
  readonly sharing: Sharing
  /** A more preferred path has the address that the tunnel would take over. */
  shared(tunnel: Candidate): boolean
}

/** What the others should be ready for besides the path in use, as far as it is news to them. */
export function prepare(paths: readonly Candidate[], situation: Situation): readonly ControllerAction[] {
  const { current, works, pinned, next, ended, sharing } = situation
  const uneasy = !works || current?.facts.health === 'suspect'
  const upTo = works && current ? paths.indexOf(preferredOver(paths, current)) : paths.length
  const actions: ControllerAction[] = []
  let needed = true
  for (const [index, path] of paths.entries()) {
    if (path.kind === 'tunnel') {
      // A drill keeps the session that there is and dials none: it would take the address of a line from it.
      const dead = path.drilledUntil !== undefined
      const mayDial = path.distrustedUntil === undefined && (!dead || path.wanted === 'session')
      // It would take the address of the line that the traffic is about to go back to.
      const awaits = next && path.wanted !== 'session' && sharing.shares(path, next)
      const due = awaits ? false : pinned ? path === pinned : needed && index < upTo && path !== ended
      const dial = due && mayDial
      const ready = path === current || dial
      actions.push(...want(path, ready ? 'session' : standbyOf(path, situation.shared(path), uneasy)))
      if (dial && !dead && path.facts.tunnel?.dialable && !path.facts.tunnel.failed) needed = false
    }
    actions.push(...setPace(path, path.metered && path !== current && !uneasy ? 'sparing' : 'normal'))
    const steered = path.kind === 'uplink' && current?.kind === 'tunnel' && sharing.shares(current, path)
    actions.push(...steer(path, steered))
  }
  return actions
}

function want(path: Candidate, readiness: Readiness): readonly ControllerAction[] {
  if (path.wanted === readiness) return []
  path.wanted = readiness
  return [{ type: 'want', tunnel: path.name, readiness }]
}

function setPace(path: Candidate, pace: Pace): readonly ControllerAction[] {
  if (path.pace === pace) return []
  path.pace = pace
  return [{ type: 'pace', path: path.name, pace }]
}

function steer(path: Candidate, on: boolean): readonly ControllerAction[] {
  if (path.steered === on) return []
  path.steered = on
  return [{ type: 'steer', path: path.name, on }]
}
