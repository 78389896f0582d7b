/** The side that answers CHAP challenges: MD5 (RFC 1994) and MS-CHAPv2 (RFC 2759). */
import { encodeUtf8, equalBytes, printable } from '../bytes.ts'
import type { Digests, Entropy } from '../crypto.ts'
import type { Secret } from '../secret.ts'
import type { AuthDialogue, AuthOutcome, AuthSend } from './authentication.ts'
import { type ChapValue, chapCodes, decodeChapValue, encodeChapValue, md5Response } from './chap-packet.ts'
import {
  authenticatorProof,
  CHALLENGE_LENGTH,
  checkSuccess,
  encodeResponse,
  ntResponse,
  readFailure,
} from './mschapv2.ts'
import { type ControlPacket, decodePacket, encodePacket } from './packet.ts'
import { protocols } from './protocol.ts'

/** A challenge that we have answered. */
interface Answered {
  readonly identifier: number
  readonly challenge: Uint8Array
  readonly packet: Uint8Array
  /** MS-CHAPv2: what the Success to this answer must prove, 20 octets. */
  readonly proof: Uint8Array | undefined
}

/** A Success may come for an earlier Response if challenges are repeated faster than the path answers. */
const REMEMBERED = 4
/** How often a Response is repeated because the Success that must prove something was lost. */
const MAX_REPEATS = 10

/** The side of CHAP that is challenged (RFC 1994, RFC 2759). */
export class ChapClient implements AuthDialogue {
  readonly method: 'chap' | 'mschapv2'
  readonly protocol = protocols.chap
  /** The authenticator retransmits, not we (RFC 1994 section 4.1). */
  readonly deadline = undefined
  readonly #username: string
  readonly #password: Secret
  readonly #digests: Digests
  readonly #entropy: Entropy
  readonly #send: AuthSend
  /** Latest first. */
  #answers: readonly Answered[] = []
  #repeats = 0

  constructor(options: {
    readonly method: 'chap' | 'mschapv2'
    readonly username: string
    readonly password: Secret
    readonly digests: Digests
    readonly entropy: Entropy
    readonly send: AuthSend
  }) {
    this.method = options.method
    this.#username = options.username
    this.#password = options.password
    this.#digests = options.digests
    this.#entropy = options.entropy
    this.#send = options.send
  }

  get answered(): boolean {
    return this.#answers.length > 0
  }

  start(): void {}

  timeout(): void {}

  receive(_now: number, bytes: Uint8Array): AuthOutcome | undefined {
    const packet = decodePacket(bytes)
    if (!packet.ok) return undefined
    switch (packet.value.code) {
      case chapCodes.challenge:
        this.#challenged(packet.value)
        return undefined
      case chapCodes.success:
        return this.answered ? this.#succeeded(packet.value) : undefined
      case chapCodes.failure:
        return this.answered ? this.#failed(packet.value) : undefined
      default:
        return undefined
    }
  }

  /**
   * With MD5 the Success says nothing that the peer's going on does not say. With MS-CHAPv2 it proves that the peer
   * knows the password: it is asked for again, since the same Response must get the same reply (RFC 1994 section 4.2).
   */
  overtaken(): AuthOutcome | undefined {
    const latest = this.#answers[0]
    if (latest === undefined) return undefined
    if (latest.proof === undefined) return { kind: 'accepted', username: this.#username }
    if (this.#repeats++ < MAX_REPEATS) this.#send(latest.packet)
    return undefined
  }

  /** A copy of a challenge gets a copy of the response, so that one Success fits both. */
  #challenged({ identifier, data }: ControlPacket): void {
    const challenge = decodeChapValue(data)?.value
    if (challenge === undefined) return
    const known = this.#answers.find(
      (answer) => answer.identifier === identifier && equalBytes(answer.challenge, challenge),
    )
    const answer = known ?? this.#answer(identifier, challenge)
    if (answer === undefined) return
    this.#answers = [answer, ...this.#answers.filter((other) => other !== answer)].slice(0, REMEMBERED)
    this.#send(answer.packet)
  }

  #answer(identifier: number, challenge: Uint8Array): Answered | undefined {
    const response = (value: Uint8Array) => {
      const data: ChapValue = { value, name: encodeUtf8(this.#username) }
      return encodePacket({ code: chapCodes.response, identifier, data: encodeChapValue(data) })
    }
    if (this.method === 'chap') {
      const digest = md5Response(this.#digests, identifier, this.#password.reveal(), challenge)
      return { identifier, challenge, packet: response(digest), proof: undefined }
    }
    if (challenge.length !== CHALLENGE_LENGTH) return undefined
    const exchange = {
      authenticatorChallenge: challenge,
      peerChallenge: this.#entropy(CHALLENGE_LENGTH),
      username: this.#username,
      password: this.#password.reveal(),
    }
    const nt = ntResponse(this.#digests, exchange)
    const packet = response(encodeResponse(exchange.peerChallenge, nt))
    return { identifier, challenge, packet, proof: authenticatorProof(this.#digests, exchange, nt) }
  }

  #succeeded({ data }: ControlPacket): AuthOutcome {
    this.#repeats = 0
    if (this.method === 'chap') return accepted(this.#username, printable(data))
    for (const { proof } of this.#answers) {
      const { genuine, text } = checkSuccess(data, proof ?? new Uint8Array())
      if (genuine) return accepted(this.#username, text)
    }
    return { kind: 'failed', cause: { code: 'peerNotGenuine' } }
  }

  #failed({ data }: ControlPacket): AuthOutcome {
    const message = printable(data)
    const said = this.method === 'mschapv2' ? readFailure(data) : message === '' ? {} : { message }
    return { kind: 'failed', cause: { code: 'authFailed', method: this.method, ...said } }
  }
}

function accepted(username: string, message: string): AuthOutcome {
  return { kind: 'accepted', username, ...(message === '' ? {} : { message }) }
}
