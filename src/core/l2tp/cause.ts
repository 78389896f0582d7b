/** Why a tunnel or session ended: building causes, and saying them in words. RFC 2661 section 4.4.2. */
import { printable } from '../bytes.ts'
import { quote } from '../quote.ts'
import { CdnResult, cdnWords, errorWords, GeneralError, StopCcnResult, stopCcnWords } from './codes.ts'
import { type Cdn, PROTOCOL_VERSION, type StopCcn } from './messages.ts'
import type {
  AwaitedMessage,
  CdnReason,
  L2tpCause,
  L2tpPhase,
  L2tpViolation,
  StopCcnReason,
} from './types.ts'

type Scope = L2tpCause['scope']

/** We ended it with a command. */
export function localCause(scope: Scope, phase: L2tpPhase, reason: StopCcnReason | CdnReason): L2tpCause {
  return { by: 'local', scope, phase, ...sent(reason) }
}

/** The peer broke the rules; `reason` is what it was told. */
export function protocolCause(
  scope: Scope,
  phase: L2tpPhase,
  violation: L2tpViolation,
  reason: StopCcnReason | CdnReason,
): L2tpCause {
  return { by: 'protocol', scope, phase, violation, ...sent(reason) }
}

/** The peer did not go on. */
export function timeoutCause(
  scope: Scope,
  phase: L2tpPhase,
  awaited: AwaitedMessage,
  transmissions: number,
): L2tpCause {
  return { by: 'timeout', scope, phase, awaited, transmissions }
}

/** The peer ended it, with as much of a Result Code as was readable. */
export function peerCause(phase: L2tpPhase, message: StopCcn | Cdn): L2tpCause {
  const { result } = message
  const q931 = message.type === 'CDN' ? message.q931 : undefined
  return {
    by: 'peer',
    scope: message.type === 'CDN' ? 'session' : 'tunnel',
    phase,
    result: result?.result,
    error: result?.error,
    message: text(result?.message),
    q931: q931 && { cause: q931.cause, message: text(q931.advisory) },
  }
}

/** What the peer is told when it breaks the rules of the control connection. `error` is that of the faulty message. */
export function violationStopCcn(violation: L2tpViolation, error: number, message: string): StopCcnReason {
  switch (violation) {
    case 'challengeResponseMissing':
    case 'challengeResponseWrong':
    case 'secretNeeded':
      return { result: StopCcnResult.notAuthorized, error: GeneralError.none, message }
    case 'versionUnsupported':
      // RFC 2661 section 4.4.2: the error code tells the highest version supported.
      return { result: StopCcnResult.versionUnsupported, error: PROTOCOL_VERSION, message }
    case 'messageUnexpected':
      return { result: StopCcnResult.stateMachineError, error: GeneralError.none, message }
    case 'avpMissing':
    case 'avpMalformed':
    case 'avpUnknown':
    case 'avpUnreadable':
    case 'messageUnknown':
    case 'refused':
      return { result: StopCcnResult.generalError, error, message }
  }
}

/** What the peer is told when it breaks the rules of a session. */
export function violationCdn(error: number, message: string): CdnReason {
  return { result: CdnResult.generalError, error, message }
}

/** One sentence, without a full stop, that says who ended what, when and why; codes in parentheses. */
export function describeCause(cause: L2tpCause): string {
  const what = cause.scope === 'tunnel' ? 'tunnel' : 'session'
  switch (cause.by) {
    case 'local':
      return `we closed the ${what} ${PHASE_WORDS[cause.phase]}${codes(cause)}`
    case 'peer':
      return `the peer closed the ${what} ${PHASE_WORDS[cause.phase]}${codes(cause)}${q931Words(cause.q931)}`
    case 'timeout':
      return cause.awaited === 'acknowledgement'
        ? `the peer did not answer ${PHASE_WORDS[cause.phase]} (${times(cause.transmissions)})`
        : `the peer never sent ${cause.awaited} ${PHASE_WORDS[cause.phase]}`
    case 'protocol':
      return AUTHENTICATION.has(cause.violation) || cause.message === undefined
        ? VIOLATION_WORDS[cause.violation]
        : `${VIOLATION_WORDS[cause.violation]} ${PHASE_WORDS[cause.phase]}: ${cause.message}`
  }
}

