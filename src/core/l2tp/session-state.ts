/** One session as its tunnel keeps it. RFC 2661 sections 5.2 to 5.4. */
import { printable } from '../bytes.ts'
import type { Millis } from '../time.ts'
import type { MessageError } from './message-decode.ts'
import type { ControlMessage, Iccn, Icrq, MessageName } from './messages.ts'
import type { SessionInput } from './session-machine.ts'
import type { CallInfo, L2tpPhase } from './types.ts'

/** A session in idle. */
export function newSession(id: number, peerId = 0): Session {
  return {
    id,
    peerId,
    state: { name: 'idle' },
    indicated: undefined,
    connected: undefined,
    sequencing: false,
    sequencingRequired: false,
    ns: 0,
  }
}

/** Named as in session-machine.ts; `until` is the deadline of the state. */
export type SessionState =
  | { readonly name: 'idle' }
  | { readonly name: 'waitTunnel' }
  | { readonly name: 'waitReply'; readonly until: Millis }
  | { readonly name: 'waitConnect'; readonly until: Millis }
  | { readonly name: 'established' }

/** A call, from its first message to its last. */
export interface Session {
  readonly id: number
  state: SessionState
  /** 0 until the peer has assigned it. */
  peerId: number
  /** LNS: what the LAC said of the call, at its beginning and when it was connected. */
  indicated: Icrq | undefined
  connected: Iccn | undefined
  /** Data messages that we send are numbered. */
  sequencing: boolean
  /** The Sequencing Required AVP was used: numbering is never turned off. */
  sequencingRequired: boolean
  /** Ns of the next data message. */
  ns: number
}

/** The input that a faulty message of that type makes. */
export function badInput(type: MessageName | undefined): SessionInput {
  switch (type) {
    case 'ICRQ':
      return 'icrqBad'
    case 'ICRP':
      return 'icrpBad'
    case 'ICCN':
      return 'iccnBad'
    default:
      return 'invalid'
  }
}

/** How far a session has come. */
export function phaseOf({ state }: Session): L2tpPhase {
  switch (state.name) {
    case 'idle':
    case 'waitTunnel':
      return 'opening'
    case 'waitReply':
    case 'waitConnect':
      return 'calling'
    case 'established':
      return 'established'
  }
}

/** What a LAC said of a call; undefined at the LAC itself. */
export function callInfo({ indicated, connected }: Session): CallInfo | undefined {
  if (!indicated || !connected) return undefined
  const { callSerialNumber, callingNumber, calledNumber } = indicated
  return {
    serialNumber: callSerialNumber,
    callingNumber: callingNumber && printable(callingNumber),
    calledNumber: calledNumber && printable(calledNumber),
    txSpeed: connected.txConnectSpeed,
    rxSpeed: connected.rxConnectSpeed,
  }
}

/** The session id that the sender of a message assigned, where it names one. */
export function assignedId(content: ControlMessage | MessageError): number | undefined {
  return 'assignedSessionId' in content ? content.assignedSessionId : undefined
}
