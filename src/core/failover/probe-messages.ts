import { ByteWriter, u8, u16 } from '../bytes.ts'

/** QR bit of the DNS header's flags (RFC 1035 section 4.1.1). */
const RESPONSE = 0x80
const RECURSION_DESIRED = 0x0100
const TYPE_NS = 2
const CLASS_IN = 1

/** A question that every resolver can answer at once: the name servers of the root. `id` is 16 bits. */
export function encodeDnsProbe(id: number): Uint8Array {
  return new ByteWriter(17)
    .u16(id)
    .u16(RECURSION_DESIRED)
    .u16(1)
    .u16(0)
    .u16(0)
    .u16(0)
    .u8(0)
    .u16(TYPE_NS)
    .u16(CLASS_IN)
    .finish()
}

/** The id of a DNS answer, whatever it says: a refusal proves the path as well. Undefined if it is none. */
export function dnsAnswerId(message: Uint8Array): number | undefined {
  if (message.length < 12 || (u8(message, 2) & RESPONSE) === 0) return undefined
  return u16(message, 0)
}
