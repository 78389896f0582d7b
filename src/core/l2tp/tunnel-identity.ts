/** Which control packets belong to a tunnel. RFC 2661 sections 3.1 and 4.4.3 (Assigned Tunnel ID, Tie Breaker). */
import type { Result } from '../result.ts'
import type { ControlPacket } from './header.ts'
import type { DecodedMessage, MessageError } from './message-decode.ts'
import type { TunnelStateName } from './tunnel-machine.ts'

/** `tieWinner`: the peer's own SCCRQ, which takes precedence over ours. */
export type Belonging = 'ours' | 'foreign' | 'tieWinner'

/** By what a tunnel is known. */
export interface TunnelIds {
  readonly local: number
  /** 0: not assigned yet. */
  readonly peer: number
  /** Whether an SCCRQ out of the blue is welcome (LNS). */
  readonly mayAnswer: boolean
}

/**
 * Whether a packet is for the tunnel with these ids. A header with tunnel id 0 comes from a peer that does not know
 * ours: then its Assigned Tunnel ID tells. What is foreign is dropped without an answer.
 */
export function belonging(
  packet: ControlPacket,
  state: TunnelStateName,
  ids: TunnelIds,
  decode: (body: Uint8Array) => Result<DecodedMessage, MessageError>,
): Belonging {
  if (packet.tunnel !== 0) return packet.tunnel === ids.local && state !== 'idle' ? 'ours' : 'foreign'
  if (packet.body.length === 0) return 'foreign'
  const decoded = decode(packet.body)
  const { type } = decoded.ok ? decoded.value : decoded.error
  switch (state) {
    case 'idle':
      return type === 'SCCRQ' && ids.mayAnswer ? 'ours' : 'foreign'
    case 'waitCtlReply':
      // Our SCCRQ has no Tie Breaker, so one that has it wins. Without any, the peer asks for a second tunnel: not here.
      return decoded.ok && decoded.value.type === 'SCCRQ' && decoded.value.tieBreaker && packet.ns === 0
        ? 'tieWinner'
        : 'foreign'
    case 'abandoned':
      return 'foreign'
    case 'waitCtlConn':
    case 'established':
    case 'stopped': {
      // The SCCRQ that made this tunnel, repeated; or a StopCCN behind it from a peer that got no SCCRP.
      const assigned = decoded.ok ? assignedTunnelId(decoded.value) : decoded.error.assignedTunnelId
      const early = type === 'SCCRQ' || type === 'StopCCN'
      return early && ids.peer !== 0 && assigned === ids.peer ? 'ours' : 'foreign'
    }
  }
}

/** The id that an SCCRP for a tunnel of ours, of id `local`, assigns; undefined for any other packet. */
export function lateAnswer(
  packet: ControlPacket,
  local: number,
  decode: (body: Uint8Array) => Result<DecodedMessage, MessageError>,
): number | undefined {
  if (packet.tunnel !== local || packet.body.length === 0) return undefined
  const decoded = decode(packet.body)
  const { type, assignedTunnelId: assigned } = decoded.ok
    ? { type: decoded.value.type, assignedTunnelId: assignedTunnelId(decoded.value) }
    : decoded.error
  return type === 'SCCRP' && assigned ? assigned : undefined
}

function assignedTunnelId(message: DecodedMessage): number | undefined {
  return 'assignedTunnelId' in message ? message.assignedTunnelId : undefined
}
