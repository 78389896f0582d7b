/** From the body of a control message to a typed message, with the rules of RFC 2661 sections 4.1, 4.2 and 7.1. */
import { u8, u16 } from '../bytes.ts'
import type { Digests } from '../crypto.ts'
import { err, ok, type Result } from '../result.ts'
import { Attribute, attributeRule } from './attributes.ts'
import { type Avp, AvpSet, decodeAvps } from './avp.ts'
import { unhideValue } from './avp-hidden.ts'
import { GeneralError } from './codes.ts'
import {
  type ControlMessage,
  MESSAGE_TYPES,
  type MessageName,
  REQUIRED,
  type ResultCode,
} from './messages.ts'
import type { L2tpViolation } from './types.ts'

/** Why a message is invalid or malformed (RFC 2661 section 7.1). */
export interface MessageError {
  readonly violation: L2tpViolation
  /** Undefined where not even the type could be read, or where it is unknown. */
  readonly type: MessageName | undefined
  /** General Error code for the Result Code AVP that answers it (RFC 2661 section 4.4.2). */
  readonly error: number
  /** Says what is wrong, in words. */
  readonly message: string
  /** The ids that the sender assigned, where they were readable. */
  readonly assignedTunnelId: number | undefined
  readonly assignedSessionId: number | undefined
}

/** What unhiding needs; without a secret hidden values are unreadable. */
export interface DecodeKey {
  readonly digests: Pick<Digests, 'md5'>
  readonly secret: Uint8Array | undefined
}

/** `ignored`: a message type that is unknown and not mandatory. */
export type DecodedMessage = ControlMessage | { readonly type: 'ignored' }

/** Reads the body of a control message that is no ZLB. StopCCN and CDN always succeed: whatever they lack, they end. */
export function decodeMessage(body: Uint8Array, key: DecodeKey): Result<DecodedMessage, MessageError> {
  const type = messageType(body)
  if (!type.ok) return type
  if (type.value === undefined) return ok({ type: 'ignored' })
  const name = type.value
  const { set, flaw } = readAvps(body, key)
  // RFC 2661 section 7.1 would end the tunnel or the session for a flaw; these messages do that anyway.
  if (name === 'StopCCN' || name === 'CDN') return ok(build(name, set))
  if (flaw) return err({ ...flaw, type: name, ...assignedIds(set) })
  const missing = REQUIRED[name].find((attribute) => !set.has(attribute))
  if (missing !== undefined) {
    const message = `${name} without ${attributeRule(missing)?.name}`
    return err({
      violation: 'avpMissing',
      type: name,
      error: GeneralError.vendorSpecific,
      message,
      ...assignedIds(set),
    })
  }
  return ok(build(name, set))
}

type Flaw = Pick<MessageError, 'violation' | 'error' | 'message'>

/** The type of a message; undefined if it is unknown and may be ignored. */
function messageType(body: Uint8Array): Result<MessageName | undefined, MessageError> {
  // RFC 2661 section 4.4.1: the Message Type AVP comes first, is not hidden, and its Length is 8.
  const mandatory = (u8(body, 0) & 0x80) !== 0
  const wellFormed =
    body.length >= 8 && (u16(body, 0) & 0x7fff) === 8 && u16(body, 2) === 0 && u16(body, 4) === 0
  const number = u16(body, 6)
  const nobody = { type: undefined, assignedTunnelId: undefined, assignedSessionId: undefined }
  if (!wellFormed) {
    const message = 'the first AVP is no Message Type'
    return err({ violation: 'avpMalformed', error: GeneralError.badLength, message, ...nobody })
  }
  const name = NAMES.get(number)
  if (name !== undefined || !mandatory) return ok(name)
  const message = `message type ${number}`
  return err({ violation: 'messageUnknown', error: GeneralError.unknownAvp, message, ...nobody })
}

const NAMES = new Map(
  Object.entries(MESSAGE_TYPES).map(([name, number]) => [number as number, name as MessageName]),
)

/** All values that can be read, and the first flaw that must not be ignored. */
function readAvps(body: Uint8Array, key: DecodeKey): { set: AvpSet; flaw: Flaw | undefined } {
  const set = new AvpSet()
  let flaw: Flaw | undefined
  let vector: Uint8Array | undefined
  const avps = decodeAvps(body)
  if (!avps.ok) {
    flaw = { violation: 'avpMalformed', error: GeneralError.badLength, message: avps.error.message }
    // Those before the cut still tell which tunnel or session it is.
    const before = decodeAvps(body.subarray(0, avps.error.offset))
    for (const avp of before.ok ? before.value : []) readAvp(avp, set, vector, key)
    return { set, flaw }
  }
  for (const avp of avps.value) {
    const found = readAvp(avp, set, vector, key)
    // RFC 2661 sections 4.2 and 7.1: an AVP without the M bit is ignored when it is unknown or malformed.
    if (found && avp.mandatory) flaw ??= found
    if (!found && avp.vendor === 0 && avp.type === Attribute.randomVector) vector = avp.value
  }
  return { set, flaw }
}

