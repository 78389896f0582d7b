import type { Millis } from '../time.ts'
import type { Attempt, Race } from './race.ts'
import type { Return } from './returns.ts'
import type { DialUplink, Route, ServerName } from './round.ts'

/** How long the peers get to acknowledge a clean end. */
export const CLOSE_LIMIT = 1_500
/** How long a call through an open control connection may stay unanswered before a fresh one is dialled beside it. */
export const RECALL_GRACE = 500

/** How ready a tunnel is to be: nothing at all; its control connection open; its session up. */
export type Readiness = 'cold' | 'warm' | 'session'

/** What each state of the dialer holds, its deadlines among it. */
interface States {
  cold: object
  /** There is no usable uplink: the next one ends it. */
  stranded: object
  /** Between two rounds. */
  waiting: { readonly until: Millis }
  /** `opened`: the one that has won. */
  dialling: { readonly race: Race; readonly opened: Attempt | undefined }
  /** The control connection is open, and with `session` the session up. */
  open: {
    readonly attempt: Attempt
    readonly session: boolean
    readonly since: Millis
    readonly going: Return | undefined
  }
  /** The session is gone, its control connection is not: the next call goes through it. */
  recalling: { readonly attempt: Attempt; readonly at: Millis }
  /** `ids`: the attempts whose peers have not acknowledged yet. */
  closing: { readonly ids: Set<number>; readonly until: Millis }
}

type StateName = keyof States

/** What the dialer is doing, or one of these states. */
export type DialerState<Name extends StateName = StateName> = {
  [Each in Name]: { readonly name: Each } & States[Each]
}[Name]

/** What each input of the dialer brings. */
interface Inputs {
  want: { readonly readiness: Readiness }
  /** Drops what there is and dials afresh at once. */
  reconnect: object
  /** A person has asked for the tunnel: what failed before does not count, and a back-off is over. */
  afresh: object
  /** An LNS has answered a dial that was given up: if all was silent, the back-off is over. */
  answeredLate: object
  /** The usable uplinks, in order of preference; again whenever they change. */
  uplinks: { readonly uplinks: readonly DialUplink[] }
  resolved: { readonly route: Route; readonly addresses: readonly string[] }
  unresolved: { readonly route: Route }
  /** The LNS has answered: the control connection is open, or it takes the call that came through an open one. */
  opened: { readonly id: number }
  /** The session of an attempt carries packets. */
  up: { readonly id: number }
  /** The session ended but the control connection is still good. `elsewhere`: the LNS asks for another one to be used. */
  sessionEnded: { readonly id: number; readonly elsewhere?: boolean }
  /**
   * The attempt is over, whatever it was doing. `readdressed`: its uplink has lost the address that it sent from.
   * `elsewhere`: the LNS asks for another one to be used.
   */
  ended: { readonly id: number; readonly readdressed?: boolean; readonly elsewhere?: boolean }
}

type InputType = keyof Inputs

/** What the dialer is told, or one of these inputs. */
export type DialerInput<Type extends InputType = InputType> = {
  [Each in Type]: { readonly type: Each } & Inputs[Each]
}[Type]

/** What a dialer wants done, in this order; nothing is answered but by an input. */
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

/** Inputs of one state -> what to do; what is absent has no meaning in it and changes nothing. */
export type Row<State> = {
  readonly [Type in InputType]?: (now: Millis, state: State, input: DialerInput<Type>) => void
}

/** (state, input) -> what to do. */
export type Table = { readonly [Name in StateName]: Row<DialerState<Name>> }

/** Does what the table says. */
export function follow<Name extends StateName>(
  table: Table,
  now: Millis,
  state: DialerState<Name>,
  input: DialerInput,
): void {
  followRow<DialerState<Name>, InputType>(table[state.name], now, state, input)
}

function followRow<State, Type extends InputType>(
  row: Row<State>,
  now: Millis,
  state: State,
  input: DialerInput<Type>,
): void {
  row[input.type]?.(now, state, input)
}

/** When the dialer has to be woken, if ever. */
export function deadlineOf(state: DialerState): Millis | undefined {
  switch (state.name) {
    case 'cold':
    case 'stranded':
      return undefined
    case 'waiting':
    case 'closing':
      return state.until
    case 'recalling':
      return state.at
    case 'dialling':
      return state.race.round.pollTimeout()
    case 'open':
      if (state.going === undefined) return undefined
      return state.going.step === 'settling' ? state.going.at : state.going.race.round.pollTimeout()
  }
}

/** The attempts that are under way or open; those that are being closed are not. */
export function attemptsOf(state: DialerState): readonly Attempt[] {
  switch (state.name) {
    case 'dialling':
      return state.race.attempts
    case 'recalling':
      return [state.attempt]
    case 'open':
      return [state.attempt, ...(state.going?.step === 'proving' ? state.going.race.attempts : [])]
    default:
      return []
  }
}

/** The race that is under way, to have a connection or to go back. */
export function raceOf(state: DialerState): Race | undefined {
  if (state.name === 'dialling') return state.race
  return state.name === 'open' && state.going?.step === 'proving' ? state.going.race : undefined
}
