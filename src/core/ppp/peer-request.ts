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

/** How often one Ack is repeated before the same request counts as a renegotiation after all; Max-Configure is mostly 10. */
const MAX_REPEATED_ACKS = 8
/** How often, and how soon after the Ack before (ms), the same options may come under another identifier instead. */
const MAX_RENEWED_ACKS = 3
const RENEWAL_WINDOW = 60_000

/** The request that we acknowledged last, and what became of that Ack. */
interface Acked {
  readonly reply: ControlPacket
  readonly at: Millis
  readonly renewals: number
  repeats: number
}

/** The peer's side of a negotiation: its Configure-Requests, our answers, and how long we go on refusing. */
export class PeerRequest {
  readonly #policy: OptionPolicy<unknown>
  readonly #limits: PppLimits
  /** 2 for each refusal, less for that of a retransmission. */
  #score = 0
  #refused: { readonly identifier: number; readonly at: Millis } | undefined
  #acked: Acked | undefined

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
  conclude(now: Millis, { reply, agreed }: Judgement): ControlPacket {
    if (agreed) {
      this.#policy.onAgreed(agreed)
      this.#acked = { reply, at: now, renewals: 0, repeats: 0 }
    }
    return reply
  }

  /**
   * While opened, the Ack for a request equal to the one that we acknowledged last. A peer that lacks nothing but our Ack
   * repeats its request, and a renegotiation would tear down what it has just agreed to. Under the same identifier it is
   * a copy or a retransmission: RFC 1661 section 5.1 demands a new one after a valid reply. Soon after the Ack it may
   * also bear a new one: the peer got an Ack while our own request was lost to it, and had to ask again (TO+ in
   * Ack-Rcvd).
   */
  repeatedAck(now: Millis, { identifier, data }: ControlPacket): ControlPacket | undefined {
    const acked = this.#acked
    if (acked === undefined || !equalBytes(acked.reply.data, data)) return undefined
    if (acked.reply.identifier === identifier)
      return acked.repeats++ < MAX_REPEATED_ACKS ? acked.reply : undefined
    if (acked.renewals >= MAX_RENEWED_ACKS || now - acked.at >= RENEWAL_WINDOW) return undefined
    const reply = { ...acked.reply, identifier }
    this.#acked = { reply, at: now, renewals: acked.renewals + 1, repeats: 0 }
    return reply
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
    this.#score += retransmitted ? 0.5 : 2
    this.#refused = { identifier, at: now }
  }
}
