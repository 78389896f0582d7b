/**
 * Attributes of netlink messages (`struct nlattr`): length and type of 16 bits each, the value, padding to 4 octets.
 * Netlink speaks the byte order of the machine.
 */
import { ByteWriter, concat, u8 } from '../bytes.ts'
import { host16, host16Bytes, host32, host32Bytes } from './host-order.ts'

/** Type and value of one attribute. The flags NLA_F_NESTED and NLA_F_NET_BYTEORDER are no part of the type. */
export interface Attribute {
  readonly type: number
  readonly value: Uint8Array
}

/** The attributes of a message, by type. Of a repeated type the last one counts, as in the kernel. */
export type Attributes = ReadonlyMap<number, Uint8Array>

const HEADER = 4
const TYPE_MASK = 0x3fff
const NESTED = 0x8000

/** All attributes in the octets, in order. What is cut short or claims an impossible length ends the list. */
export function decodeAttributeList(bytes: Uint8Array): Attribute[] {
  const attributes: Attribute[] = []
  let offset = 0
  while (offset + HEADER <= bytes.length) {
    const length = host16(bytes, offset)
    if (length < HEADER || offset + length > bytes.length) break
    attributes.push({
      type: host16(bytes, offset + 2) & TYPE_MASK,
      value: bytes.subarray(offset + HEADER, offset + length),
    })
    offset += align(length)
  }
  return attributes
}

/** The attributes in the octets, by type; never throws. */
export function decodeAttributes(bytes: Uint8Array): Attributes {
  return new Map(decodeAttributeList(bytes).map(({ type, value }) => [type, value]))
}

/** One attribute with its padding. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const padded = new Uint8Array(align(HEADER + value.length))
  padded.set(host16Bytes(HEADER + value.length))
  padded.set(host16Bytes(type), 2)
  padded.set(value, HEADER)
  return padded
}

/** An attribute that holds one octet. */
export function attributeU8(type: number, value: number): Uint8Array {
  return attribute(type, Uint8Array.of(value))
}

/** An attribute that holds a number of 32 bits. */
export function attributeU32(type: number, value: number): Uint8Array {
  return attribute(type, host32Bytes(value))
}

/** Text with its terminating NUL. */
export function attributeText(type: number, text: string): Uint8Array {
  return attribute(type, new ByteWriter().bytes(ascii(text)).u8(0).finish())
}

/** An attribute that holds attributes. */
export function attributeNested(type: number, ...inner: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NESTED, concat(...inner))
}

/** Text of an attribute, up to its first NUL. */
export function textOf(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined
  const end = value.indexOf(0)
  return String.fromCharCode(...(end < 0 ? value : value.subarray(0, end)))
}

/** A 32-bit integer in the machine's order; undefined if the attribute is absent or short. */
export function u32Of(value: Uint8Array | undefined): number | undefined {
  return value === undefined || value.length < 4 ? undefined : host32(value, 0)
}

/** An octet; undefined if the attribute is absent or empty. */
export function u8Of(value: Uint8Array | undefined): number | undefined {
  return value === undefined || value.length < 1 ? undefined : u8(value, 0)
}

/** `length` rounded up to the 4 octets at which netlink aligns everything. */
export function align(length: number): number {
  return (length + 3) & ~3
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
