/** The packets of LCP, the NCPs, PAP and CHAP, which share one header (RFC 1661 section 5). */
import { ByteWriter, u8, u16 } from '../bytes.ts'
import { type DecodeError, err, ok, type Result } from '../result.ts'

/** RFC 1661 section 5; 12 and 13 are RFC 1570. The NCPs have 1 to 7 only. */
export const codes = {
  configureRequest: 1,
  configureAck: 2,
  configureNak: 3,
  configureReject: 4,
  terminateRequest: 5,
  terminateAck: 6,
  codeReject: 7,
  protocolReject: 8,
  echoRequest: 9,
  echoReply: 10,
  discardRequest: 11,
  identification: 12,
  timeRemaining: 13,
} as const

/** A packet of LCP or a network control protocol (RFC 1661 section 5). */
export interface ControlPacket {
  readonly code: number
  readonly identifier: number
  /** What follows the header, without padding; a view into the octets that were received. */
  readonly data: Uint8Array
}

/** Octets of code, identifier and length. */
export const PACKET_HEADER_LENGTH = 4

/** Code, identifier, length and data (RFC 1661 section 5), without the protocol field. */
export function encodePacket(packet: ControlPacket): Uint8Array {
  const length = PACKET_HEADER_LENGTH + packet.data.length
  return new ByteWriter(length).u8(packet.code).u8(packet.identifier).u16(length).bytes(packet.data).finish()
}

/** Octets beyond the length field are padding and left out (RFC 1661 section 5). Errors: `short`, `length`. */
export function decodePacket(bytes: Uint8Array): Result<ControlPacket, DecodeError> {
  if (bytes.length < PACKET_HEADER_LENGTH) {
    return err({ code: 'short', offset: bytes.length, message: 'shorter than a header' })
  }
  const length = u16(bytes, 2)
  if (length < PACKET_HEADER_LENGTH || length > bytes.length) {
    return err({
      code: 'length',
      offset: 2,
      message: `length ${length} in a packet of ${bytes.length} octets`,
    })
  }
  return ok({
    code: u8(bytes, 0),
    identifier: u8(bytes, 1),
    data: bytes.subarray(PACKET_HEADER_LENGTH, length),
  })
}
