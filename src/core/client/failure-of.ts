import type { Failure } from '../failure.ts'
import { asksForAnother, describeCause, peerReason } from '../l2tp/cause.ts'
import { StopCcnResult } from '../l2tp/codes.ts'
import type { AwaitedMessage, L2tpCause } from '../l2tp/types.ts'
import { negotiated, negotiationMessage, networkFailureMessage } from '../ppp/cause.ts'
import type { Declined, PppCause } from '../ppp/types.ts'
import type { Millis } from '../time.ts'

/** What was known of a call when it ended: LNSes give one and the same code for many things (CDN result 3). */
export interface CallHistory {
  readonly server: string
  /** A tunnel secret is configured. */
  readonly secret: boolean
  /** Since when the LNS has had our password, or the answer to its challenge, to judge; undefined if it has not. */
  readonly credentialsSentAt: Millis | undefined
  readonly authenticated: boolean
  /** A network protocol was open at some time. */
  readonly wasUp: boolean
  /** What we had just told the LNS that we do not do. */
  readonly declined?: readonly Declined[]
}

/** An LNS that closes this much later than the password came did not refuse it: it got no verdict itself. In ms. */
const VERDICT_LIMIT = 3_000

/** Why the tunnel or session ended, in terms of what a user can do about it. */
export function failureOfL2tp(now: Millis, cause: L2tpCause, history: CallHistory): Failure | undefined {
  const { server, secret } = history
  switch (cause.by) {
    case 'local':
      return undefined
    case 'timeout':
      if (cause.awaited !== 'acknowledgement') return failureOfOmission(cause.scope, cause.awaited)
      if (cause.scope === 'tunnel' && cause.phase === 'opening')
        return { code: 'no_answer', server, ...(secret ? { secret } : {}) }
      return { code: 'tunnel_lost' }
    case 'protocol':
      switch (cause.violation) {
        case 'challengeResponseMissing':
          return { code: 'secret_unproved' }
        case 'challengeResponseWrong':
          return { code: 'secret_wrong' }
        case 'secretNeeded':
          return { code: 'secret_needed' }
        default:
          return { code: 'protocol_error', reason: describeCause(cause) }
      }
    case 'peer':
      if (asksForAnother(cause)) return { code: 'try_another', server, ...peerMessage(cause.message) }
      return cause.scope === 'tunnel' ? failureOfStopCcn(cause, history) : failureOfCdn(now, cause, history)
  }
}

/** An LNS that acknowledges is neither down nor out of reach, whatever keeps it from going on. */
function failureOfOmission(scope: L2tpCause['scope'], awaited: AwaitedMessage): Failure {
  const never = (asked: string) => `it is there, but never answered the ${asked} (no ${awaited} came)`
  return scope === 'tunnel'
    ? { code: 'tunnel_refused', reason: never('request') }
    : { code: 'session_refused', reason: never('call') }
}

type PeerCause = Extract<L2tpCause, { by: 'peer' }>

function failureOfStopCcn(cause: PeerCause, { secret }: CallHistory): Failure {
  // Without a secret it is some other rule of the LNS that we are not authorized.
  if (secret && cause.phase === 'opening' && cause.result === StopCcnResult.notAuthorized)
    return { code: 'secret_wrong' }
  const reason = peerReason(cause)
  return cause.phase === 'opening' ? { code: 'tunnel_refused', reason } : { code: 'tunnel_closed', reason }
}

function failureOfCdn(now: Millis, cause: PeerCause, history: CallHistory): Failure {
  const reason = peerReason(cause)
  if (history.declined) return { code: 'declined', what: history.declined, ...peerMessage(cause.message) }
  if (history.wasUp || history.authenticated) return { code: 'session_closed', reason }
  if (history.credentialsSentAt !== undefined) {
    if (now - history.credentialsSentAt >= VERDICT_LIMIT) return { code: 'auth_silent' }
    return cause.message === undefined
      ? { code: 'auth_closed' }
      : { code: 'auth_closed', reason: cause.message }
  }
  return cause.phase === 'established'
    ? { code: 'session_closed', reason }
    : { code: 'session_refused', reason }
}

/**
 * Whether an LNS that ends things below PPP may do so for what PPP found out. One that is shut down or does not answer
 * any more has other reasons.
 */
export function mayBeAboutPpp(cause: L2tpCause): boolean {
  if (cause.by !== 'peer' || asksForAnother(cause)) return false
  return cause.scope === 'session' || cause.result !== StopCcnResult.shuttingDown
}

/** The same for a PPP link that ended by itself; undefined where we closed it or the layer below went away. */
export function failureOfPpp(cause: PppCause): Failure | undefined {
  switch (cause.code) {
    case 'localClose':
    case 'lowerDown':
      return undefined
    case 'authFailed':
      return {
        code: 'auth_failed',
        method: cause.method,
        ...(cause.reason === undefined ? {} : { reason: cause.reason }),
        ...peerMessage(cause.message),
      }
    case 'authUnacceptable':
      return {
        code: 'auth_method',
        asked: cause.demanded.map(({ name }) => name),
        allowed: cause.allowed,
        allowable: cause.demanded.some(({ method }) => method !== undefined),
      }
    case 'authTimeout':
      return { code: 'auth_silent' }
    case 'peerNotGenuine':
      return { code: 'auth_impostor' }
    case 'peerTerminated':
      if (cause.afterPassword) {
        return cause.message === undefined
          ? { code: 'auth_closed' }
          : { code: 'auth_closed', reason: cause.message }
      }
      if (cause.declined) return { code: 'declined', what: cause.declined, ...peerMessage(cause.message) }
      return { code: 'terminated', ...peerMessage(cause.message) }
    case 'echoTimeout':
      return { code: 'silent', seconds: Math.round(cause.silence / 1000) }
    case 'negotiationFailed':
      if (cause.protocol === 'LCP' && cause.why === 'timeout') return { code: 'lcp_silent' }
      return { code: 'lcp_disagreed', reason: negotiationMessage(cause.why) }
    case 'noNetworkProtocol':
      return {
        code: 'no_network',
        reason: cause.why
          .map((failure) => `${negotiated[failure.protocol]}: ${networkFailureMessage(failure)}`)
          .join('; '),
      }
    case 'loopback':
      return { code: 'looped_back' }
  }
}

function peerMessage(message: string | undefined): { peerMessage?: string } {
  return message === undefined ? {} : { peerMessage: message }
}
