/** The states of a control connection with their deadlines, and what it tells the endpoint around it. */
import type { Address } from '../endpoint.ts'
import type { Result } from '../result.ts'
import type { Millis } from '../time.ts'
import type { MessageError } from './message-decode.ts'
import type { ControlMessage, Sccrq } from './messages.ts'
import type { L2tpCause, L2tpEvent } from './types.ts'

/** Named as in tunnel-machine.ts; `until` is the deadline of the state. */
export type TunnelState =
  | { readonly name: 'idle' }
  | { readonly name: 'waitCtlReply'; readonly until: Millis; readonly challenge: Uint8Array | undefined }
  | {
      readonly name: 'waitCtlConn'
      readonly until: Millis
      readonly challenge: Uint8Array | undefined
      readonly request: Sccrq
    }
  | { readonly name: 'established' }
  /** `until`: the end of waiting for an answer that is late. */
  | { readonly name: 'abandoned'; readonly until: Millis }
  /** `told`: the peer knows, or was given up. `until`: the end of acknowledging. */
  | { readonly name: 'stopped'; readonly told: boolean; readonly until: Millis | undefined }

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
  tunnelClosed(cause: L2tpCause): void
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
