import type { Millis } from '../time.ts'
import type { Candidate } from './candidate.ts'
import type { SwitchKind } from './types.ts'

/** How long a trial of going back may stay unconfirmed, in ms. */
export const TRIAL_LIMIT = 2_000
/** How long packets are still taken from a session that was ended to go back, in ms. */
export const LINGER = 1_000

/** Traffic is on an uplink and the session of the tunnel ended, until the uplink is seen to carry answers. */
export interface Trial {
  readonly tunnel: Candidate
  readonly until: Millis
  /** Of the switch that it becomes. */
  readonly kind: SwitchKind
  readonly cause: string
}
