/** Octet handling for codecs. All integers are big endian (network order) unless a name says otherwise. */

/** Reads u8/u16/u32 at an offset that the caller has checked; beyond the end reads as zero. */
export function u8(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0
}

/** Two octets in network byte order, at `offset`; 0 for what lies beyond the end. */
export function u16(bytes: Uint8Array, offset: number): number {
  return (u8(bytes, offset) << 8) | u8(bytes, offset + 1)
}

/** Four octets in network byte order, at `offset`; 0 for what lies beyond the end. */
export function u32(bytes: Uint8Array, offset: number): number {
  return ((u16(bytes, offset) << 16) | u16(bytes, offset + 2)) >>> 0
}

/** Grows as needed; `finish()` gives exactly the octets written. */
export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 128) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  u8(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u16(value: number): this {
    return this.u8(value >>> 8).u8(value)
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value)
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /** Overwrites 16 bits that were written before, for lengths known only later. */
  patchU16(offset: number, value: number): this {
    this.#bytes[offset] = value >>> 8
    this.#bytes[offset + 1] = value
    return this
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #reserve(octets: number): void {
    if (this.#length + octets <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + octets))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** A new array with all octets of the parts, in order. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** Equality that takes the same time wherever the octets differ, fit for comparing secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= u8(a, i) ^ u8(b, i)
  return difference === 0
}

/** Two lower-case digits for each octet, nothing between them. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('')
}

/** Octets from hexadecimal text; white space is ignored. For literals: odd or foreign digits throw. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '')
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) throw new Error(`not hexadecimal: ${text}`)
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** UTF-8 octets of a string; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const writer = new ByteWriter(text.length + 8)
  for (const character of text) {
    let point = character.codePointAt(0) ?? 0
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd
    if (point < 0x80) writer.u8(point)
    else if (point < 0x800) writer.u8(0xc0 | (point >> 6)).u8(0x80 | (point & 0x3f))
    else if (point < 0x10000)
      writer
        .u8(0xe0 | (point >> 12))
        .u8(0x80 | ((point >> 6) & 0x3f))
        .u8(0x80 | (point & 0x3f))
    else
      writer
        .u8(0xf0 | (point >> 18))
        .u8(0x80 | ((point >> 12) & 0x3f))
        .u8(0x80 | ((point >> 6) & 0x3f))
        .u8(0x80 | (point & 0x3f))
  }
  return writer.finish()
}

/** Text of UTF-8 octets (RFC 3629 section 4); undefined where they are none, overlong forms and surrogates included. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  let text = ''
  for (let i = 0; i < bytes.length; ) {
    const first = u8(bytes, i++)
    const more =
      first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1
    if (more < 0 || i + more > bytes.length) return undefined
    let point = more === 0 ? first : first & (0x3f >> more)
    for (let k = 0; k < more; k++) {
      const next = u8(bytes, i++)
      if (next >> 6 !== 0b10) return undefined
      point = (point << 6) | (next & 0x3f)
    }
    const overlong = (more === 2 && point < 0x800) || (more === 3 && point < 0x10000)
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined
    text += String.fromCodePoint(point)
  }
  return text
}

/** Text that a peer sent, for showing: printable ASCII stays, anything else becomes `?`. */
export function printable(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) =>
    octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '?',
  ).join('')
}