function readAvp(avp: Avp, set: AvpSet, vector: Uint8Array | undefined, key: DecodeKey): Flaw | undefined {
  const rule = avp.vendor === 0 && !avp.reserved ? attributeRule(avp.type) : undefined
  if (!rule) {
    const vendor = avp.vendor === 0 ? '' : ` of vendor ${avp.vendor}`
    const message = `attribute ${avp.type}${vendor}`
    return { violation: 'avpUnknown', error: GeneralError.unknownAvp, message }
  }
  const value = avp.hidden ? unhide(avp, vector, key) : avp.value
  if (!value) {
    const message = `hidden ${rule.name} cannot be read`
    return { violation: 'avpUnreadable', error: GeneralError.vendorSpecific, message }
  }
  if (value.length < rule.least || value.length > rule.most) {
    const message = `${rule.name} of ${value.length} octets`
    return { violation: 'avpMalformed', error: GeneralError.badLength, message }
  }
  if (rule.nonZero && u16(value, 0) === 0) {
    return { violation: 'avpMalformed', error: GeneralError.badValue, message: `${rule.name} is 0` }
  }
  set.add(avp.type, value)
  return undefined
}

function unhide(avp: Avp, vector: Uint8Array | undefined, key: DecodeKey): Uint8Array | undefined {
  if (avp.type === Attribute.randomVector || !vector || !key.secret) return undefined
  return unhideValue({ digests: key.digests, secret: key.secret, vector }, avp.type, avp.value)
}

function assignedIds(set: AvpSet): Pick<MessageError, 'assignedTunnelId' | 'assignedSessionId'> {
  return {
    assignedTunnelId: set.u16(Attribute.assignedTunnelId),
    assignedSessionId: set.u16(Attribute.assignedSessionId),
  }
}

/** The message of a set that has all required attributes; absent numbers read as 0. */
function build(type: MessageName, set: AvpSet): ControlMessage {
  switch (type) {
    case 'SCCRQ':
      return defined({ type, ...startControl(set), tieBreaker: set.bytes(Attribute.tieBreaker) })
    case 'SCCRP':
      return defined({
        type,
        ...startControl(set),
        challengeResponse: set.bytes(Attribute.challengeResponse),
      })
    case 'SCCCN':
      return defined({ type, challengeResponse: set.bytes(Attribute.challengeResponse) })
    case 'StopCCN':
      return defined({
        type,
        assignedTunnelId: set.u16(Attribute.assignedTunnelId),
        result: resultCode(set),
      })
    case 'CDN':
      return defined({
        type,
        assignedSessionId: set.u16(Attribute.assignedSessionId),
        result: resultCode(set),
        q931: q931(set),
      })
    case 'ICRQ':
      return defined({
        type,
        assignedSessionId: set.u16(Attribute.assignedSessionId) ?? 0,
        callSerialNumber: set.u32(Attribute.callSerialNumber) ?? 0,
        bearerType: set.u32(Attribute.bearerType),
        physicalChannelId: set.u32(Attribute.physicalChannelId),
        callingNumber: set.bytes(Attribute.callingNumber),
        calledNumber: set.bytes(Attribute.calledNumber),
        subAddress: set.bytes(Attribute.subAddress),
      })
    case 'ICRP':
      return { type, assignedSessionId: set.u16(Attribute.assignedSessionId) ?? 0 }
    case 'ICCN':
      return defined({
        type,
        txConnectSpeed: set.u32(Attribute.txConnectSpeed) ?? 0,
        framingType: set.u32(Attribute.framingType) ?? 0,
        rxConnectSpeed: set.u32(Attribute.rxConnectSpeed),
        sequencingRequired: set.has(Attribute.sequencingRequired),
      })
    case 'OCRQ':
    case 'OCRP':
    case 'OCCN':
      return defined({ type, assignedSessionId: set.u16(Attribute.assignedSessionId) })
    case 'HELLO':
    case 'WEN':
    case 'SLI':
      return { type }
  }
}

function startControl(set: AvpSet) {
  return {
    protocolVersion: set.u16(Attribute.protocolVersion) ?? 0,
    framingCapabilities: set.u32(Attribute.framingCapabilities) ?? 0,
    hostName: set.bytes(Attribute.hostName) ?? new Uint8Array(),
    assignedTunnelId: set.u16(Attribute.assignedTunnelId) ?? 0,
    bearerCapabilities: set.u32(Attribute.bearerCapabilities),
    receiveWindowSize: set.u16(Attribute.receiveWindowSize),
    challenge: set.bytes(Attribute.challenge),
    firmwareRevision: set.u16(Attribute.firmwareRevision),
    vendorName: set.bytes(Attribute.vendorName),
  }
}

function resultCode(set: AvpSet): ResultCode | undefined {
  const value = set.bytes(Attribute.resultCode)
  if (!value) return undefined
  return defined({
    result: u16(value, 0),
    error: value.length >= 4 ? u16(value, 2) : undefined,
    message: value.length > 4 ? value.subarray(4) : undefined,
  })
}

function q931(set: AvpSet) {
  const value = set.bytes(Attribute.q931CauseCode)
  return value && { cause: u16(value, 0), message: u8(value, 2), advisory: value.subarray(3) }
}

/** Leaves out members that are undefined, so that a decoded message equals the one that was encoded. */
function defined<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}
