/** What a PPP link is told, what it tells, and why it ended: all that the user of `link.ts` needs to know. */

import type { Digests, Entropy } from '../crypto.ts'
import type { Secret } from '../secret.ts'
import type { Millis } from '../time.ts'
import type { AskedMethod, AuthMethod } from './auth-option.ts'

/** The client is authenticated and is given an address; the server (an LNS) demands the one and gives the other. */
export type PppOptions = PppClientOptions | PppServerOptions

/** What both roles need. */
export interface PppCommonOptions {
  /** Largest packet in octets that we want to receive (our MRU); 576..65535. */
  readonly mru: number
  /**
   * The client allows these, whichever of them is asked for; the order is that of its suggestions to a peer that asks
   * for another one. The server demands the first that the client takes.
   */
  readonly auth: readonly AuthMethod[]
  /** Whether IPV6CP is negotiated where packets are large enough; else it is refused with a Protocol-Reject. */
  readonly ipv6: boolean
  /** Our interface identifier of last time, 8 octets, not all zero; random if left out. */
  readonly interfaceId?: Uint8Array
  /** Between two of our LCP Echo-Requests while the link is up; 0 sends none and never declares the peer dead. */
  readonly echoInterval: Millis
  /** Echo intervals in which nothing at all arrived before the peer counts as dead. */
  readonly echoFailures: number
  /** Timers and limits that differ from `defaultPppLimits`. */
  readonly limits?: Partial<PppLimits>
  readonly digests: Digests
  readonly entropy: Entropy
}

/** The side that logs in and asks for addresses. */
export interface PppClientOptions extends PppCommonOptions {
  readonly role: 'client'
  readonly username: string
  readonly password: Secret
  /** IPv4 address of last time: asked for first. Without it we ask for 0.0.0.0 and take what the peer suggests. */
  readonly lastAddress?: string
  /** Name servers of last time: asked for first, and no others. */
  readonly lastDns?: readonly string[]
  /** Whether IPCP asks for name servers (RFC 1877). */
  readonly wantDns: boolean
  /** Why an IPv4 address is not to be used as ours, as a predicate; undefined if nothing speaks against it. */
  readonly unfit?: (address: string) => string | undefined
}

/** The side that asks for a login and gives addresses. */
export interface PppServerOptions extends PppCommonOptions {
  readonly role: 'server'
  /** Our name in CHAP challenges. */
  readonly name: string
  /** The secret of a user; undefined for an unknown user, who is refused like one with a wrong password. */
  verify(username: string): Secret | undefined
  /** What a user gets once authenticated; the name is empty if `auth` is empty and nobody was asked. */
  assign(username: string): PppAssignment
}

/** What a server gives to one client. */
export interface PppAssignment {
  /** IPv4 address of the client. */
  readonly address: string
  /** Our own IPv4 address towards it. */
  readonly ownAddress: string
  /** Up to two name servers. */
  readonly dns: readonly string[]
  /** Interface identifier that the client must take, 8 octets; any if left out. */
  readonly interfaceId?: Uint8Array
}

/** Timers and limits of a link (RFC 1661 section 4.6), with `defaultPppLimits` in limits.ts. */
export interface PppLimits {
  /** First retransmission of an unanswered request; each further one waits half as long again, up to `restartTimerMax`. */
  readonly restartTimer: Millis
  readonly restartTimerMax: Millis
  /** Max-Configure: transmissions of one Configure-Request without an answer. */
  readonly maxConfigure: number
  /** Max-Terminate: transmissions of a Terminate-Request. */
  readonly maxTerminate: number
  /** Max-Failure: Configure-Naks in a row before we Reject instead; as many Rejects again and we give up. */
  readonly maxFailure: number
  /** Whole time of the authentication phase. */
  readonly authTimeout: Millis
  /** Time in the network phase without any network protocol open before the link closes. */
  readonly networkTimeout: Millis
  /** First pause before a network protocol that failed is tried again; doubles up to `retryMax`. */
  readonly retryFirst: Millis
  readonly retryMax: Millis
}

/** What whoever has a link may want of it. */
export type PppCommand =
  /** The lower layer is up: negotiate. The first Configure-Request is ready to transmit at once. */
  | { readonly type: 'open' }
  /** Close in order: Terminate-Request, then `closed` once it is acknowledged or has been given up (about 2 s). */
  | { readonly type: 'close'; readonly reason?: string }
  /** The lower layer is gone: `closed` at once. */
  | { readonly type: 'lowerDown' }
  /** IP data from the peer arrived on the data path: proof of life. */
  | { readonly type: 'alive' }
  /** Negotiate LCP anew, and all above it. */
  | { readonly type: 'renegotiate' }

/** RFC 1661 section 3.2. */
export type PppPhase = 'dead' | 'establish' | 'authenticate' | 'network' | 'terminate'

/** Network protocols by the data they carry: 0021 and 0057. */
export type IpProtocol = 'ipv4' | 'ipv6'

