import type { ServerName } from '../config/types.ts'
import type { Millis } from '../time.ts'
import type { Candidate, DialUplink, Round, Route } from './round.ts'

/** One attempt to have a session with one address; it becomes the session when it succeeds. */
export interface Attempt extends Candidate {
  readonly id: number
}

/** What the dialer is doing; each variant holds its own deadlines. */
export type DialerState =
  | { readonly name: 'disabled' }
  /** No usable uplink (no `until`), or between two rounds. */
  | { readonly name: 'waiting'; readonly until: Millis | undefined }
  | {
      readonly name: 'dialling'
      readonly round: Round
      readonly attempts: Attempt[]
      opened: Attempt | undefined
    }
  | {
      readonly name: 'up'
      readonly attempt: Attempt
      readonly since: Millis
      readonly going: Return | undefined
    }
  /** The session is gone, its control connection is not: the next call goes through it. */
  | { readonly name: 'recalling'; readonly attempt: Attempt; readonly at: Millis }
  | {
      readonly name: 'closing'
      readonly ids: Set<number>
      readonly until: Millis
      readonly next: 'disabled' | 'waiting'
    }

/** Going back to a more preferred uplink: proved by a control connection over it before the session is moved. */
export type Return =
  | { readonly step: 'settling'; readonly at: Millis; readonly uplink: DialUplink }
  | {
      readonly step: 'proving'
      readonly round: Round
      readonly attempts: Attempt[]
      readonly uplink: DialUplink
    }

export type DialerInput =
  | { readonly type: 'enable' }
  | { readonly type: 'disable' }
  /** Drops what there is and dials afresh at once. */
  | { readonly type: 'reconnect' }
  /** The usable uplinks, in order of preference; again whenever they change. */
  | { readonly type: 'uplinks'; readonly uplinks: readonly DialUplink[] }
  | { readonly type: 'resolved'; readonly route: Route; readonly addresses: readonly string[] }
  | { readonly type: 'unresolved'; readonly route: Route }
  /** The LNS has answered: the control connection is open, or it takes the call that came through an open one. */
  | { readonly type: 'opened'; readonly id: number }
  /** The session of an attempt carries packets. */
  | { readonly type: 'up'; readonly id: number }
  /** The session ended but the control connection is still good. */
  | { readonly type: 'sessionEnded'; readonly id: number }
  /** The attempt is over, whatever it was doing. */
  | { readonly type: 'ended'; readonly id: number }

export type DialerAction =
  | { readonly type: 'resolve'; readonly route: Route }
  /** `call`: also dial the session; otherwise the control connection alone. */
  | { readonly type: 'start'; readonly attempt: Attempt; readonly call: boolean }
  /** Dial a session through the attempt's open control connection. */
  | { readonly type: 'call'; readonly id: number }
  /** End the attempt with CDN and StopCCN; `ended` follows when the peer has acknowledged or never will. */
  | { readonly type: 'close'; readonly id: number; readonly reason: CloseReason }

export type CloseReason = 'lostRace' | 'uplinkGone' | 'moved' | 'reconnect' | 'shutdown'

export interface DialerOptions {
  readonly servers: readonly ServerName[]
  /** Never two attempts at once, for a fixed local port. */
  readonly serial: boolean
  /** Numbers in [0, 1). */
  readonly random: () => number
}
