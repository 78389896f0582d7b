/** Incoming calls as tables, for both sides. RFC 2661 sections 7.4.1 (LAC) and 7.4.2 (LNS). */
import type { L2tpRole } from './types.ts'

/** `waitTunnel` and `waitReply` occur at the LAC only, `waitConnect` at the LNS only. `idle`: there is no session. */
export type SessionStateName = 'idle' | 'waitTunnel' | 'waitReply' | 'waitConnect' | 'established'

/** What can happen to a session. */
export type SessionInput =
  /** LAC: an incoming call is to be indicated. */
  | 'call'
  | 'tunnelOpen'
  | 'icrq'
  | 'icrqBad'
  | 'icrp'
  | 'icrpBad'
  | 'iccn'
  | 'iccnBad'
  | 'cdn'
  /** Any other message of this session that is malformed, unknown and mandatory, or out of place (section 7.1). */
  | 'invalid'
  /** Local close request. */
  | 'clear'
  /** The tunnel has ended, and its sessions with it, without CDNs (section 6.4). */
  | 'tunnelClosed'
  /** The state's own deadline has passed. */
  | 'expired'

/** What a session does. */
export type SessionAction =
  | 'none'
  /** Opens the tunnel unless it is open. */
  | 'openTunnel'
  | 'sendIcrq'
  | 'sendIcrp'
  /** Sends ICCN; data may flow. */
  | 'sendIccn'
  /** Data may flow. */
  | 'connect'
  /** Sends CDN and cleans up. */
  | 'disconnect'
  /** Cleans up without a word. */
  | 'cleanUp'

/** A cell of the tables: the state entered, and what is done on entering it. */
export interface SessionTransition {
  readonly action: SessionAction
  readonly next: SessionStateName
}

type Row = Readonly<Record<SessionInput, SessionTransition>>
type Table = Readonly<Record<SessionStateName, Row>>

const stay = (next: SessionStateName): SessionTransition => ({ action: 'none', next })
const disconnect: SessionTransition = { action: 'disconnect', next: 'idle' }
const cleanUp: SessionTransition = { action: 'cleanUp', next: 'idle' }

/** A state that this side never has. */
const never: Row = {
  call: stay('idle'),
  tunnelOpen: stay('idle'),
  icrq: stay('idle'),
  icrqBad: stay('idle'),
  icrp: stay('idle'),
  icrpBad: stay('idle'),
  iccn: stay('idle'),
  iccnBad: stay('idle'),
  cdn: stay('idle'),
  invalid: stay('idle'),
  clear: stay('idle'),
  tunnelClosed: stay('idle'),
  expired: stay('idle'),
}

const LAC: Table = {
  idle: {
    call: { action: 'openTunnel', next: 'waitTunnel' },
    tunnelOpen: stay('idle'),
    // A LAC takes no incoming calls.
    icrq: disconnect,
    icrqBad: disconnect,
    // The table says only "clean up". But an ICRP that crosses our CDN is the first to tell the peer's session id: LNSes
    // that look a session up by the header alone need a CDN that carries it (as section 7.4.2 has it for the LNS).
    icrp: disconnect,
    icrpBad: disconnect,
    iccn: cleanUp,
    iccnBad: cleanUp,
    cdn: cleanUp,
    invalid: cleanUp,
    clear: stay('idle'),
    tunnelClosed: stay('idle'),
    expired: stay('idle'),
  },
  waitTunnel: {
    call: stay('waitTunnel'),
    tunnelOpen: { action: 'sendIcrq', next: 'waitReply' },
    icrq: cleanUp,
    icrqBad: cleanUp,
    icrp: cleanUp,
    icrpBad: cleanUp,
    iccn: cleanUp,
    iccnBad: cleanUp,
    cdn: cleanUp,
    invalid: cleanUp,
    clear: cleanUp,
    tunnelClosed: cleanUp,
    expired: stay('waitTunnel'),
  },
  waitReply: {
    call: stay('waitReply'),
    tunnelOpen: stay('waitReply'),
    icrq: disconnect,
    icrqBad: disconnect,
    icrp: { action: 'sendIccn', next: 'established' },
    icrpBad: disconnect,
    iccn: cleanUp,
    iccnBad: cleanUp,
    cdn: cleanUp,
    invalid: disconnect,
    clear: disconnect,
    tunnelClosed: cleanUp,
    expired: disconnect,
  },
  waitConnect: never,
  established: {
    call: stay('established'),
    tunnelOpen: stay('established'),
    icrq: disconnect,
    icrqBad: disconnect,
    icrp: disconnect,
    icrpBad: disconnect,
    iccn: disconnect,
    iccnBad: disconnect,
    cdn: cleanUp,
    invalid: disconnect,
    clear: disconnect,
    tunnelClosed: cleanUp,
    expired: stay('established'),
  },
}

const LNS: Table = {
  idle: {
    call: stay('idle'),
    tunnelOpen: stay('idle'),
    icrq: { action: 'sendIcrp', next: 'waitConnect' },
    icrqBad: disconnect,
    icrp: disconnect,
    icrpBad: disconnect,
    iccn: cleanUp,
    iccnBad: cleanUp,
    cdn: cleanUp,
    invalid: cleanUp,
    clear: stay('idle'),
    tunnelClosed: stay('idle'),
    expired: stay('idle'),
  },
  waitTunnel: never,
  waitReply: never,
  waitConnect: {
    call: stay('waitConnect'),
    tunnelOpen: stay('waitConnect'),
    icrq: disconnect,
    icrqBad: disconnect,
    icrp: disconnect,
    icrpBad: disconnect,
    iccn: { action: 'connect', next: 'established' },
    iccnBad: disconnect,
    cdn: cleanUp,
    invalid: disconnect,
    clear: disconnect,
    tunnelClosed: cleanUp,
    expired: disconnect,
  },
  established: LAC.established,
}

/** What a session does in a state when something happens. */
export function sessionTransition(
  role: L2tpRole,
  state: SessionStateName,
  input: SessionInput,
): SessionTransition {
  return (role === 'lac' ? LAC : LNS)[state][input]
}
