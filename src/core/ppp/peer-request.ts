import { equalBytes } from '../bytes.ts'
import type { Millis } from '../time.ts'
import { decodeOptions, encodeOptions, type PppOption } from './options.ts'
import { type ControlPacket, codes } from './packet.ts'
import { type OptionPolicy, reject, type Verdict } from './policy.ts'
import type { RepeatedAcks } from './repeated-acks.ts'
import type { PppLimits } from './types.ts'

/** What the peer's Configure-Request deserves. `agreed` is undefined if something in it was refused. */
export interface Judgement {
  readonly reply: ControlPacket
  readonly agreed: readonly PppOption[] | undefined
  /** We have refused so often that the peer will never give in. */
  readonly insists: boolean
}

/** How often a copy of a request gets what the request got; who never changes its identifier wants to hear more. */
const MAX_SAME_VERDICTS = 2

/** What the policy said to a request that was refused. */
interface Refused {
  readonly identifier: number
  readonly data: Uint8Array
  readonly verdicts: readonly Verdict[]
  readonly at: Millis
  /** How many came after it. */
  readonly copies: number
}

/** The peer's side of a negotiation: its Configure-Requests, our answers, and how long we go on refusing. */
export class PeerRequest {
  readonly #policy: OptionPolicy<unknown>
  readonly #limits: PppLimits
  readonly #acks: RepeatedAcks
  /** 2 for each refusal, less for that of a retransmission. */
  #score = 0
  #refused: Refused | undefined

  constructor(policy: OptionPolicy<unknown>, limits: PppLimits, acks: RepeatedAcks) {
    this.#policy = policy
    this.#acks = acks
    this.#limits = limits
  }

  /** RFC 1661 sections 5.2 to 5.4: Reject before Nak before Ack. Undefined if the options are malformed. */
  judge(now: Millis, request: ControlPacket): Judgement | undefined {
    const options = decodeOptions(request.data)
    if (!options.ok) return undefined
    const rejects: PppOption[] = []
    const naks: PppOption[] = []
    const verdicts = this.#verdicts(request, options.value)
    for (const [index, option] of options.value.entries()) {
      const verdict = verdicts[index] ?? reject
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
    this.#countRefusal(now, request, verdicts)
    return { reply: refusal, agreed: undefined, insists: this.#score > this.#limits.maxFailure * 4 }
  }

  /** The answer to send now; what an Ack agrees to is in force with it. */
  conclude({ reply, agreed }: Judgement): ControlPacket {
    if (agreed) {
      this.#policy.onAgreed(agreed)
      this.#acks.acked(reply)
    }
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
    this.#acks.forget()
  }

  /** RFC 1661 section 4.6, Max-Failure. */
  get #rejectsOnly(): boolean {
    return this.#score >= this.#limits.maxFailure * 2
  }

  /** A copy of a request is told what the request was: with another suggestion the peer would have had two to choose from. */
  #verdicts({ identifier, data }: ControlPacket, options: readonly PppOption[]): readonly Verdict[] {
    const known = this.#refused
    const same = known?.identifier === identifier && equalBytes(known.data, data)
    if (known && same && known.copies < MAX_SAME_VERDICTS) return known.verdicts
    return options.map((option) => this.#policy.judge(option))
  }

  /** A retransmission at leisure counts less: our answer was probably lost, the peer is not stubborn. */
  #countRefusal(now: Millis, { identifier, data }: ControlPacket, verdicts: readonly Verdict[]): void {
    const last = this.#refused
    const retransmitted = last?.identifier === identifier && now - last.at >= this.#limits.restartTimer / 2
    this.#score += retransmitted ? 0.5 : 2
    const copies = last?.verdicts === verdicts ? last.copies + 1 : 0
    this.#refused = { identifier, data: data.slice(), verdicts, at: now, copies }
  }
}
