/** What the client endpoint is told and what it tells. */

import type { Address } from '../endpoint.ts'
import type { Failure } from '../failure.ts'
import type { AuthMethod } from '../ppp/auth-option.ts'

/** What an attempt can be told; what does not fit its state does nothing. */
export type ClientCommand =
  /** Opens the control connection; with `call` the session as well, in the same flight where the peer allows. */
  | { readonly type: 'dial'; readonly call: boolean }
  /** Dials a session through the open control connection. */
  | { readonly type: 'call' }
  /** Ends the session and keeps the control connection: Terminate-Request and CDN leave together. Nothing is told. */
  | { readonly type: 'hangUp' }
  /** Ends session and control connection: Terminate-Request, CDN and StopCCN leave together; `ended` follows. */
  | { readonly type: 'close' }
  /** IP data arrived on the data path, which this endpoint does not see: the peer lives. */
  | { readonly type: 'alive' }

/** How far a call has come. */
export type CallPhase = 'dialling' | 'authenticating' | 'configuring'

/** What an attempt tells, in the order in which it happened. */
export type ClientEvent =
  /** The LNS has answered: the control connection is open. */
  | { readonly type: 'answered'; readonly peer: PeerInfo }
  /** Send there from now on. */
  | { readonly type: 'peerChanged'; readonly peer: Address }
  | { readonly type: 'phase'; readonly phase: CallPhase }
  /** The keys of the session's data messages are known. */
  | { readonly type: 'sessionOpened'; readonly keys: SessionKeys }
  | { readonly type: 'sequencingChanged'; readonly sequencing: boolean }
  /** `mru`: the largest packet that the peer takes; `ourMru`: the largest that it agreed to send us. Octets. */
  | { readonly type: 'lcpOpened'; readonly mru: number; readonly ourMru: number }
  | { readonly type: 'authenticated'; readonly method: AuthMethod }
  | {
      readonly type: 'ipv4Opened'
      readonly address: string
      readonly peer: string | undefined
      readonly dns: readonly string[]
    }
  | { readonly type: 'ipv4Closed' }
  /** Interface identifiers of 8 octets. */
  | {
      readonly type: 'ipv6Opened'
      readonly interfaceId: Uint8Array
      readonly peerInterfaceId: Uint8Array | undefined
    }
  | { readonly type: 'ipv6Closed' }
  /** IPv6 stays shut: the session carries packets of `mtu` octets, and IPv6 needs 1280 (RFC 8200 section 5). */
  | { readonly type: 'ipv6Small'; readonly mtu: number }
  /** A family came to nothing for now; `reason`: in words, fit to follow its name and a colon. */
  | { readonly type: 'notOpened'; readonly family: 4 | 6; readonly reason: string }
  /** An LCP echo came back. */
  | { readonly type: 'echoed'; readonly rttMs: number; readonly late: boolean }
  | { readonly type: 'echoMissed' }
  /** An IP packet came through this endpoint instead of a data path (simulations). */
  | { readonly type: 'ipReceived'; readonly packet: Uint8Array }
  /** The session is over, the control connection is good for another call. */
  | { readonly type: 'sessionEnded'; readonly failure: Failure }
  /** Everything is over; `failure` is undefined where we closed it ourselves. */
  | { readonly type: 'ended'; readonly failure: Failure | undefined }
  /** After `ended`: the peer knows, or was given up; the socket may be closed. */
  | { readonly type: 'finished' }
  /** After `ended`: the LNS has answered a dial that was given up, so it is there. */
  | { readonly type: 'answeredLate' }

/**
 * Who answered an SCCRQ: both tunnel ids (1..65535), its Host Name and Vendor Name (RFC 2661 section 4.4.3), and from
 * where.
 */
export interface PeerInfo {
  readonly localTunnel: number
  readonly peerTunnel: number
  readonly hostName: string
  readonly vendor: string | undefined
  readonly address: Address
}

/** What names a session in data messages (RFC 2661 section 3.1): the ids of both sides, 1..65535, and the peer's address. */
export interface SessionKeys {
  readonly localTunnel: number
  readonly localSession: number
  readonly peerTunnel: number
  readonly peerSession: number
  readonly peer: Address
  readonly sequencing: boolean
}
