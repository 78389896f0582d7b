import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import md4 from 'js-md4'
import type { Digests, Entropy } from '../core/crypto.ts'

/** The digests of Node's OpenSSL, and MD4 in JavaScript since OpenSSL 3 has it no longer. */
export const digests: Digests = {
  md4: (data) => Uint8Array.from(md4.array(data)),
  md5: (data) => hash('md5', data),
  sha1: (data) => hash('sha1', data),
  des,
}

/** Random octets of the system that nobody can foresee. */
export const entropy: Entropy = (octets) => new Uint8Array(randomBytes(octets))

function hash(algorithm: string, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(data).digest())
}

/** Triple DES with one key three times encrypts, decrypts and encrypts: single DES, which OpenSSL 3 has no longer. */
function des(key: Uint8Array, block: Uint8Array): Uint8Array {
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([key, key, key]), null).setAutoPadding(false)
  return new Uint8Array(Buffer.concat([cipher.update(block), cipher.final()]))
}
