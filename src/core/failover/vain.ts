import { after, type Millis } from '../time.ts'
import { type Candidate, usable } from './candidate.ts'
import { FAILBACK_DELAY_LIMIT } from './damping.ts'

/** How long a session may take until it does what is wanted, such as to get IPv6 too, in ms. */
export const VAIN_LIMIT = 5_000

/**
 * A session that is of no use gives the address of a line back (`inTheWay`): else nobody could use the line, nor see
 * that it works. It is dialled again after `failbackDelay` ms, twice as long each time that it was in vain.
 */
export function watchVain(now: Millis, path: Candidate, inTheWay: boolean, failbackDelay: number): void {
  if (usable(path)) path.vainDelay = failbackDelay
  const { health, tunnel } = path.facts
  const vain = inTheWay && tunnel?.session === 'up' && health === 'down'
  path.vainSince = vain ? (path.vainSince ?? now) : undefined
  if (path.vainSince === undefined || now < after(path.vainSince, VAIN_LIMIT)) return
  path.vainSince = undefined
  path.distrustedUntil = after(now, path.vainDelay)
  path.vainDelay = Math.min(path.vainDelay * 2, FAILBACK_DELAY_LIMIT)
}
