/** Tunnel authentication, CHAP with the tunnel secret. RFC 2661 sections 4.4.3 (Challenge Response) and 5.1.1. */
import { concat } from '../bytes.ts'
import type { Digests } from '../crypto.ts'

/** Octets of the challenges that we send. */
export const CHALLENGE_LENGTH = 16

/** The message that carries the response: its Message Type is the CHAP identifier. */
const IDENTIFIER = { SCCRP: 2, SCCCN: 3 } as const

/** The 16 octets that answer `challenge` in a message of that type. */
export function challengeResponse(
  digests: Pick<Digests, 'md5'>,
  secret: Uint8Array,
  message: keyof typeof IDENTIFIER,
  challenge: Uint8Array,
): Uint8Array {
  return digests.md5(concat(Uint8Array.of(IDENTIFIER[message]), secret, challenge))
}
