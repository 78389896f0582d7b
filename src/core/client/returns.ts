import { after, type Millis } from '../time.ts'
import type { Attempt, Race } from './race.ts'
import type { DialUplink } from './round.ts'

/** How long a more preferred uplink must be usable before the tunnel is moved to it, in ms. */
export const RETURN_DELAY = 10_000
/** The longest it gets after vain tries, in ms. */
const RETURN_DELAY_LIMIT = 600_000

/** Going back to a more preferred uplink: proved by a control connection over it before the session is moved. */
export type Return =
  | { readonly step: 'settling'; readonly at: Millis; readonly uplink: DialUplink }
  | { readonly step: 'proving'; readonly race: Race; readonly uplink: DialUplink }

/** When a tunnel tries to go back to a more preferred uplink: each vain try doubles the time before the next one. */
export class Returns {
  #delay = RETURN_DELAY

  /** The way back from an attempt to the first of the usable uplinks; undefined where that is the one it uses. */
  settle(now: Millis, uplinks: readonly DialUplink[], { uplink }: Attempt): Return | undefined {
    const [best] = uplinks
    if (!best || best.id === uplink.id) return undefined
    return { step: 'settling', at: after(now, this.#delay), uplink: best }
  }

  /** The better uplink did not carry a control connection. */
  vain(): void {
    this.#delay = Math.min(this.#delay * 2, RETURN_DELAY_LIMIT)
  }

  /** It does. */
  proved(): void {
    this.#delay = RETURN_DELAY
  }
}
