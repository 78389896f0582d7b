import { equalBytes } from '../bytes.ts'
import type { Millis } from '../time.ts'
import { decodeOptions, encodeOptions, type PppOption } from './options.ts'
import { type ControlPacket, codes } from './packet.ts'
import type { OptionPolicy } from './policy.ts'
import type { PppLimits } from './types.ts'

/** What the peer's Configure-Request deserves. `agreed` is undefined if something in it was refused. */
export interface Judgement {
  readonly reply: ControlPacket
  readonly agreed: readonly PppOption[] | undefined
  /** We have refused so often that the peer will never give in. */
  readonly insists: boolean
}

/** How often one Ack is repeated before the same request counts as a renegotiation after all. */
const MAX_REPEATED_ACKS = 5

/** The peer's side of a negotiation: its Configure-Requests, our answers, and how long we go on refusing. */
export class PeerRequest {
  readonly #policy: OptionPolicy<unknown>
  readonly #limits: PppLimits
  /** 2 for each refusal, 1 for that of a retransmission. */
  #score = 0
  #refused: { readonly identifier: number; readonly at: Millis } | undefined
  #acked: { readonly request: ControlPacket; readonly reply: ControlPacket; repeats: number } | undefined

  constructor(policy: OptionPolicy<unknown>, limits: PppLimits) {
    this.#policy = policy
    this.#limits = limits
  }

  /** RFC 1661 sections 5.2 to 5.4: Reject before Nak before Ack. Undefined if the options are malformed. */
  judge(now: Millis, request: ControlPacket): Judgement | undefined {
    const options = decodeOptions(request.data)
    if (!options.ok) return undefined
    const rejects: PppOption[] = []
    const naks: PppOption[] = []
    for (const option of options.value) {
      const verdict = this.#policy.judge(option)
      if (verdict.kind === 'reject' || (verdict.kind === 'nak' && this.#rejectsOnly)) rejects.push(option)
      else if (verdict.kind === 'nak') naks.push(verdict.suggestion)
    }
    const reply = (code: number, data: Uint8Array) => ({ code, identifier: request.identifier, data })
    if (rejects.length === 0 && naks.length === 0) {
      this.#score = 0
      const acked = reply(codes.configureAck, request.data.slice())
      return { reply: acked, agreed: options.value, insists: false }
    }
    const refusal =
      rejects.length > 0
        ? reply(codes.configureReject, encodeOptions(rejects))
        : reply(codes.configureNak, encodeOptions(naks))
    this.#countRefusal(now, request)
    return { reply: refusal, agreed: undefined, insists: this.#score > this.#limits.maxFailure * 4 }
  }

  /** The answer to send now; what an Ack agrees to is in force with it. */
  conclude({ reply, agreed }: Judgement): ControlPacket {
    if (agreed) {
      this.#policy.onAgreed(agreed)
      this.#acked = { request: { ...reply, code: codes.configureRequest }, reply, repeats: 0 }
    }
    return reply
  }

  /**
   * The Ack for a request equal to the one that we acknowledged last, which is a copy or a retransmission: RFC 1661
   * section 5.1 demands a new identifier after a valid reply. While opened it gets its Ack again, not a renegotiation.
   */
  repeatedAck(request: ControlPacket): ControlPacket | undefined {
    const acked = this.#acked
    if (acked === undefined || acked.repeats >= MAX_REPEATED_ACKS) return undefined
    if (acked.request.identifier !== request.identifier || !equalBytes(acked.request.data, request.data))
      return undefined
    acked.repeats++
    return acked.reply
  }

  /** The peer does not know Configure-Nak: it gets Configure-Reject from now on. */
  rejectOnly(): void {
    this.#score = Math.max(this.#score, this.#limits.maxFailure * 2)
  }

  /** A new attempt begins. */
  forget(): void {
    this.#score = 0
    this.#refused = undefined
    this.#acked = undefined
  }

  /** RFC 1661 section 4.6, Max-Failure. */
  get #rejectsOnly(): boolean {
    return this.#score >= this.#limits.maxFailure * 2
  }

  /** A retransmission at leisure counts less: our answer was probably lost, the peer is not stubborn. */
  #countRefusal(now: Millis, { identifier }: ControlPacket): void {
    const last = this.#refused
    const retransmitted = last?.identifier === identifier && now - last.at >= this.#limits.restartTimer / 2
    this.#score += retransmitted ? 1 : 2
    this.#refused = { identifier, at: now }
  }
}
