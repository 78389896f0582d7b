/** PPP frames as L2TP carries them: no flags, no escapes, no FCS (RFC 2661 section 5.3, RFC 1661 section 2). */
import { ByteWriter, u8, u16 } from '../bytes.ts'
import { type DecodeError, err, ok, type Result } from '../result.ts'

/** PPP protocol numbers (IANA, "PPP Numbers"). */
export const protocols = {
  ipv4: 0x0021,
  ipv6: 0x0057,
  ipcp: 0x8021,
  ecp: 0x8053,
  ipv6cp: 0x8057,
  ccp: 0x80fd,
  lcp: 0xc021,
  pap: 0xc023,
  chap: 0xc223,
  eap: 0xc227,
} as const

/** A frame without its address and control field. `information` is a view into the octets that were received. */
export interface PppFrame {
  readonly protocol: number
  readonly information: Uint8Array
}

/** Address and control field of RFC 1662 section 3.1: "All-Stations", Unnumbered Information. */
const ADDRESS = 0xff
const CONTROL = 0x03

/** Octets before the information field in the frames that we send. */
export const FRAME_HEADER_LENGTH = 4

/** Always with FF 03 and a protocol field of two octets: every peer must accept that, compression agreed or not. */
export function encodeFrame(protocol: number, information: Uint8Array): Uint8Array {
  return new ByteWriter(FRAME_HEADER_LENGTH + information.length)
    .u8(ADDRESS)
    .u8(CONTROL)
    .u16(protocol)
    .bytes(information)
    .finish()
}

/** Accepts both compressions at any time (RFC 1661 sections 6.5 and 6.6). Errors: `short`, `protocol`. */
export function decodeFrame(bytes: Uint8Array): Result<PppFrame, DecodeError> {
  const start = u8(bytes, 0) === ADDRESS && u8(bytes, 1) === CONTROL ? 2 : 0
  if (bytes.length <= start) return err({ code: 'short', offset: start, message: 'no protocol field' })
  // RFC 1661 section 2: the last octet of a protocol number is odd, all before it are even.
  if ((u8(bytes, start) & 1) === 1) {
    return ok({ protocol: u8(bytes, start), information: bytes.subarray(start + 1) })
  }
  if (bytes.length < start + 2) return err({ code: 'short', offset: start, message: 'half a protocol field' })
  if ((u8(bytes, start + 1) & 1) === 0) {
    return err({ code: 'protocol', offset: start + 1, message: 'protocol number is even' })
  }
  return ok({ protocol: u16(bytes, start), information: bytes.subarray(start + 2) })
}
