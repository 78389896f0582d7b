/** What SCCRQ, SCCRP and SCCCN say, and whether those of the peer are acceptable. RFC 2661 sections 5.1, 6.1 to 6.3. */
import { encodeUtf8, equalBytes } from '../bytes.ts'
import { violationStopCcn } from './cause.ts'
import { challengeResponse } from './challenge.ts'
import { GeneralError, StopCcnResult } from './codes.ts'
import {
  Framing,
  type MessageName,
  PROTOCOL_VERSION,
  type Scccn,
  type Sccrp,
  type Sccrq,
  type StopCcn,
} from './messages.ts'
import type { TunnelInput, TunnelStateName } from './tunnel-machine.ts'
import type { L2tpOptions, L2tpViolation, StopCcnReason } from './types.ts'

/** Why a message is not acceptable, and what the peer is told. */
export interface Objection {
  readonly violation: L2tpViolation
  readonly reason: StopCcnReason
}

/** Control messages that the peer may send ahead, unless configured. */
export const DEFAULT_RECEIVE_WINDOW = 8

const FIRMWARE_REVISION = 0x0100

/** The request that opens a tunnel; with a secret it carries `challenge`. */
export function makeSccrq(options: L2tpOptions, localId: number, challenge: Uint8Array | undefined): Sccrq {
  return { type: 'SCCRQ', ...startControl(options, localId, challenge) }
}

/** The reply to an acceptable request; `peerChallenge` is what that asked. */
export function makeSccrp(
  options: L2tpOptions,
  localId: number,
  challenge: Uint8Array | undefined,
  peerChallenge: Uint8Array | undefined,
): Sccrp {
  return {
    type: 'SCCRP',
    ...startControl(options, localId, challenge),
    ...respond(options, 'SCCRP', peerChallenge),
  }
}

/** The confirmation of an acceptable reply; `peerChallenge` is what that asked. */
export function makeScccn(options: L2tpOptions, peerChallenge: Uint8Array | undefined): Scccn {
  return { type: 'SCCCN', ...respond(options, 'SCCCN', peerChallenge) }
}

/** Undefined: acceptable. `challenge` is what our own message before it asked. */
export function judge(
  options: L2tpOptions,
  challenge: Uint8Array | undefined,
  message: Sccrq | Sccrp | Scccn,
): Objection | undefined {
  switch (message.type) {
    case 'SCCRQ':
      if (options.refuseTunnels) return { violation: 'refused', reason: options.refuseTunnels }
      return judgeVersion(message) ?? judgeChallenge(options, message)
    case 'SCCRP':
      return (
        judgeVersion(message) ??
        judgeResponse(options, challenge, message) ??
        judgeChallenge(options, message)
      )
    case 'SCCCN':
      return judgeResponse(options, challenge, message)
  }
}

/** The peer sent what has no place now. */
export function unexpected(type: string): Objection {
  return object('messageUnexpected', `unexpected ${type}`)
}

/** An objection with the Result Code that RFC 2661 has for it. */
export function object(
  violation: L2tpViolation,
  message: string,
  error: number = GeneralError.none,
): Objection {
  return { violation, reason: violationStopCcn(violation, error, message) }
}

function startControl(options: L2tpOptions, localId: number, challenge: Uint8Array | undefined) {
  return {
    protocolVersion: PROTOCOL_VERSION,
    framingCapabilities: Framing.sync | Framing.async,
    // We place no outgoing calls (RFC 2661 section 4.4.3, Bearer Capabilities).
    bearerCapabilities: 0,
    firmwareRevision: FIRMWARE_REVISION,
    hostName: encodeUtf8(options.hostName),
    vendorName: encodeUtf8(options.vendorName ?? 'lifeline'),
    assignedTunnelId: localId,
    receiveWindowSize: options.receiveWindow ?? DEFAULT_RECEIVE_WINDOW,
    ...(challenge && { challenge }),
  }
}

function respond(
  { secret, digests }: L2tpOptions,
  message: 'SCCRP' | 'SCCCN',
  challenge: Uint8Array | undefined,
): { challengeResponse?: Uint8Array } {
  if (!secret || !challenge) return {}
  return { challengeResponse: challengeResponse(digests, secret, message, challenge) }
}

function judgeVersion({ protocolVersion }: Sccrq | Sccrp): Objection | undefined {
  // The revision may be newer: only the version decides.
  if (protocolVersion >> 8 === PROTOCOL_VERSION >> 8) return undefined
  return object(
    'versionUnsupported',
    `protocol version ${protocolVersion >> 8}.${protocolVersion & 0xff}, we speak 1.0`,
  )
}

function judgeChallenge({ secret }: L2tpOptions, { challenge }: Sccrq | Sccrp): Objection | undefined {
  return challenge && !secret ? object('secretNeeded', 'no tunnel secret configured') : undefined
}

/** RFC 2661 section 5.1.1: with a response that is not the expected one the tunnel must be disallowed. */
function judgeResponse(
  { secret, digests }: L2tpOptions,
  challenge: Uint8Array | undefined,
  message: Sccrp | Scccn,
): Objection | undefined {
  if (!secret || !challenge) return undefined
  if (!message.challengeResponse) return object('challengeResponseMissing', 'Challenge Response missing')
  const expected = challengeResponse(digests, secret, message.type, challenge)
  if (equalBytes(expected, message.challengeResponse)) return undefined
  return object('challengeResponseWrong', 'Challenge Response wrong')
}

/** What ends a tunnel for a reason, by default because it is not wanted any more. RFC 2661 section 6.4. */
export function makeStopCcn(
  localId: number,
  { result, error, message }: StopCcnReason = { result: StopCcnResult.clear },
): StopCcn {
  const said = message === undefined ? undefined : encodeUtf8(message)
  return { type: 'StopCCN', assignedTunnelId: localId, result: { result, error, message: said } }
}

/** What each state waits for. */
export const EXPECTED: Readonly<Partial<Record<TunnelStateName, MessageName>>> = {
  idle: 'SCCRQ',
  waitCtlReply: 'SCCRP',
  waitCtlConn: 'SCCCN',
}

/** The input that a message is which is acceptable, or out of place. */
export const GOOD_INPUT = { SCCRQ: 'sccrq', SCCRP: 'sccrp', SCCCN: 'scccn' } as const
/** The input that an unacceptable one is. */
export const BAD_INPUT = { SCCRQ: 'sccrqBad', SCCRP: 'sccrpBad', SCCCN: 'scccnBad' } as const

/** The input that a message which could not be read is. */
export function badInput(type: MessageName | undefined): TunnelInput {
  return type === 'SCCRQ' || type === 'SCCRP' || type === 'SCCCN' ? BAD_INPUT[type] : 'invalid'
}
