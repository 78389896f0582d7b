import { equalBytes } from '../bytes.ts'
import { decodeOptions, encodeOptions } from './options.ts'
import { type ControlPacket, codes } from './packet.ts'
import type { OptionPolicy } from './policy.ts'

/** What an answer to our Configure-Request amounts to. */
export type AnswerKind =
  /** The peer agrees to all that we asked. */
  | 'acked'
  /** It refuses something; the policy was told and will ask for something else. */
  | 'refused'
  /** Not an answer to the latest request, or a copy of one: silently discarded (RFC 1661 sections 5.2 to 5.4). */
  | 'stray'
  /** It refuses again and again: the peer will never be content. */
  | 'hopeless'

/** Naks and Rejects without an Ack between, after which there is no hope. */
const MAX_REFUSALS = 10

interface Outstanding {
  readonly packet: ControlPacket
  readonly types: readonly number[]
  transmissions: number
}

/** Our side of a negotiation: the Configure-Request that we sent last, and the answers to it. */
export class OwnRequest {
  readonly #policy: OptionPolicy<unknown>
  /** Undefined once it was answered. */
  #outstanding: Outstanding | undefined
  #identifier = 0
  #refusals = 0

  constructor(policy: OptionPolicy<unknown>) {
    this.#policy = policy
  }

  /** How often the unanswered request was sent. */
  get transmissions(): number {
    return this.#outstanding?.transmissions ?? 0
  }

  /**
   * The request to send now. A retransmission keeps its identifier, so that a late answer to an earlier copy still
   * counts; it changes with the options and after every valid reply (RFC 1661 section 5.1).
   */
  next(): ControlPacket {
    const options = this.#policy.localOptions()
    const data = encodeOptions(options)
    const same = this.#outstanding
    if (same && equalBytes(same.packet.data, data)) {
      same.transmissions++
      return same.packet
    }
    const packet = { code: codes.configureRequest, identifier: this.identifier(), data }
    this.#outstanding = { packet, types: options.map(({ type }) => type), transmissions: 1 }
    return packet
  }

  /** A fresh identifier, for other packets too. */
  identifier(): number {
    this.#identifier = (this.#identifier + 1) & 0xff
    return this.#identifier
  }

  /** A Configure-Ack, -Nak or -Reject arrived. */
  answer(packet: ControlPacket): AnswerKind {
    const asked = this.#outstanding
    if (asked === undefined || packet.identifier !== asked.packet.identifier) return 'stray'
    if (packet.code === codes.configureAck) {
      if (!equalBytes(packet.data, asked.packet.data)) return 'stray'
      this.#outstanding = undefined
      this.#refusals = 0
      return 'acked'
    }
    const decoded = decodeOptions(packet.data)
    if (!decoded.ok) return 'stray'
    this.#outstanding = undefined
    if (packet.code === codes.configureNak) this.#policy.onNak(decoded.value)
    // RFC 1661 section 5.4: only what we asked for can be rejected.
    else this.#policy.onReject(decoded.value.filter(({ type }) => asked.types.includes(type)))
    return ++this.#refusals > MAX_REFUSALS ? 'hopeless' : 'refused'
  }

  /** A new attempt begins; identifiers go on. */
  forget(): void {
    this.#outstanding = undefined
    this.#refusals = 0
  }
}
