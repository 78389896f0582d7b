/**
 * Blobs of libubox: attributes of 32 bits of flag, id and length, the payload, and zeros up to a multiple of 4 octets.
 * All integers are big endian. The length counts its own 4 octets, and not the padding.
 */
import { ByteWriter, u32 } from '../bytes.ts'

/** One attribute. `extended` marks blobmsg, whose payload begins with a name. */
export interface BlobAttribute {
  /** 0 to 127. */
  readonly id: number
  readonly extended: boolean
  readonly payload: Uint8Array
}

/** Octets of what stands before each payload. */
export const BLOB_HEADER = 4
/** The most that a length can say, in octets. */
export const MAX_BLOB = 0xffffff

const EXTENDED = 0x80000000
const MAX_ID = 0x7f

/** The attributes in the octets, in order; undefined where one claims a length that cannot be. Never throws. */
export function decodeBlobs(bytes: Uint8Array): BlobAttribute[] | undefined {
  const attributes: BlobAttribute[] = []
  let offset = 0
  while (offset < bytes.length) {
    const head = u32(bytes, offset)
    const length = head & MAX_BLOB
    if (length < BLOB_HEADER || offset + length > bytes.length) return undefined
    attributes.push({
      id: (head >>> 24) & MAX_ID,
      extended: head >= EXTENDED,
      payload: bytes.subarray(offset + BLOB_HEADER, offset + length),
    })
    offset += padded(length)
  }
  return attributes
}

/** One attribute with its padding. Throws RangeError where the payload is longer than a length can say. */
export function encodeBlob({ id, extended, payload }: BlobAttribute): Uint8Array {
  const length = BLOB_HEADER + payload.length
  if (length > MAX_BLOB) throw new RangeError(`a blob of ${length} octets: at most ${MAX_BLOB} are possible`)
  const head = (extended ? EXTENDED : 0) + (id << 24) + length
  return new ByteWriter(padded(length))
    .u32(head)
    .bytes(payload)
    .bytes(new Uint8Array(padded(length) - length))
    .finish()
}

/** `length` rounded up to the 4 octets at which everything is aligned. */
export function padded(length: number): number {
  return (length + 3) & ~3
}
