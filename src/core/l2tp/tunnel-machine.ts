/** The control connection as a table. RFC 2661 section 7.2.1, plus the deadlines that section 7.3 leaves out. */

/**
 * `abandoned` is the idle of a connection that was given up before the peer answered: nothing is sent any more, unless the
 * answer still comes; it is told to have finished when that is refused, or half a minute later. `stopped` is that of a connection that has been: only acknowledgements go on (RFC 2661 section 5.7).
 */
export type TunnelStateName =
  | 'idle'
  | 'waitCtlReply'
  | 'waitCtlConn'
  | 'established'
  | 'abandoned'
  | 'stopped'

/** What can happen to a control connection. `Bad`: not acceptable. */
export type TunnelInput =
  | 'open'
  | 'close'
  | 'sccrq'
  | 'sccrqBad'
  /** SCCRQ while ours is outstanding, and its Tie Breaker wins (RFC 2661 section 4.4.3). */
  | 'sccrqTieLost'
  | 'sccrp'
  | 'sccrpBad'
  | 'scccn'
  | 'scccnBad'
  | 'stopCcn'
  /** Any other message that is malformed, unknown and mandatory, or of a session before there can be one (section 7.1). */
  | 'invalid'
  /** The state's own deadline has passed. */
  | 'expired'
  /** Retransmissions are exhausted (section 5.8). */
  | 'dead'

/** What a control connection does. */
export type TunnelAction =
  | 'none'
  | 'sendSccrq'
  | 'sendSccrp'
  /** Sends SCCCN and tells the waiting sessions that the tunnel is open. */
  | 'sendScccnAndOpen'
  /** Tells the waiting sessions that the tunnel is open. */
  | 'tellOpen'
  /** Sends StopCCN, then cleans up. */
  | 'stop'
  /** The peer or the path ended it: nothing is sent. */
  | 'cleanUp'
  /** Cleans up without a word: the peer has told no id under which it would know what a StopCCN ends. */
  | 'abandon'
  /** Sends StopCCN to the id that the late answer assigned, so that the peer does not keep half a tunnel. */
  | 'refuse'
  /** Cleans up and handles the peer's SCCRQ as in idle. */
  | 'requeue'
  /** Nothing is awaited or acknowledged any more. */
  | 'forget'

/** A cell of the table: the state entered, and what is done on entering it. */
export interface TunnelTransition {
  readonly action: TunnelAction
  readonly next: TunnelStateName
}

type Row = Readonly<Record<TunnelInput, TunnelTransition>>

const none = (next: TunnelStateName): TunnelTransition => ({ action: 'none', next })
const stop: TunnelTransition = { action: 'stop', next: 'stopped' }
const cleanUp: TunnelTransition = { action: 'cleanUp', next: 'stopped' }
const abandon: TunnelTransition = { action: 'abandon', next: 'abandoned' }
const refuse: TunnelTransition = { action: 'refuse', next: 'stopped' }
const forget: TunnelTransition = { action: 'forget', next: 'stopped' }

const TABLE: Readonly<Record<TunnelStateName, Row>> = {
  idle: {
    open: { action: 'sendSccrq', next: 'waitCtlReply' },
    close: cleanUp,
    sccrq: { action: 'sendSccrp', next: 'waitCtlConn' },
    sccrqBad: stop,
    sccrqTieLost: none('idle'),
    sccrp: stop,
    sccrpBad: stop,
    scccn: cleanUp,
    scccnBad: cleanUp,
    stopCcn: cleanUp,
    invalid: stop,
    expired: none('idle'),
    dead: none('idle'),
  },
  waitCtlReply: {
    open: none('waitCtlReply'),
    close: abandon,
    // Without a Tie Breaker from either side it asks for a second tunnel, which this endpoint does not offer.
    sccrq: none('waitCtlReply'),
    sccrqBad: none('waitCtlReply'),
    sccrqTieLost: { action: 'requeue', next: 'idle' },
    sccrp: { action: 'sendScccnAndOpen', next: 'established' },
    sccrpBad: stop,
    scccn: stop,
    scccnBad: stop,
    stopCcn: cleanUp,
    invalid: stop,
    expired: abandon,
    dead: abandon,
  },
  waitCtlConn: {
    open: none('waitCtlConn'),
    close: stop,
    sccrq: stop,
    sccrqBad: stop,
    sccrqTieLost: stop,
    sccrp: stop,
    sccrpBad: stop,
    scccn: { action: 'tellOpen', next: 'established' },
    scccnBad: stop,
    stopCcn: cleanUp,
    invalid: stop,
    expired: stop,
    dead: cleanUp,
  },
  established: {
    open: none('established'),
    close: stop,
    sccrq: stop,
    sccrqBad: stop,
    sccrqTieLost: stop,
    sccrp: stop,
    sccrpBad: stop,
    scccn: stop,
    scccnBad: stop,
    stopCcn: cleanUp,
    invalid: stop,
    expired: none('established'),
    dead: cleanUp,
  },
  abandoned: {
    open: none('abandoned'),
    close: none('abandoned'),
    sccrq: none('abandoned'),
    sccrqBad: none('abandoned'),
    sccrqTieLost: none('abandoned'),
    sccrp: refuse,
    sccrpBad: refuse,
    scccn: none('abandoned'),
    scccnBad: none('abandoned'),
    stopCcn: none('abandoned'),
    invalid: none('abandoned'),
    expired: forget,
    dead: none('abandoned'),
  },
  stopped: {
    open: none('stopped'),
    close: none('stopped'),
    sccrq: none('stopped'),
    sccrqBad: none('stopped'),
    sccrqTieLost: none('stopped'),
    sccrp: none('stopped'),
    sccrpBad: none('stopped'),
    scccn: none('stopped'),
    scccnBad: none('stopped'),
    stopCcn: none('stopped'),
    invalid: none('stopped'),
    expired: forget,
    dead: none('stopped'),
  },
}

/** What a control connection does in a state when something happens. */
export function tunnelTransition(state: TunnelStateName, input: TunnelInput): TunnelTransition {
  return TABLE[state][input]
}
