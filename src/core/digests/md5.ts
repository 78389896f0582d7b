import { at, blocksOf, octetsOf, rotate } from './blocks.ts'

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]

/** RFC 1321 section 3.4: what each round mixes, which words it takes, turned how far. */
const ROUNDS = [
  {
    mix: (x: number, y: number, z: number) => (x & y) | (~x & z),
    first: 0,
    stride: 1,
    turns: [7, 12, 17, 22],
  },
  {
    mix: (x: number, y: number, z: number) => (x & z) | (y & ~z),
    first: 1,
    stride: 5,
    turns: [5, 9, 14, 20],
  },
  { mix: (x: number, y: number, z: number) => x ^ y ^ z, first: 5, stride: 3, turns: [4, 11, 16, 23] },
  { mix: (x: number, y: number, z: number) => y ^ (x | ~z), first: 0, stride: 7, turns: [6, 10, 15, 21] },
]

/** T of section 3.4: the first 32 bits behind the point of the sines of 1 to 64, without their signs. */
const T = Uint32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32))

/** MD5 (RFC 1321): 16 octets. */
export function md5(message: Uint8Array): Uint8Array {
  let state = START
  for (const block of blocksOf(message, 'lowest first')) {
    let [a = 0, b = 0, c = 0, d = 0] = state
    for (const [round, { mix, first, stride, turns }] of ROUNDS.entries()) {
      for (let step = 0; step < 16; step++) {
        const sum = a + mix(b, c, d) + at(block, (first + step * stride) & 15) + at(T, round * 16 + step)
        ;[a, b, c, d] = [d, (b + rotate(sum, at(turns, step & 3))) | 0, b, c]
      }
    }
    state = [a, b, c, d].map((word, position) => (word + at(state, position)) | 0)
  }
  return octetsOf(state, 'lowest first')
}
