/** Hiding of AVP values with the tunnel secret. RFC 2661 section 4.3. */
import { ByteWriter, concat, u8, u16 } from '../bytes.ts'
import type { Digests } from '../crypto.ts'

/** What hides a value: the tunnel secret, and the value of the Random Vector AVP before it. */
export interface HidingKey {
  readonly digests: Pick<Digests, 'md5'>
  readonly secret: Uint8Array
  readonly vector: Uint8Array
}

const BLOCK = 16

/** The hidden form of the value of attribute `type`, with `padding` random octets that mask its length. */
export function hideValue(
  key: HidingKey,
  type: number,
  value: Uint8Array,
  padding: Uint8Array = new Uint8Array(),
): Uint8Array {
  const clear = concat(new ByteWriter(2).u16(value.length).finish(), value, padding)
  return chain(key, type, clear, 'hide')
}

/** The value in the clear; undefined where the inner length does not fit, as with another secret or vector. */
export function unhideValue(key: HidingKey, type: number, hidden: Uint8Array): Uint8Array | undefined {
  const clear = chain(key, type, hidden, 'unhide')
  if (clear.length < 2) return undefined
  const length = u16(clear, 0)
  return length <= clear.length - 2 ? clear.subarray(2, 2 + length) : undefined
}

/** b1 = MD5(AV + S + RV), bi = MD5(S + c(i-1)); each block is XORed with its b. */
function chain(key: HidingKey, type: number, input: Uint8Array, way: 'hide' | 'unhide'): Uint8Array {
  const output = new Uint8Array(input.length)
  const attribute = new ByteWriter(2).u16(type).finish()
  let mask = key.digests.md5(concat(attribute, key.secret, key.vector))
  for (let start = 0; start < input.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, input.length)
    for (let i = start; i < end; i++) output[i] = u8(input, i) ^ u8(mask, i - start)
    const cipher = (way === 'hide' ? output : input).subarray(start, end)
    mask = key.digests.md5(concat(key.secret, cipher))
  }
  return output
}
