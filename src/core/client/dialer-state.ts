import type { Millis } from '../time.ts'
import type { Candidate, DialUplink, Round, Route, ServerName } from './round.ts'

/** How long a more preferred uplink must be usable before the tunnel is moved to it. */
export const RETURN_DELAY = 10_000
/** The longest it gets after vain tries. */
export const RETURN_DELAY_LIMIT = 600_000
/** How long the peers get to acknowledge a clean end. */
export const CLOSE_LIMIT = 1_500
/** How long a call through an open control connection may stay unanswered before a fresh one is dialled beside it. */
export const RECALL_GRACE = 500

/** One attempt to have a session with one address; it becomes the session when it succeeds. */
export interface Attempt extends Candidate {
  readonly id: number
}

/** How ready a tunnel is to be: nothing at all; its control connection open; its session up. */
export type Readiness = 'cold' | 'warm' | 'session'

/** What the dialer is doing; each variant holds its own deadlines. */
export type DialerState =
  | { readonly name: 'cold' }
  /** No usable uplink (no `until`), or between two rounds. */
  | { readonly name: 'waiting'; readonly until: Millis | undefined }
  | {
      readonly name: 'dialling'
      readonly round: Round
      readonly attempts: Attempt[]
      opened: Attempt | undefined
    }
  /** The control connection is open, and with `session` the session up. */
  | {
      readonly name: 'open'
      readonly attempt: Attempt
      readonly session: boolean
      readonly since: Millis
      readonly going: Return | undefined
    }
  /** The session is gone, its control connection is not: the next call goes through it. */
  | { readonly name: 'recalling'; readonly attempt: Attempt; readonly at: Millis }
  | {
      readonly name: 'closing'
      readonly ids: Set<number>
      readonly until: Millis
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

/** What a dialler is told. */
export type DialerInput =
  | { readonly type: 'want'; readonly readiness: Readiness }
  /** Drops what there is and dials afresh at once. */
  | { readonly type: 'reconnect' }
  /** A person has asked for the tunnel: what failed before does not count, and a back-off is over. */
  | { readonly type: 'afresh' }
  /** An LNS has answered a dial that was given up: if all was silent, the back-off is over. */
  | { readonly type: 'answeredLate' }
  /** The usable uplinks, in order of preference; again whenever they change. */
  | { readonly type: 'uplinks'; readonly uplinks: readonly DialUplink[] }
  | { readonly type: 'resolved'; readonly route: Route; readonly addresses: readonly string[] }
  | { readonly type: 'unresolved'; readonly route: Route }
  /** The LNS has answered: the control connection is open, or it takes the call that came through an open one. */
  | { readonly type: 'opened'; readonly id: number }
  /** The session of an attempt carries packets. */
  | { readonly type: 'up'; readonly id: number }
  /** The session ended but the control connection is still good. `elsewhere`: the LNS asks for another one to be used. */
  | { readonly type: 'sessionEnded'; readonly id: number; readonly elsewhere?: boolean }
  /**
   * The attempt is over, whatever it was doing. `readdressed`: its uplink has lost the address that it sent from.
   * `elsewhere`: the LNS asks for another one to be used.
   */
  | {
      readonly type: 'ended'
      readonly id: number
      readonly readdressed?: boolean
      readonly elsewhere?: boolean
    }

/** What a dialler wants done, in this order; nothing is answered but by an input. */
export type DialerAction =
  | { readonly type: 'resolve'; readonly route: Route }
  /** `call`: also dial the session; otherwise the control connection alone. */
  | { readonly type: 'start'; readonly attempt: Attempt; readonly call: boolean }
  /** Dial a session through the attempt's open control connection. */
  | { readonly type: 'call'; readonly id: number }
  /** End the session with a CDN and keep the control connection. */
  | { readonly type: 'hangUp'; readonly id: number }
  /** End the attempt with CDN and StopCCN; `ended` follows when the peer has acknowledged or never will. */
  | { readonly type: 'close'; readonly id: number; readonly reason: CloseReason }

/** Why an attempt is closed although nothing failed. */
export type CloseReason = 'lostRace' | 'uplinkGone' | 'moved' | 'reconnect' | 'shutdown'

/** What is dialled, and how carefully. */
export interface DialerOptions {
  readonly servers: readonly ServerName[]
  /** Never two attempts at once over one uplink, for a fixed local port. */
  readonly serial: boolean
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/** (state, input) -> what to do. */
export type Handlers = {
  [Name in DialerState['name']]?: {
    [Type in DialerInput['type']]?: (now: Millis, input: Extract<DialerInput, { type: Type }>) => void
  }
}

/** When the dialer has to be woken, if ever. */
export function deadlineOf(state: DialerState): Millis | undefined {
  switch (state.name) {
    case 'cold':
      return undefined
    case 'waiting':
    case 'closing':
      return state.until
    case 'recalling':
      return state.at
    case 'dialling':
      return state.round.pollTimeout()
    case 'open':
      if (state.going === undefined) return undefined
      return state.going.step === 'settling' ? state.going.at : state.going.round.pollTimeout()
  }
}

/** The attempts that are under way or open; those that are being closed are not. */
export function attemptsOf(state: DialerState): readonly Attempt[] {
  switch (state.name) {
    case 'dialling':
      return state.attempts
    case 'recalling':
      return [state.attempt]
    case 'open':
      return [state.attempt, ...(state.going?.step === 'proving' ? state.going.attempts : [])]
    default:
      return []
  }
}

/** Takes the attempt of this id out of a list; false if it is none of them. */
export function removeAttempt(attempts: Attempt[], id: number): boolean {
  const index = attempts.findIndex((attempt) => attempt.id === id)
  if (index >= 0) attempts.splice(index, 1)
  return index >= 0
}

/** The round that is being dialled, to have a connection or to go back. */
export function roundOf(state: DialerState): Round | undefined {
  if (state.name === 'dialling') return state.round
  return state.name === 'open' && state.going?.step === 'proving' ? state.going.round : undefined
}
