/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Octets from the same kind of source. */
export function seededEntropy(seed: number): (octets: number) => Uint8Array {
  const random = seededRandom(seed)
  return (octets) => Uint8Array.from({ length: octets }, () => Math.floor(random() * 256))
}

/** Another seed in each run, to be printed; LIFELINE_SEED repeats one. */
export function runSeed(): number {
  return Number(process.env.LIFELINE_SEED ?? Math.floor(Math.random() * 2 ** 31))
}
