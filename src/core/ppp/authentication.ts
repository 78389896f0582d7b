import type { Millis } from '../time.ts'
import type { AuthMethod } from './auth-option.ts'
import type { PppCause } from './types.ts'

/** How an authentication ended, for the side that carries it out. */
export type AuthOutcome =
  | { readonly kind: 'accepted'; readonly username: string; readonly message?: string }
  | { readonly kind: 'failed'; readonly cause: PppCause }

/** One side of PAP or CHAP. It lives on after its outcome: challenges and lost answers come up again later. */
export interface AuthDialogue {
  readonly method: AuthMethod
  /** PPP protocol number of its packets. */
  readonly protocol: number
  /** The client's name and password were sent. */
  readonly answered: boolean
  /** Of a retransmission. */
  readonly deadline: Millis | undefined
  start(now: Millis): void
  /** A packet of `protocol`. What is malformed or out of place is silently discarded. */
  receive(now: Millis, bytes: Uint8Array): AuthOutcome | undefined
  timeout(now: Millis): void
  /** The peer has gone on to the network phase: what its lost packet must have said, if that is enough. */
  overtaken(now: Millis): AuthOutcome | undefined
}

/** Transmits one packet of the dialogue's protocol. */
export type AuthSend = (packet: Uint8Array) => void
