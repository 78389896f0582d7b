/** Domain names: as text, and as labels in a message (RFC 1035 sections 3.1 and 4.1.4). */
import { ByteWriter, u8, u16 } from '../bytes.ts'

/** RFC 1035 section 2.3.4, in octets: a label, and a whole name as text (its 255 octets less two of length). */
const MAX_LABEL = 63
const MAX_NAME = 253

/** The upper two bits of a length octet: 0 for a label, 3 for a pointer; the rest is reserved. */
const POINTER = 3

/** A name that was read, and the offset of what follows it. */
export interface DecodedName {
  /** In lower case (RFC 4343), without the final dot; the root is empty. */
  readonly name: string
  readonly end: number
}

/** The name as it is asked for: in lower case, without the final dot; undefined for what can be no name in ASCII. */
export function toDnsName(text: string): string | undefined {
  const name = text.replace(/\.$/, '').toLowerCase()
  if (name.length > MAX_NAME) return undefined
  return name.split('.').every((label) => /^[!-~]{1,63}$/.test(label) && !label.includes('\\'))
    ? name
    : undefined
}

/** The labels of a name as `toDnsName` gives it, uncompressed. */
export function encodeName(name: string): Uint8Array {
  const writer = new ByteWriter(name.length + 2)
  for (const label of name.split('.')) {
    writer.u8(label.length)
    for (const character of label) writer.u8(character.charCodeAt(0))
  }
  return writer.u8(0).finish()
}

/** The name at an offset of a message; undefined if it is malformed. Never throws. */
export function decodeName(message: Uint8Array, offset: number): DecodedName | undefined {
  const labels: string[] = []
  let length = 0
  let end: number | undefined
  // RFC 1035 section 4.1.4: a pointer leads to a prior occurrence, so that each leads further back than the one before.
  let limit = offset
  for (let at = offset; at < message.length; ) {
    const octet = u8(message, at)
    if (octet === 0) return { name: labels.join('.'), end: end ?? at + 1 }
    if (octet >> 6 === POINTER) {
      const target = u16(message, at) & 0x3fff
      if (at + 2 > message.length || target >= limit) return undefined
      end ??= at + 2
      limit = target
      at = target
      continue
    }
    length += octet + 1
    if (octet > MAX_LABEL || length > MAX_NAME + 1 || at + 1 + octet > message.length) return undefined
    labels.push(labelText(message.subarray(at + 1, at + 1 + octet)))
    at += 1 + octet
  }
  return undefined
}

/** RFC 4343 section 2.1: what is no plain character is escaped, so that a dot inside of a label divides nothing. */
function labelText(octets: Uint8Array): string {
  return Array.from(octets, (octet) => {
    const character = String.fromCharCode(octet)
    if (octet <= 0x20 || octet >= 0x7f) return `\\${String(octet).padStart(3, '0')}`
    return character === '.' || character === '\\' ? `\\${character}` : character.toLowerCase()
  }).join('')
}
