/** What an L2TP endpoint is told (options, commands) and what it tells (events, causes). RFC 2661. */
import type { Digests, Entropy } from '../crypto.ts'
import type { Address } from '../endpoint.ts'
import type { Millis } from '../time.ts'

/** LAC: the side with the calls (a client). LNS: the side that terminates their PPP. */
export type L2tpRole = 'lac' | 'lns'

/** How an endpoint is set up. */
export interface L2tpOptions {
  readonly role: L2tpRole
  /** Where the peer listens. Its port may change once, with its SCCRP (RFC 2661 section 8.1); its host never does. */
  readonly peer: Address
  /** Our Host Name AVP; 1 octet or more. */
  readonly hostName: string
  /** Our Vendor Name AVP; `lifeline` unless given. */
  readonly vendorName?: string
  /** The tunnel secret. With it both sides are challenged, and a missing or wrong answer refuses the tunnel. */
  readonly secret?: Uint8Array
  /** Silence after which a HELLO is sent, in ms; 0 sends none. */
  readonly helloInterval: Millis
  /** Control messages that the peer may send ahead, 1..32; 8 unless given. */
  readonly receiveWindow?: number
  readonly retransmission?: Partial<Retransmission>
  /**
   * LAC: asks for sequence numbers on data messages with the Sequencing Required AVP.
   * LNS: numbers its data messages, which obliges the LAC to do so (RFC 2661 section 5.4).
   */
  readonly sequencing?: boolean
  /** LNS: answers every SCCRQ with this StopCCN. */
  readonly refuseTunnels?: StopCcnReason
  /** LNS: answers every ICRQ with this CDN. */
  readonly refuseCalls?: CdnReason
  /** LNS: calls that may be up at once, 16 unless given; more are refused with CDN result 4. */
  readonly maxCalls?: number
  readonly digests: Digests
  readonly entropy: Entropy
}

/**
 * How control messages are repeated (RFC 2661 section 5.8). With the defaults, and a round-trip time below 100 ms, a peer
 * that has died is noticed 13.3 s after the first message that it leaves unanswered; with a HELLO interval of 25 s at
 * most 38.3 s after its last sign of life. While the round-trip time is unknown it takes 19.5 s (SCCRQ: 11.5 s).
 */
export interface Retransmission {
  /** Wait before the first repetition while the round-trip time is unknown; 500 ms. Each further wait is doubled. */
  readonly first: Millis
  /** Least wait once the round-trip time is known; 300 ms. */
  readonly least: Millis
  /** Longest wait between two transmissions; 8 s (the RFC allows no less). */
  readonly cap: Millis
  /** Transmissions of one message to a peer from which nothing at all arrives; 6. */
  readonly attempts: number
  /** Transmissions of one message while other packets do arrive from the peer, as on a lossy path; 30. */
  readonly attemptsAlive: number
  /** Transmissions of SCCRQ; 5. */
  readonly attemptsSccrq: number
  /** Longest wait after the last transmission before the peer counts as dead; 4 s. */
  readonly lastWait: Millis
  /** How long SCCRP, SCCCN, ICRP or ICCN is awaited after the message before it was acknowledged at the latest; 20 s. */
  readonly answer: Millis
}

/** Result Code AVP of a StopCCN (RFC 2661 section 4.4.2); `error` matters with result 2 (and 5: the version). */
export interface StopCcnReason {
  readonly result: number
  readonly error?: number
  readonly message?: string
}

/** Result Code AVP of a CDN (RFC 2661 section 4.4.2); `error` matters with result 2. */
export interface CdnReason {
  readonly result: number
  readonly error?: number
  readonly message?: string
}

/** What an endpoint can be asked to do. */
export type L2tpCommand =
  /** Opens the control connection: sends SCCRQ. Only the first one counts. */
  | { readonly type: 'open' }
  /** LAC: places a call (ICRQ) now, or together with SCCCN if the tunnel is still opening. Answered by `calling`. */
  | { readonly type: 'call' }
  /** Ends one session with a CDN; `sessionClosed` follows at once. Result 3 unless given. */
  | ({ readonly type: 'clear'; readonly session: number } & Partial<CdnReason>)
  /** Ends the control connection and all sessions with a StopCCN; `closed` follows at once. Result 1 unless given. */
  | ({ readonly type: 'close' } & Partial<StopCcnReason>)
  /** Sends one PPP frame (from its address field or its protocol field on) as a data message. Unknown sessions: dropped. */
  | { readonly type: 'send'; readonly session: number; readonly frame: Uint8Array }
  /** Something arrived from the peer on the data path that this endpoint did not see: postpones HELLO. */
  | { readonly type: 'alive' }

