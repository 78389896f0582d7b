/** Challenges and Responses of CHAP (RFC 1994 section 4.1). */
import { ByteWriter, concat, encodeUtf8, u8 } from '../bytes.ts'
import type { Digests } from '../crypto.ts'

/** RFC 1994 section 4 */
export const chapCodes = { challenge: 1, response: 2, success: 3, failure: 4 } as const

/** The data of a Challenge or a Response. */
export interface ChapValue {
  /** 1..255 octets. */
  readonly value: Uint8Array
  readonly name: Uint8Array
}

/** The data of a Challenge or Response (RFC 1994 section 4.1). `value` has at most 255 octets. */
export function encodeChapValue({ value, name }: ChapValue): Uint8Array {
  return new ByteWriter().u8(value.length).bytes(value).bytes(name).finish()
}

/** Undefined if the value is empty or does not fit. */
export function decodeChapValue(data: Uint8Array): ChapValue | undefined {
  const size = u8(data, 0)
  if (size === 0 || 1 + size > data.length) return undefined
  return { value: data.slice(1, 1 + size), name: data.slice(1 + size) }
}

/** RFC 1994 section 4.1: the digest of identifier, secret and challenge. */
export function md5Response(
  digests: Digests,
  identifier: number,
  secret: string,
  challenge: Uint8Array,
): Uint8Array {
  return digests.md5(concat(Uint8Array.of(identifier), encodeUtf8(secret), challenge))
}
