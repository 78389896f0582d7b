import { at, blocksOf, octetsOf, rotate } from './blocks.ts'

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]

/** RFC 3174 section 5: what each 20 steps mix and add. */
const ROUNDS = [
  { mix: (x: number, y: number, z: number) => (x & y) | (~x & z), add: 0x5a827999 },
  { mix: (x: number, y: number, z: number) => x ^ y ^ z, add: 0x6ed9eba1 },
  { mix: (x: number, y: number, z: number) => (x & y) | (x & z) | (y & z), add: 0x8f1bbcdc },
  { mix: (x: number, y: number, z: number) => x ^ y ^ z, add: 0xca62c1d6 },
]

/** SHA-1 (RFC 3174): 20 octets. */
export function sha1(message: Uint8Array): Uint8Array {
  let state = START
  const words = new Uint32Array(80)
  for (const block of blocksOf(message, 'highest first')) {
    words.set(block)
    for (let t = 16; t < 80; t++)
      words[t] = rotate(at(words, t - 3) ^ at(words, t - 8) ^ at(words, t - 14) ^ at(words, t - 16), 1)
    let [a = 0, b = 0, c = 0, d = 0, e = 0] = state
    for (const [round, { mix, add }] of ROUNDS.entries()) {
      for (let t = round * 20; t < round * 20 + 20; t++) {
        const sum = (rotate(a, 5) + mix(b, c, d) + e + add + at(words, t)) | 0
        ;[a, b, c, d, e] = [sum, a, rotate(b, 30), c, d]
      }
    }
    state = [a, b, c, d, e].map((word, position) => (word + at(state, position)) | 0)
  }
  return octetsOf(state, 'highest first')
}
