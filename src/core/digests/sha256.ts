import { at, blocksOf, octetsOf, rotate } from './blocks.ts'

/** FIPS 180-4 sections 4.2.2 and 5.3.3: the first bits behind the point of roots of the first primes. */
const PRIMES = firstPrimes(64)
const K = Uint32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)))
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)))

/** SHA-256 (FIPS 180-4): 32 octets. */
export function sha256(message: Uint8Array): Uint8Array {
  let state = START
  const words = new Uint32Array(64)
  for (const block of blocksOf(message, 'highest first')) {
    words.set(block)
    for (let t = 16; t < 64; t++) {
      const [near, far] = [at(words, t - 2), at(words, t - 15)]
      const sigma0 = right(far, 7) ^ right(far, 18) ^ (far >>> 3)
      const sigma1 = right(near, 17) ^ right(near, 19) ^ (near >>> 10)
      words[t] = sigma1 + at(words, t - 7) + sigma0 + at(words, t - 16)
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
    for (let t = 0; t < 64; t++) {
      const choice = (e & f) ^ (~e & g)
      const majority = (a & b) ^ (a & c) ^ (b & c)
      const sum1 = right(e, 6) ^ right(e, 11) ^ right(e, 25)
      const sum0 = right(a, 2) ^ right(a, 13) ^ right(a, 22)
      const first = (h + sum1 + choice + at(K, t) + at(words, t)) | 0
      ;[a, b, c, d, e, f, g, h] = [(first + sum0 + majority) | 0, a, b, c, (d + first) | 0, e, f, g]
    }
    state = [a, b, c, d, e, f, g, h].map((word, position) => (word + at(state, position)) | 0)
  }
  return octetsOf(state, 'highest first')
}

function right(word: number, bits: number): number {
  return rotate(word, 32 - bits)
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32)
}

function firstPrimes(count: number): number[] {
  const primes: number[] = []
  for (let candidate = 2; primes.length < count; candidate++)
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  return primes
}
