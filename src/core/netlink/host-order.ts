/** Numbers in the byte order of this machine, which is that of netlink. */
import { u8, u16, u32 } from '../bytes.ts'

const LOWEST_FIRST = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Two octets at `offset`; 0 for what lies beyond the end. */
export function host16(bytes: Uint8Array, offset: number): number {
  return LOWEST_FIRST ? u8(bytes, offset) | (u8(bytes, offset + 1) << 8) : u16(bytes, offset)
}

/** Four octets at `offset`; 0 for what lies beyond the end. */
export function host32(bytes: Uint8Array, offset: number): number {
  if (!LOWEST_FIRST) return u32(bytes, offset)
  return (host16(bytes, offset) | (host16(bytes, offset + 2) << 16)) >>> 0
}

/** A number of 16 bits. */
export function host16Bytes(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer)
}

/** A number of 32 bits. */
export function host32Bytes(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer)
}
