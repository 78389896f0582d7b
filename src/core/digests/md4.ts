import { at, blocksOf, octetsOf, rotate } from './blocks.ts'

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]

/** RFC 1320 section 3.4: what each round mixes and adds, and which words it takes, turned how far. */
const ROUNDS = [
  {
    mix: (x: number, y: number, z: number) => (x & y) | (~x & z),
    add: 0,
    words: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    turns: [3, 7, 11, 19],
  },
  {
    mix: (x: number, y: number, z: number) => (x & y) | (x & z) | (y & z),
    add: 0x5a827999,
    words: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    turns: [3, 5, 9, 13],
  },
  {
    mix: (x: number, y: number, z: number) => x ^ y ^ z,
    add: 0x6ed9eba1,
    words: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    turns: [3, 9, 11, 15],
  },
]

/** MD4 (RFC 1320): 16 octets. Broken, and what MS-CHAPv2 is made of. */
export function md4(message: Uint8Array): Uint8Array {
  let state = START
  for (const block of blocksOf(message, 'lowest first')) {
    let [a = 0, b = 0, c = 0, d = 0] = state
    for (const { mix, add, words, turns } of ROUNDS) {
      for (const [step, word] of words.entries()) {
        const sum = a + mix(b, c, d) + at(block, word) + add
        ;[a, b, c, d] = [d, rotate(sum, at(turns, step & 3)), b, c]
      }
    }
    state = [a, b, c, d].map((word, position) => (word + at(state, position)) | 0)
  }
  return octetsOf(state, 'lowest first')
}
