/** The computations of MS-CHAP version 2 (RFC 2759 section 8) and its messages in words. */
import { concat, encodeUtf8, equalBytes, fromHex, printable, toHex, u8 } from '../bytes.ts'
import type { Digests } from '../crypto.ts'

/** Octets of both challenges, and of the value of a Response (RFC 2759 section 4). */
export const CHALLENGE_LENGTH = 16
/** Octets of a Response (RFC 2759 section 4). */
export const RESPONSE_LENGTH = 49
const RESERVED = new Uint8Array(8)
const NT_RESPONSE_LENGTH = 24
const HASH_LENGTH = 16
const PROOF_DIGITS = 40

const SERVER_TO_CLIENT = encodeUtf8('Magic server to client signing constant')
const MORE_THAN_ONE_ITERATION = encodeUtf8('Pad to make it do more than one iteration')

/** What both ends said, of which the digests are made (RFC 2759 section 8). */
export interface MsChapExchange {
  /** 16 octets each. */
  readonly authenticatorChallenge: Uint8Array
  readonly peerChallenge: Uint8Array
  readonly username: string
  readonly password: string
}

/** GenerateNTResponse (section 8.1): 24 octets. */
export function ntResponse(digests: Digests, exchange: MsChapExchange): Uint8Array {
  const hash = digests.md4(utf16le(exchange.password))
  const padded = concat(hash, new Uint8Array(21 - HASH_LENGTH))
  const challenge = challengeHash(digests, exchange)
  // ChallengeResponse (section 8.5): three DES keys of 7 octets each.
  return concat(
    ...[0, 7, 14].map((offset) => digests.des(spreadKey(padded.subarray(offset, offset + 7)), challenge)),
  )
}

/** GenerateAuthenticatorResponse (section 8.7) without its `S=`: 20 octets. */
export function authenticatorProof(
  digests: Digests,
  exchange: MsChapExchange,
  response: Uint8Array,
): Uint8Array {
  const hashOfHash = digests.md4(digests.md4(utf16le(exchange.password)))
  const signed = digests.sha1(concat(hashOfHash, response, SERVER_TO_CLIENT))
  return digests.sha1(concat(signed, challengeHash(digests, exchange), MORE_THAN_ONE_ITERATION))
}

/** The value of a Response packet (section 4). */
export function encodeResponse(peerChallenge: Uint8Array, response: Uint8Array): Uint8Array {
  return concat(peerChallenge, RESERVED, response, Uint8Array.of(0))
}

/** Undefined if the value has another length. */
export function decodeResponse(
  value: Uint8Array,
): { readonly peerChallenge: Uint8Array; readonly response: Uint8Array } | undefined {
  if (value.length !== RESPONSE_LENGTH) return undefined
  const start = CHALLENGE_LENGTH + RESERVED.length
  return {
    peerChallenge: value.slice(0, CHALLENGE_LENGTH),
    response: value.slice(start, start + NT_RESPONSE_LENGTH),
  }
}

/** A Success message (section 5): `S=<40 digits> M=<text>`. */
export function encodeSuccess(proof: Uint8Array, text: string): string {
  return `S=${toHex(proof).toUpperCase()} M=${text}`
}

/** Whether a Success message carries this proof, and the text that goes with it. */
export function checkSuccess(
  message: Uint8Array,
  proof: Uint8Array,
): { readonly genuine: boolean; readonly text: string } {
  const found = new RegExp(`^S=([0-9A-Fa-f]{${PROOF_DIGITS}})(?: *M=(.*))?`).exec(printable(message))
  if (found?.[1] === undefined) return { genuine: false, text: '' }
  return { genuine: equalBytes(fromHex(found[1]), proof), text: found[2] ?? '' }
}

/** RFC 2759 section 6: the code that says no more than the Failure itself. */
const WRONG_LOGIN = '691'
/** The other ones. */
const failures: Readonly<Record<string, string>> = {
  '646': 'logging on is not allowed at this hour',
  '647': 'the account is disabled',
  '648': 'the password has expired and must be changed with the provider',
  '649': 'the account has no permission to dial in',
  '709': 'the password could not be changed',
}

/** What a Failure message (`E=691 R=0 C=... V=3 M=...`) says: what its code means, and the LNS's own words. */
export function readFailure(packet: Uint8Array): { readonly reason?: string; readonly message?: string } {
  const text = printable(packet)
  const code = /E=(\d{1,10})/.exec(text)?.[1]
  if (code === undefined) return text === '' ? {} : { message: text }
  const said = /M=(.*)/.exec(text)?.[1]?.trim()
  const message = said ? { message: said } : {}
  return code === WRONG_LOGIN ? message : { reason: failures[code] ?? `error ${code}`, ...message }
}

/** ChallengeHash (section 8.2): without the domain that may stand before the name. */
function challengeHash(digests: Digests, exchange: MsChapExchange): Uint8Array {
  const name = exchange.username.slice(exchange.username.indexOf('\\') + 1)
  const hashed = concat(exchange.peerChallenge, exchange.authenticatorChallenge, encodeUtf8(name))
  return digests.sha1(hashed).slice(0, 8)
}

/** Seven octets of key as DES takes them: seven bits in each of eight octets, parity bits zero (section 8.6). */
function spreadKey(key: Uint8Array): Uint8Array {
  const spread = new Uint8Array(8)
  for (let i = 0; i < 8; i++) {
    const high = i === 0 ? 0 : u8(key, i - 1) << (8 - i)
    const low = i === 7 ? 0 : u8(key, i) >>> i
    spread[i] = (high | low) & 0xfe
  }
  return spread
}

function utf16le(text: string): Uint8Array {
  return Uint8Array.from(
    { length: text.length * 2 },
    (_, i) => (text.charCodeAt(i >> 1) >>> ((i & 1) * 8)) & 0xff,
  )
}
