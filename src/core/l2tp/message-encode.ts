/** From a typed control message to its AVPs. Only attributes of RFC 2661, so nothing unknown is ever mandatory. */
import { ByteWriter } from '../bytes.ts'
import { unreachable } from '../result.ts'
import { Attribute } from './attributes.ts'
import { AvpWriter } from './avp.ts'
import { type ControlMessage, MESSAGE_TYPES, type ResultCode, type Sccrp, type Sccrq } from './messages.ts'

/** Messages that we can be made to send: all but the outgoing calls, WEN and SLI, which are only ever received. */
export type SendableMessage = Exclude<ControlMessage, { type: 'OCRQ' | 'OCRP' | 'OCCN' | 'WEN' | 'SLI' }>

/** The body of a control message, Message Type first. */
export function encodeMessage(message: SendableMessage): Uint8Array {
  const avps = new AvpWriter().u16(Attribute.messageType, MESSAGE_TYPES[message.type])
  switch (message.type) {
    case 'SCCRQ':
      startControl(avps, message)
      if (message.tieBreaker) avps.bytes(Attribute.tieBreaker, message.tieBreaker)
      break
    case 'SCCRP':
      startControl(avps, message)
      if (message.challengeResponse) avps.bytes(Attribute.challengeResponse, message.challengeResponse)
      break
    case 'SCCCN':
      if (message.challengeResponse) avps.bytes(Attribute.challengeResponse, message.challengeResponse)
      break
    case 'StopCCN':
      if (message.assignedTunnelId !== undefined)
        avps.u16(Attribute.assignedTunnelId, message.assignedTunnelId)
      if (message.result) avps.bytes(Attribute.resultCode, resultCode(message.result))
      break
    case 'CDN':
      if (message.result) avps.bytes(Attribute.resultCode, resultCode(message.result))
      if (message.assignedSessionId !== undefined)
        avps.u16(Attribute.assignedSessionId, message.assignedSessionId)
      if (message.q931) avps.bytes(Attribute.q931CauseCode, q931(message.q931))
      break
    case 'ICRQ':
      avps.u16(Attribute.assignedSessionId, message.assignedSessionId)
      avps.u32(Attribute.callSerialNumber, message.callSerialNumber)
      if (message.bearerType !== undefined) avps.u32(Attribute.bearerType, message.bearerType)
      if (message.physicalChannelId !== undefined)
        avps.u32(Attribute.physicalChannelId, message.physicalChannelId)
      if (message.callingNumber) avps.bytes(Attribute.callingNumber, message.callingNumber)
      if (message.calledNumber) avps.bytes(Attribute.calledNumber, message.calledNumber)
      if (message.subAddress) avps.bytes(Attribute.subAddress, message.subAddress)
      break
    case 'ICRP':
      avps.u16(Attribute.assignedSessionId, message.assignedSessionId)
      break
    case 'ICCN':
      avps.u32(Attribute.txConnectSpeed, message.txConnectSpeed)
      avps.u32(Attribute.framingType, message.framingType)
      if (message.rxConnectSpeed !== undefined) avps.u32(Attribute.rxConnectSpeed, message.rxConnectSpeed)
      if (message.sequencingRequired) avps.bytes(Attribute.sequencingRequired, new Uint8Array())
      break
    case 'HELLO':
      break
    default:
      unreachable(message)
  }
  return avps.finish()
}

function startControl(avps: AvpWriter, message: Sccrq | Sccrp): void {
  avps.u16(Attribute.protocolVersion, message.protocolVersion)
  avps.u32(Attribute.framingCapabilities, message.framingCapabilities)
  if (message.bearerCapabilities !== undefined)
    avps.u32(Attribute.bearerCapabilities, message.bearerCapabilities)
  if (message.firmwareRevision !== undefined) avps.u16(Attribute.firmwareRevision, message.firmwareRevision)
  avps.bytes(Attribute.hostName, message.hostName)
  if (message.vendorName) avps.bytes(Attribute.vendorName, message.vendorName)
  avps.u16(Attribute.assignedTunnelId, message.assignedTunnelId)
  if (message.receiveWindowSize !== undefined)
    avps.u16(Attribute.receiveWindowSize, message.receiveWindowSize)
  if (message.challenge) avps.bytes(Attribute.challenge, message.challenge)
}

function resultCode({ result, error, message }: ResultCode): Uint8Array {
  const writer = new ByteWriter().u16(result)
  // The Error Message can only follow an Error Code (RFC 2661 section 4.4.2).
  if (error !== undefined || message) writer.u16(error ?? 0)
  if (message) writer.bytes(message)
  return writer.finish()
}

function q931(value: { cause: number; message: number; advisory: Uint8Array }): Uint8Array {
  return new ByteWriter().u16(value.cause).u8(value.message).bytes(value.advisory).finish()
}
