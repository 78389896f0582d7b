import { u8 } from '../bytes.ts'

/**
 * The Internet checksum (RFC 1071) of octets whose own checksum field is zero: 0..65535. Over octets that already carry
 * a right one it is zero. ICMPv6 counts a pseudo-header before the message (RFC 4443 section 2.3); ICMP does not.
 */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0
  // RFC 1071 section 4.1: an odd last octet counts as if a zero octet followed.
  for (let i = 0; i < bytes.length; i += 2) sum += (u8(bytes, i) << 8) | u8(bytes, i + 1)
  while (sum > 0xffff) sum = Math.floor(sum / 0x10000) + (sum & 0xffff)
  return ~sum & 0xffff
}