/** The peer wants us at another LNS, now or as a rule (RFC 2661 section 4.4.2). */
export function asksForAnother({ result, error }: Extract<L2tpCause, { by: 'peer' }>): boolean {
  return result === CdnResult.generalError && error === GeneralError.tryAnother
}

/** What the peer itself gave as its reason, with codes in parentheses. */
export function peerReason(cause: Extract<L2tpCause, { by: 'peer' }>): string {
  const words = `${codes(cause)}${q931Words(cause.q931)}`
  return words === '' ? 'it gave no reason' : words.slice(2)
}

const PHASE_WORDS: Readonly<Record<L2tpPhase, string>> = {
  opening: 'while the tunnel was being opened',
  open: 'while the tunnel was open',
  calling: 'while the call was being set up',
  established: 'while the session was up',
}

const VIOLATION_WORDS: Readonly<Record<L2tpViolation, string>> = {
  challengeResponseMissing: 'the peer did not answer our challenge: the tunnel secret is not set there',
  challengeResponseWrong: 'the peer answered our challenge wrongly: the tunnel secrets differ',
  secretNeeded: 'the peer asks for a tunnel secret, and none is configured here',
  versionUnsupported: 'the peer speaks another version of the protocol',
  avpMissing: 'the peer left out a required attribute',
  avpMalformed: 'the peer sent a malformed attribute',
  avpUnknown: 'the peer sent an unknown mandatory attribute',
  avpUnreadable: 'the peer sent a hidden attribute that cannot be read',
  messageUnknown: 'the peer sent an unknown mandatory message',
  messageUnexpected: 'the peer sent a message out of sequence',
  refused: 'we refused what the peer asked for',
}

/** Violations that say everything already. */
const AUTHENTICATION: ReadonlySet<L2tpViolation> = new Set([
  'challengeResponseMissing',
  'challengeResponseWrong',
  'secretNeeded',
])

type Codes = Pick<Extract<L2tpCause, { by: 'peer' }>, 'scope' | 'result' | 'error' | 'message'>

function codes({ scope, result, error, message }: Codes): string {
  const quoted = quote(message)
  if (result === undefined) return quoted === '' ? '' : `: ${quoted}`
  const text = quoted === '' ? '' : `, ${quoted}`
  const label = scope === 'tunnel' ? 'StopCCN' : 'CDN'
  const words = scope === 'tunnel' ? stopCcnWords(result) : cdnWords(result)
  // With StopCCN 5 the error field is the highest version that the sender supports, no error code.
  const isVersion = scope === 'tunnel' && result === StopCcnResult.versionUnsupported
  const more = error === undefined || error === 0 || isVersion ? '' : `, ${errorWords(error)}`
  const number = error === undefined || error === 0 ? `${result}` : `${result}/${error}`
  return `: ${words}${more}${text} (${label} ${number})`
}

function q931Words(q931: Extract<L2tpCause, { by: 'peer' }>['q931']): string {
  if (!q931) return ''
  const quoted = quote(q931.message)
  const text = quoted === '' ? '' : `, ${quoted}`
  return ` (Q.931 cause ${q931.cause}${text})`
}

function times(transmissions: number): string {
  return transmissions === 1 ? 'sent once' : `sent ${transmissions} times`
}

function sent({ result, error, message }: StopCcnReason | CdnReason) {
  return { result, error, message }
}

/** Printable text without padding; undefined if there is none. */
function text(bytes: Uint8Array | undefined): string | undefined {
  const shown = printable((bytes ?? new Uint8Array()).filter((octet) => octet !== 0)).trim()
  return shown === '' ? undefined : shown
}