/** What a link has to say. */
export type PppEvent =
  | { readonly type: 'phase'; readonly phase: PppPhase }
  /** `mru`: the largest packet that the peer takes, so that we may send; `ourMru`: what it was told about us. Octets. */
  | { readonly type: 'lcpOpened'; readonly mru: number; readonly ourMru: number }
  /** The client was accepted by, or the server has accepted, `username`. `message`: the authenticator's, printable. */
  | {
      readonly type: 'authenticated'
      readonly method: AuthMethod
      readonly username: string
      readonly message?: string
    }
  /** IPv6 is on, and LCP agreed on packets of `mtu` octets, which are too small for it (RFC 8200 section 5): it stays shut. */
  | { readonly type: 'ipv6Small'; readonly mtu: number }
  | { readonly type: 'ipcpOpened'; readonly ipv4: Ipv4Terms }
  | { readonly type: 'ipcpClosed' }
  /** A network protocol came to nothing; it may be tried again, and the peer may begin it. */
  | ({ readonly type: 'notOpened' } & NetworkFailure)
  | { readonly type: 'ipv6cpOpened'; readonly ipv6: Ipv6Terms }
  | { readonly type: 'ipv6cpClosed' }
  /** Our Echo-Request was answered. */
  | { readonly type: 'echoed'; readonly rttMs: number; readonly late: boolean }
  /** An Echo-Request of ours stayed unanswered for `max(echoInterval, 3 s)`. */
  | { readonly type: 'echoMissed' }
  /** A packet of an open network protocol; natively the data path takes these before they get here. */
  | { readonly type: 'ipReceived'; readonly protocol: IpProtocol; readonly packet: Uint8Array }
  /** The last event of a link. */
  | { readonly type: 'closed'; readonly cause: PppCause }

/** What IPCP agreed on. Addresses are canonical text. */
export interface Ipv4Terms {
  /** Our own address. */
  readonly address: string
  /** The peer's, if it told one. */
  readonly peer: string | undefined
  readonly dns: readonly string[]
}

/** What IPV6CP agreed on: interface identifiers of 8 octets, the low halves of the link-local addresses. */
export interface Ipv6Terms {
  readonly interfaceId: Uint8Array
  /** Undefined if the peer told none. */
  readonly peerInterfaceId: Uint8Array | undefined
}

/** A protocol that the option automaton negotiates. */
export type ControlProtocolName = 'LCP' | 'IPCP' | 'IPV6CP'

/** Why a link ended. */
export type PppCause =
  /** The peer refused our name or password (client), or we refused the peer's (server). `reason`: what its code means. */
  | {
      readonly code: 'authFailed'
      readonly method: AuthMethod
      readonly reason?: string
      readonly message?: string
    }
  /** The peer wants one of these methods, and none of them is allowed. */
  | {
      readonly code: 'authUnacceptable'
      readonly demanded: readonly AskedMethod[]
      readonly allowed: readonly AuthMethod[]
    }
  /** Nobody decided within `authTimeout`; `answered`: whether our name and password were sent. */
  | { readonly code: 'authTimeout'; readonly method: AuthMethod; readonly answered: boolean }
  /** MS-CHAPv2: the peer accepted us but does not know the password itself (RFC 2759 section 5). */
  | { readonly code: 'peerNotGenuine' }
  /** The peer sent a Terminate-Request. `afterPassword`: right after our password, with nothing said about it. */
  | {
      readonly code: 'peerTerminated'
      readonly phase: PppPhase
      readonly afterPassword: boolean
      readonly message?: string
      /** What we had just told it that we do not do. */
      readonly declined?: readonly Declined[]
    }
  /** Nothing at all arrived for `silence`. */
  | { readonly code: 'echoTimeout'; readonly silence: Millis }
  | {
      readonly code: 'negotiationFailed'
      readonly protocol: ControlProtocolName
      readonly why: NegotiationFailure
    }
  /** No network protocol could be opened; `why` for each. */
  | { readonly code: 'noNetworkProtocol'; readonly why: readonly NetworkFailure[] }
  /** We hear ourselves (RFC 1661 section 6.4). */
  | { readonly code: 'loopback' }
  | { readonly code: 'localClose'; readonly reason?: string }
  /** The lower layer went away in `phase`; `afterPassword`: while the peer was deciding about our password. */
  | {
      readonly code: 'lowerDown'
      readonly phase: PppPhase
      readonly afterPassword: boolean
      /** What we had just told the peer that we do not do. */
      readonly declined?: readonly Declined[]
    }

/**
 * What some peers cannot do without: encryption by MPPE (RFC 3078) or ECP (RFC 1968), and IPv6 where it is off, or where
 * packets are too small for it (`ipv6Packets`).
 */
export type Declined = 'mppe' | 'ecp' | 'ipv6' | 'ipv6Packets'

/** An address that the peer gave and that is not used. */
export interface RefusedTerm {
  readonly address: string
  /** A predicate: `is a loopback address`. */
  readonly why: string
}

/** Why a network protocol is not open. `networkFailureMessage` in cause.ts says it in words. */
export interface NetworkFailure {
  readonly protocol: ControlProtocolName
  readonly why: NegotiationFailure
  /** With `noAddress`: what was given instead. */
  readonly refused?: RefusedTerm | undefined
}

/** Why an option automaton gave up. */
export type NegotiationFailure =
  /** Our requests were not answered. */
  | 'timeout'
  /** The peer repeats a demand that we refuse. */
  | 'peerInsists'
  /** The peer refuses all that we ask, again and again. */
  | 'peerRefuses'
  /** The peer said that it does not have this protocol, or an essential part of it. */
  | 'rejected'
  /** It was opened and torn down too often in too short a time. */
  | 'unstable'
  /** The peer closed it. */
  | 'terminated'
  /** All was agreed, except an address for us. */
  | 'noAddress'
  /** IPv6 alone: configuration turns it off. */
  | 'off'
  /** IPv6 alone: LCP agreed on packets smaller than it needs. */
  | 'smallPackets'
