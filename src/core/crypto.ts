/** Digests and ciphers that protocols need; core/digests computes them. */
export interface Digests {
  md4(data: Uint8Array): Uint8Array
  md5(data: Uint8Array): Uint8Array
  sha1(data: Uint8Array): Uint8Array
  /** Single DES in ECB mode of one block. `key` 8 octets (parity bits ignored), `block` 8 octets. */
  des(key: Uint8Array, block: Uint8Array): Uint8Array
}

/** A source of unpredictable octets (seeded in simulations). */
export type Entropy = (octets: number) => Uint8Array
