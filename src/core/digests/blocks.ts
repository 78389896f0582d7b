/** What MD4, MD5, SHA-1 and SHA-256 share: octets become blocks of sixteen words, in an order of octets that each chooses. */

/** How the octets of a word follow each other in the message and in the digest. */
export type Order = 'lowest first' | 'highest first'

const BLOCK = 64

/** The words of each block of a message that is padded and ends with its length in bits (RFC 1320 section 3.1). */
export function* blocksOf(message: Uint8Array, order: Order): Generator<Uint32Array> {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK)
  padded.set(message)
  padded[message.length] = 0x80
  const bits = [(message.length << 3) >>> 0, Math.floor(message.length / 2 ** 29)]
  const words = wordsOf(padded, order)
  words.set(order === 'lowest first' ? bits : bits.reverse(), words.length - 2)
  for (let start = 0; start < words.length; start += 16) yield words.subarray(start, start + 16)
}

/** The octets of some words. */
export function octetsOf(words: Iterable<number>, order: Order): Uint8Array {
  const shifts = shiftsOf(order)
  return Uint8Array.from(Array.from(words).flatMap((word) => shifts.map((shift) => word >>> shift)))
}

function wordsOf(octets: Uint8Array, order: Order): Uint32Array {
  const shifts = shiftsOf(order)
  const words = new Uint32Array(octets.length / 4)
  for (const [position, octet] of octets.entries()) {
    const word = position >> 2
    words[word] = (words[word] ?? 0) | (octet << (shifts[position & 3] ?? 0))
  }
  return words
}

function shiftsOf(order: Order): readonly number[] {
  return order === 'lowest first' ? [0, 8, 16, 24] : [24, 16, 8, 0]
}

/** A word turned to the left. */
export function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** The `position`th of these; for tables whose length is known. */
export function at(words: ArrayLike<number>, position: number): number {
  return words[position] ?? 0
}
