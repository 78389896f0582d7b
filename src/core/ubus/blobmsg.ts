/**
 * blobmsg of libubox: named, typed values in blobs. A value's payload begins with the length of its name (16 bits), the
 * name, a NUL, and zeros up to a multiple of 4 octets. Elements of an array have no name.
 */
import { ByteWriter, concat, decodeUtf8, encodeUtf8, printable, u8, u16, u32 } from '../bytes.ts'
import { decodeBlobs, encodeBlob, padded } from './blob.ts'

/** A value with its type on the wire. ubus has no boolean of its own: `int8` is used for it. */
export type BlobmsgValue =
  | { readonly type: 'unspec'; readonly value: Uint8Array }
  | { readonly type: 'array'; readonly value: readonly BlobmsgValue[] }
  | { readonly type: 'table'; readonly value: BlobmsgTable }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'int64'; readonly value: bigint }
  | { readonly type: 'int32' | 'int16' | 'int8'; readonly value: number }
  | { readonly type: 'double'; readonly value: number }

/** The type of a value, by its name in libubox/blobmsg.h. */
export type BlobmsgType = BlobmsgValue['type']

/** A named value of a table. */
export interface BlobmsgField {
  readonly name: string
  readonly value: BlobmsgValue
}

/** Fields in the order of the wire; a name may come more than once. */
export type BlobmsgTable = readonly BlobmsgField[]

/** The number of each type on the wire, in an array's place. */
export const BLOBMSG_TYPES = [
  'unspec',
  'array',
  'table',
  'string',
  'int64',
  'int32',
  'int16',
  'int8',
  'double',
] as const satisfies readonly BlobmsgType[]

/** Deeper than any message of OpenWrt, and far from what a call stack can bear. */
const MAX_DEPTH = 32
const NO_NAME = ''

/** The fields of a table; undefined where anything in it is malformed or nested too deep. Never throws. */
export function decodeTable(bytes: Uint8Array): BlobmsgTable | undefined {
  return fields(bytes, 0)
}

/** The octets of a table, without a header of its own. */
export function encodeTable(table: BlobmsgTable): Uint8Array {
  return concat(...table.map(({ name, value }) => encodeField(name, value)))
}

function fields(bytes: Uint8Array, depth: number): BlobmsgField[] | undefined {
  const attributes = depth > MAX_DEPTH ? undefined : decodeBlobs(bytes)
  if (attributes === undefined) return undefined
  const table: BlobmsgField[] = []
  for (const { id, extended, payload } of attributes) {
    const nameLength = u16(payload, 0)
    const start = padded(2 + nameLength + 1)
    if (!extended || start > payload.length || u8(payload, 2 + nameLength) !== 0) return undefined
    const value = decodeValue(BLOBMSG_TYPES[id], payload.subarray(start), depth)
    if (value === undefined) return undefined
    table.push({ name: text(payload.subarray(2, 2 + nameLength)), value })
  }
  return table
}

function decodeValue(
  type: BlobmsgType | undefined,
  octets: Uint8Array,
  depth: number,
): BlobmsgValue | undefined {
  switch (type) {
    case 'unspec':
      return { type, value: octets }
    case 'array': {
      const elements = fields(octets, depth + 1)
      return elements && { type, value: elements.map(({ value }) => value) }
    }
    case 'table': {
      const table = fields(octets, depth + 1)
      return table && { type, value: table }
    }
    case 'string':
      return u8(octets, octets.length - 1) === 0 && octets.length > 0
        ? { type, value: text(octets.subarray(0, octets.indexOf(0))) }
        : undefined
    case 'int64':
      return octets.length === 8 ? { type, value: view(octets).getBigInt64(0) } : undefined
    case 'int32':
      return octets.length === 4 ? { type, value: u32(octets, 0) | 0 } : undefined
    case 'int16':
      return octets.length === 2 ? { type, value: view(octets).getInt16(0) } : undefined
    case 'int8':
      return octets.length === 1 ? { type, value: view(octets).getInt8(0) } : undefined
    case 'double':
      return octets.length === 8 ? { type, value: view(octets).getFloat64(0) } : undefined
    case undefined:
      return undefined
  }
}

function encodeField(name: string, value: BlobmsgValue): Uint8Array {
  const octets = encodeUtf8(name)
  const head = new ByteWriter().u16(octets.length).bytes(octets).u8(0)
  const payload = head.bytes(new Uint8Array(padded(head.length) - head.length)).bytes(encodeValue(value))
  return encodeBlob({ id: BLOBMSG_TYPES.indexOf(value.type), extended: true, payload: payload.finish() })
}

function encodeValue({ type, value }: BlobmsgValue): Uint8Array {
  switch (type) {
    case 'unspec':
      return value
    case 'array':
      return concat(...value.map((element) => encodeField(NO_NAME, element)))
    case 'table':
      return encodeTable(value)
    case 'string':
      return concat(encodeUtf8(value), Uint8Array.of(0))
    case 'int64':
      return filled(8, (octets) => octets.setBigInt64(0, value))
    case 'int32':
      return filled(4, (octets) => octets.setInt32(0, value))
    case 'int16':
      return filled(2, (octets) => octets.setInt16(0, value))
    case 'int8':
      return filled(1, (octets) => octets.setInt8(0, value))
    case 'double':
      return filled(8, (octets) => octets.setFloat64(0, value))
  }
}

/** Text is UTF-8 by custom; of what is not, the printable ASCII is kept. */
function text(octets: Uint8Array): string {
  return decodeUtf8(octets) ?? printable(octets)
}

function view(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
}

function filled(length: number, fill: (octets: DataView) => void): Uint8Array {
  const octets = new Uint8Array(length)
  fill(view(octets))
  return octets
}
