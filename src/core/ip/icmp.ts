/** ICMP and ICMPv6 echo (RFC 792, RFC 4443 section 4): the messages of a ping. */
import { ByteWriter, u8, u16 } from '../bytes.ts'
import { type DecodeError, err, ok, type Result } from '../result.ts'
import { internetChecksum } from './checksum.ts'

/** An echo request or reply of either family (RFC 792; RFC 4443 section 4). */
export interface Echo {
  readonly kind: 'echoRequest' | 'echoReply'
  /** 0..65535: tells one pinging program from another. */
  readonly identifier: number
  /** 0..65535 */
  readonly sequence: number
  readonly data: Uint8Array
}

/** RFC 792 */
export const ICMP_ECHO_REPLY = 0
/** RFC 792 */
export const ICMP_ECHO_REQUEST = 8
/** RFC 4443 section 4.1 */
export const ICMP6_ECHO_REQUEST = 128
/** RFC 4443 section 4.2 */
export const ICMP6_ECHO_REPLY = 129

const HEADER_OCTETS = 8

/** The message from its ICMP header on. ICMPv6 checksums stay zero: the kernel, which knows the source, fills them in. */
export function encodeEcho(family: 4 | 6, echo: Echo): Uint8Array {
  const message = new ByteWriter(HEADER_OCTETS + echo.data.length)
    .u8(typeOf(family, echo.kind))
    .u8(0)
    .u16(0)
    .u16(echo.identifier)
    .u16(echo.sequence)
    .bytes(echo.data)
  const bytes = message.finish()
  return family === 4 ? message.patchU16(2, internetChecksum(bytes)).finish() : bytes
}

/**
 * Reads an echo from its ICMP header on. Errors: `short`, `checksum` (family 4 only; the kernel has verified
 * ICMPv6), `notEcho` for every other type.
 */
export function decodeEcho(family: 4 | 6, message: Uint8Array): Result<Echo, DecodeError> {
  const kind = kindOf(family, u8(message, 0))
  if (message.length < HEADER_OCTETS) {
    return err({ code: 'short', offset: message.length, message: 'an ICMP message has at least 8 octets' })
  }
  if (kind === undefined || u8(message, 1) !== 0) {
    return err({ code: 'notEcho', offset: 0, message: `ICMP type ${u8(message, 0)} code ${u8(message, 1)}` })
  }
  if (family === 4 && internetChecksum(message) !== 0) {
    return err({ code: 'checksum', offset: 2, message: 'the ICMP checksum is wrong' })
  }
  return ok({
    kind,
    identifier: u16(message, 4),
    sequence: u16(message, 6),
    data: message.slice(HEADER_OCTETS),
  })
}

function typeOf(family: 4 | 6, kind: Echo['kind']): number {
  if (family === 4) return kind === 'echoRequest' ? ICMP_ECHO_REQUEST : ICMP_ECHO_REPLY
  return kind === 'echoRequest' ? ICMP6_ECHO_REQUEST : ICMP6_ECHO_REPLY
}

function kindOf(family: 4 | 6, type: number): Echo['kind'] | undefined {
  if (type === typeOf(family, 'echoRequest')) return 'echoRequest'
  if (type === typeOf(family, 'echoReply')) return 'echoReply'
  return undefined
}
