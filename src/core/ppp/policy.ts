import type { PppOption } from './options.ts'

/** What we say to one option of the peer's Configure-Request. */
export type Verdict =
  | { readonly kind: 'ack' }
  /** Understood, but with another value please. */
  | { readonly kind: 'nak'; readonly suggestion: PppOption }
  /** Unknown, or not open to negotiation. */
  | { readonly kind: 'reject' }

/** The option is taken as it is. */
export const ack: Verdict = { kind: 'ack' }
/** The option is not known, or not to be talked about. */
export const reject: Verdict = { kind: 'reject' }
/** The option is taken with this value. */
export const nak = (suggestion: PppOption): Verdict => ({ kind: 'nak', suggestion })

/** The protocol-specific half of the RFC 1661 section 4 automaton; LCP, IPCP and IPV6CP supply one each. */
export interface OptionPolicy<Result> {
  /** PPP protocol number. */
  readonly protocol: number
  /** What our next Configure-Request asks for. */
  localOptions(): readonly PppOption[]
  /** The peer wants other values, or values for options that we did not send. */
  onNak(options: readonly PppOption[]): void
  /** The peer does not know these. */
  onReject(options: readonly PppOption[]): void
  /** Our request was sent this many times without an answer: something in it may be too much for the peer. */
  onSilence?(transmissions: number): void
  judge(option: PppOption): Verdict
  /** The peer's request was acknowledged: these are in force, and everything not among them has its default. */
  onAgreed(options: readonly PppOption[]): void
  /** Valid only in Opened. */
  result(): Result
}