/** What an endpoint tells. */
export type L2tpEvent =
  | TunnelOpened
  /** SCCRP came from another port: send there from now on; the socket may be connected to `peer` now. */
  | { readonly type: 'peerChanged'; readonly peer: Address }
  /** A call is being placed under this local session id. */
  | { readonly type: 'calling'; readonly session: number }
  | SessionOpened
  /** The LNS turned numbering of data messages on or off (RFC 2661 section 5.4). */
  | { readonly type: 'sequencingChanged'; readonly session: number; readonly sequencing: boolean }
  /** Terminal for this session. Also told for every session, before `closed`, when the tunnel ends. */
  | { readonly type: 'sessionClosed'; readonly session: number; readonly cause: L2tpCause }
  /** A PPP frame arrived. `frame` refers to the octets of the datagram: copy it to keep it. */
  | { readonly type: 'received'; readonly session: number; readonly frame: Uint8Array }
  /** Terminal: no further session events. Only `finished` and `answeredLate` may follow. */
  | { readonly type: 'closed'; readonly cause: L2tpCause }
  /**
   * The peer knows of the end (`acknowledged`), or was given up: who is exiting may leave now. Others go on driving
   * the endpoint until `pollTimeout` is undefined, so that repetitions from the peer are still acknowledged.
   */
  | { readonly type: 'finished'; readonly acknowledged: boolean }
  /** After `closed`: the peer has answered an SCCRQ that was given up, and is told that the tunnel is not wanted any more. */
  | { readonly type: 'answeredLate' }

/** The control connection is established. */
export interface TunnelOpened {
  readonly type: 'opened'
  readonly localTunnel: number
  readonly peerTunnel: number
  readonly peer: Address
  /** Printable text; what is not ASCII shows as `?`. */
  readonly hostName: string
  readonly vendor: string | undefined
  readonly firmware: number | undefined
  /** Control messages that we may send ahead; 4 where the peer did not say. */
  readonly window: number
  /** The peer proved that it knows the tunnel secret. */
  readonly authenticated: boolean
}

/** A call is connected: data messages may flow. */
export interface SessionOpened {
  readonly type: 'sessionOpened'
  /** Our session id: the one in data messages that arrive. */
  readonly session: number
  /** The peer's session id: the one in data messages that are sent. */
  readonly peerSession: number
  readonly localTunnel: number
  readonly peerTunnel: number
  readonly peer: Address
  /** Data messages carry sequence numbers from the first one on. */
  readonly sequencing: boolean
  /** LNS: what the LAC said of the call. */
  readonly call: CallInfo | undefined
}

/** ICRQ and ICCN as far as they are of interest. */
export interface CallInfo {
  readonly serialNumber: number
  readonly callingNumber: string | undefined
  readonly calledNumber: string | undefined
  /** Bits per second. */
  readonly txSpeed: number
  readonly rxSpeed: number | undefined
}

/** How far it had come: control connection not open yet; open without this call; call not connected yet; connected. */
export type L2tpPhase = 'opening' | 'open' | 'calling' | 'established'

interface CauseBase {
  /** Whether the whole control connection ended, or one session. */
  readonly scope: 'tunnel' | 'session'
  readonly phase: L2tpPhase
}

/** Why a tunnel or session ended. `describeCause` in cause.ts says it in words. */
export type L2tpCause =
  /** A command of ours; the result that was sent. */
  | (CauseBase & CauseCodes & { readonly by: 'local' })
  /** StopCCN or CDN from the peer. */
  | (CauseBase & {
      readonly by: 'peer'
      /** Undefined where the peer sent no readable Result Code. */
      readonly result: number | undefined
      readonly error: number | undefined
      /** The peer's Error Message, printable. */
      readonly message: string | undefined
      readonly q931: { readonly cause: number; readonly message: string | undefined } | undefined
    })
  /** The peer did not acknowledge, or acknowledged and never went on. */
  | (CauseBase & { readonly by: 'timeout'; readonly awaited: AwaitedMessage; readonly transmissions: number })
  /** The peer broke the protocol, or did not authenticate itself; the result that we sent for it. */
  | (CauseBase & CauseCodes & { readonly by: 'protocol'; readonly violation: L2tpViolation })

interface CauseCodes {
  readonly result: number
  readonly error: number | undefined
  readonly message: string | undefined
}

/** What never came. */
export type AwaitedMessage = 'acknowledgement' | 'SCCRP' | 'SCCCN' | 'ICRP' | 'ICCN'

/** What a peer did wrong. */
export type L2tpViolation =
  /** We challenged, and SCCRP or SCCCN carries no Challenge Response. */
  | 'challengeResponseMissing'
  /** The Challenge Response is not that of our secret. */
  | 'challengeResponseWrong'
  /** The peer challenges us, and no secret is configured. */
  | 'secretNeeded'
  | 'versionUnsupported'
  | 'avpMissing'
  | 'avpMalformed'
  | 'avpUnknown'
  /** A mandatory hidden AVP without secret or Random Vector, or hidden with another secret. */
  | 'avpUnreadable'
  | 'messageUnknown'
  | 'messageUnexpected'
  /** Refused by our own policy, such as an outgoing call or one call too many. */
  | 'refused'
