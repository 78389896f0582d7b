/** The control messages of RFC 2661 section 6 as types, and which attributes each must carry. */
import { Attribute, type AttributeType } from './attributes.ts'

/** Message Type AVP values (RFC 2661 section 3.2). */
export const MESSAGE_TYPES = {
  SCCRQ: 1,
  SCCRP: 2,
  SCCCN: 3,
  StopCCN: 4,
  HELLO: 6,
  OCRQ: 7,
  OCRP: 8,
  OCCN: 9,
  ICRQ: 10,
  ICRP: 11,
  ICCN: 12,
  CDN: 14,
  WEN: 15,
  SLI: 16,
} as const

/** The name of a control message, as in RFC 2661. */
export type MessageName = keyof typeof MESSAGE_TYPES

/** What must be present besides the Message Type (RFC 2661 sections 6.1 to 6.14). */
export const REQUIRED: Readonly<Record<MessageName, readonly AttributeType[]>> = {
  SCCRQ: [
    Attribute.protocolVersion,
    Attribute.hostName,
    Attribute.framingCapabilities,
    Attribute.assignedTunnelId,
  ],
  SCCRP: [
    Attribute.protocolVersion,
    Attribute.framingCapabilities,
    Attribute.hostName,
    Attribute.assignedTunnelId,
  ],
  SCCCN: [],
  StopCCN: [Attribute.assignedTunnelId, Attribute.resultCode],
  HELLO: [],
  OCRQ: [
    Attribute.assignedSessionId,
    Attribute.callSerialNumber,
    Attribute.minimumBps,
    Attribute.maximumBps,
    Attribute.bearerType,
    Attribute.framingType,
    Attribute.calledNumber,
  ],
  OCRP: [Attribute.assignedSessionId],
  OCCN: [Attribute.txConnectSpeed, Attribute.framingType],
  ICRQ: [Attribute.assignedSessionId, Attribute.callSerialNumber],
  ICRP: [Attribute.assignedSessionId],
  ICCN: [Attribute.txConnectSpeed, Attribute.framingType],
  CDN: [Attribute.resultCode, Attribute.assignedSessionId],
  WEN: [Attribute.callErrors],
  SLI: [Attribute.accm],
}

/** Framing Capabilities and Framing Type bits. */
export const Framing = { sync: 1, async: 2 } as const

/** Protocol Version AVP of L2TPv2: version 1, revision 0. */
export const PROTOCOL_VERSION = 0x0100

/** The window of a peer that does not say (RFC 2661 section 4.4.3, Receive Window Size). */
export const DEFAULT_WINDOW = 4

/** Any control message but a ZLB. */
export type ControlMessage =
  | Sccrq
  | Sccrp
  | Scccn
  | StopCcn
  | { readonly type: 'HELLO' }
  | Icrq
  | { readonly type: 'ICRP'; readonly assignedSessionId: number }
  | Iccn
  | Cdn
  | OutgoingCall
  /** WAN-Error-Notify: counters of the LAC, of no use here. */
  | { readonly type: 'WEN' }
  /** Set-Link-Info: the ACCM that the LNS negotiated, of no use without asynchronous framing. */
  | { readonly type: 'SLI' }

interface StartControl {
  /** Version in the high octet, revision in the low one. */
  readonly protocolVersion: number
  readonly framingCapabilities: number
  readonly hostName: Uint8Array
  readonly assignedTunnelId: number
  readonly bearerCapabilities?: number
  readonly receiveWindowSize?: number
  readonly challenge?: Uint8Array
  readonly firmwareRevision?: number
  readonly vendorName?: Uint8Array
}

/** Start-Control-Connection-Request (RFC 2661 section 6.1). */
export interface Sccrq extends StartControl {
  readonly type: 'SCCRQ'
  readonly tieBreaker?: Uint8Array
}

/** Start-Control-Connection-Reply (section 6.2). */
export interface Sccrp extends StartControl {
  readonly type: 'SCCRP'
  readonly challengeResponse?: Uint8Array
}

/** Start-Control-Connection-Connected (section 6.3). */
export interface Scccn {
  readonly type: 'SCCCN'
  readonly challengeResponse?: Uint8Array
}

/** Value of a Result Code AVP as far as it was there. */
export interface ResultCode {
  readonly result: number
  readonly error?: number
  /** UTF-8. */
  readonly message?: Uint8Array
}

/**
 * Stop-Control-Connection-Notification (section 6.4). Undefined members: the peer left them out or sent them malformed.
 * Such a message still ends the tunnel.
 */
export interface StopCcn {
  readonly type: 'StopCCN'
  readonly assignedTunnelId?: number
  readonly result?: ResultCode
}

/** Call-Disconnect-Notify (section 6.12), undefined members as in StopCCN. */
export interface Cdn {
  readonly type: 'CDN'
  readonly assignedSessionId?: number
  readonly result?: ResultCode
  readonly q931?: { readonly cause: number; readonly message: number; readonly advisory: Uint8Array }
}

/** Incoming-Call-Request (section 6.6). */
export interface Icrq {
  readonly type: 'ICRQ'
  readonly assignedSessionId: number
  readonly callSerialNumber: number
  readonly bearerType?: number
  readonly physicalChannelId?: number
  readonly callingNumber?: Uint8Array
  readonly calledNumber?: Uint8Array
  readonly subAddress?: Uint8Array
}

/** Incoming-Call-Connected (section 6.8). */
export interface Iccn {
  readonly type: 'ICCN'
  /** Bits per second. */
  readonly txConnectSpeed: number
  readonly framingType: number
  readonly rxConnectSpeed?: number
  readonly sequencingRequired: boolean
}

/** Outgoing calls are refused: only what a refusal needs is read. */
export interface OutgoingCall {
  readonly type: 'OCRQ' | 'OCRP' | 'OCCN'
  readonly assignedSessionId?: number
}

/** Whether a message belongs to one session; the others belong to the whole tunnel. */
export function isSessionMessage(type: MessageName): boolean {
  switch (type) {
    case 'SCCRQ':
    case 'SCCRP':
    case 'SCCCN':
    case 'StopCCN':
    case 'HELLO':
      return false
    default:
      return true
  }
}
