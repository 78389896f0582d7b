/** The side that sends CHAP challenges and decides: MD5 (RFC 1994) and MS-CHAPv2 (RFC 2759). PAP's is in pap.ts. */
import { encodeUtf8, equalBytes, printable, toHex, u8 } from '../bytes.ts'
import type { Digests, Entropy } from '../crypto.ts'
import type { Secret } from '../secret.ts'
import type { Millis } from '../time.ts'
import type { AuthDialogue, AuthOutcome, AuthSend } from './authentication.ts'
import { chapCodes, decodeChapValue, encodeChapValue, md5Response } from './chap-packet.ts'
import {
  authenticatorProof,
  CHALLENGE_LENGTH,
  decodeResponse,
  encodeSuccess,
  ntResponse,
} from './mschapv2.ts'
import { type ControlPacket, decodePacket, encodePacket } from './packet.ts'
import { protocols } from './protocol.ts'
import { RepeatedRequest } from './repeated-request.ts'
import type { PppLimits } from './types.ts'

interface Challenge {
  readonly identifier: number
  readonly value: Uint8Array
  /** What a Response to it was told, and is told again (RFC 1994 section 4.2). */
  reply: Uint8Array | undefined
}

/** A Response may come for an earlier challenge if they are repeated faster than the path answers. */
const REMEMBERED = 8

/** The side of CHAP that challenges (RFC 1994 section 4). */
export class ChapServer implements AuthDialogue {
  readonly method: 'chap' | 'mschapv2'
  readonly protocol = protocols.chap
  readonly answered = false
  readonly #name: string
  readonly #verify: (username: string) => Secret | undefined
  readonly #digests: Digests
  readonly #entropy: Entropy
  readonly #send: AuthSend
  readonly #request: RepeatedRequest
  /** Latest first. */
  #challenges: readonly Challenge[] = []
  #identifier: number

  constructor(options: {
    readonly method: 'chap' | 'mschapv2'
    readonly name: string
    verify(username: string): Secret | undefined
    readonly digests: Digests
    readonly entropy: Entropy
    readonly limits: PppLimits
    readonly send: AuthSend
  }) {
    this.method = options.method
    this.#name = options.name
    this.#verify = (username) => options.verify(username)
    this.#digests = options.digests
    this.#entropy = options.entropy
    this.#send = options.send
    this.#request = new RepeatedRequest(options.limits, () => this.#challenge())
    // A late Response to a challenge before a renegotiation must not be taken for one to ours.
    this.#identifier = u8(options.entropy(1), 0)
  }

  get deadline(): Millis | undefined {
    return this.#request.deadline
  }

  /** Also in the middle of a session. */
  start(now: Millis): void {
    this.#request.start(now)
  }

  timeout(now: Millis): void {
    this.#request.timeout(now)
  }

  receive(_now: Millis, bytes: Uint8Array): AuthOutcome | undefined {
    const packet = decodePacket(bytes)
    if (!packet.ok || packet.value.code !== chapCodes.response) return undefined
    const { identifier, data } = packet.value
    const challenge = this.#challenges.find((sent) => sent.identifier === identifier)
    const response = decodeChapValue(data)
    if (challenge === undefined || response === undefined) return undefined
    if (challenge.reply) {
      this.#send(challenge.reply)
      return undefined
    }
    this.#request.stop()
    const username = printable(response.name)
    const secret = this.#verify(username)
    const success = secret && this.#check(challenge, response.value, username, secret)
    const reply: ControlPacket =
      success === undefined
        ? { code: chapCodes.failure, identifier, data: encodeUtf8(this.#failureMessage(challenge)) }
        : { code: chapCodes.success, identifier, data: encodeUtf8(success) }
    challenge.reply = encodePacket(reply)
    this.#send(challenge.reply)
    if (success !== undefined) return { kind: 'accepted', username }
    return { kind: 'failed', cause: { code: 'authFailed', method: this.method } }
  }

  overtaken(): AuthOutcome | undefined {
    return undefined
  }

  /** The message of the Success that the response deserves; undefined if it is wrong. */
  #check(challenge: Challenge, value: Uint8Array, username: string, secret: Secret): string | undefined {
    const password = secret.reveal()
    if (this.method === 'chap') {
      const expected = md5Response(this.#digests, challenge.identifier, password, challenge.value)
      return equalBytes(expected, value) ? '' : undefined
    }
    const response = decodeResponse(value)
    if (response === undefined) return undefined
    const exchange = {
      authenticatorChallenge: challenge.value,
      peerChallenge: response.peerChallenge,
      username,
      password,
    }
    if (!equalBytes(ntResponse(this.#digests, exchange), response.response)) return undefined
    return encodeSuccess(authenticatorProof(this.#digests, exchange, response.response), 'Welcome')
  }

  #failureMessage(challenge: Challenge): string {
    return this.method === 'chap' ? '' : `E=691 R=0 C=${toHex(challenge.value).toUpperCase()} V=3 M=`
  }

  #challenge(): void {
    // RFC 1994 section 4.1: the identifier changes each time a Challenge is sent; so does the value.
    this.#identifier = (this.#identifier + 1) & 0xff
    const challenge = {
      identifier: this.#identifier,
      value: this.#entropy(CHALLENGE_LENGTH),
      reply: undefined,
    }
    this.#challenges = [challenge, ...this.#challenges].slice(0, REMEMBERED)
    const data = encodeChapValue({ value: challenge.value, name: encodeUtf8(this.#name) })
    this.#send(encodePacket({ code: chapCodes.challenge, identifier: challenge.identifier, data }))
  }
}
