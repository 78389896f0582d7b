/** The states of a control connection with their deadlines, and what it tells the endpoint around it. */
import type { Address } from '../endpoint.ts'
import type { Result } from '../result.ts'
import { after, type Millis, millis } from '../time.ts'
import type { MessageError } from './message-decode.ts'
import { type ControlMessage, Framing, type Sccrq } from './messages.ts'
import type { TunnelStateName } from './tunnel-machine.ts'
import type { L2tpCause, L2tpEvent } from './types.ts'

/**
 * RFC 2661 section 5.7: repetitions of the peer's last words are acknowledged for a full retransmission cycle. An answer
 * to an abandoned SCCRQ is awaited as long.
 */
export const LINGER = millis(31_000)

/** Named as in tunnel-machine.ts; `until` is the deadline of the state. */
export type TunnelState =
  | { readonly name: 'idle' }
  | { readonly name: 'waitCtlReply'; readonly until: Millis; readonly challenge: Uint8Array | undefined }
  | { readonly name: 'waitCtlConn'; readonly until: Millis; readonly challenge: Uint8Array | undefined }
  | { readonly name: 'established' }
  /** `until`: the end of waiting for an answer that is late. */
  | { readonly name: 'abandoned'; readonly until: Millis }
  /** `told`: the peer knows, or was given up. `until`: the end of acknowledging. */
  | { readonly name: 'stopped'; readonly told: boolean; readonly until: Millis | undefined }

/** A state at its beginning. `answer`: how long the peer's next step is awaited; `challenge` makes what it is asked. */
export function enteredState(
  now: Millis,
  name: TunnelStateName,
  answer: Millis,
  challenge: () => Uint8Array | undefined,
): TunnelState {
  switch (name) {
    case 'idle':
    case 'established':
      return { name }
    case 'waitCtlReply':
    case 'waitCtlConn':
      return { name, until: after(now, answer), challenge: challenge() }
    case 'abandoned':
      return { name, until: after(now, LINGER) }
    case 'stopped':
      return { name, told: false, until: undefined }
  }
}

/** What SCCRQ or SCCRP tells of its sender. */
export type Introduction = Omit<Sccrq, 'type' | 'assignedTunnelId' | 'protocolVersion' | 'tieBreaker'>

/** A peer that has told nothing yet. */
export const STRANGER: Introduction = { hostName: new Uint8Array(), framingCapabilities: Framing.sync }

/** A message of a session, or why it could not be read. `session` is the id in its header. */
export interface SessionMessage {
  readonly session: number
  readonly content: Result<ControlMessage, MessageError>
}

/** Whom the tunnel tells. */
export interface TunnelListener {
  emit(event: L2tpEvent): void
  /** Waiting calls may start. */
  tunnelOpened(now: Millis): void
  tunnelClosed(now: Millis, cause: L2tpCause): void
  sessionMessage(now: Millis, message: SessionMessage): void
}

/** Both ends of the tunnel as known so far; ids are 0 until they are. */
export interface TunnelEnds {
  readonly localId: number
  readonly peerId: number
  readonly peer: Address
  /** Framing Capabilities of the peer. */
  readonly peerFraming: number
}
