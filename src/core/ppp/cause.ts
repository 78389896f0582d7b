import type { AuthMethod } from '../config/types.ts'
import { unreachable } from '../result.ts'
import type { NegotiationFailure, PppCause } from './types.ts'

/** What happened, in a sentence for a user, beginning with a small letter and without a full stop. */
export function pppCauseMessage(cause: PppCause): string {
  switch (cause.code) {
    case 'authFailed':
      return `the LNS refused user name or password (${methodNames[cause.method]})${cause.reason === undefined ? '' : `: ${cause.reason}`}${said(cause.message)}`
    case 'authUnacceptable':
      return `the LNS insists on ${cause.demanded.map(({ name }) => name).join(', ')}, but only ${allowed(cause.allowed)} allowed here (option auth)`
    case 'authTimeout':
      return cause.answered
        ? `the LNS has not decided about user name and password (${methodNames[cause.method]}): its RADIUS server may be down`
        : `the LNS announced ${methodNames[cause.method]} authentication, but never asked for the password`
    case 'peerNotGenuine':
      return 'the LNS accepted the password but could not prove that it knows it (MS-CHAPv2): it may not be the real one'
    case 'peerTerminated':
      return cause.afterPassword
        ? `the LNS closed the session right after the password was sent: user name or password is probably wrong${said(cause.message)}`
        : `the LNS closed the session${said(cause.message)}`
    case 'echoTimeout':
      return `nothing has arrived from the LNS for ${(cause.silence / 1000).toFixed(0)} s`
    case 'negotiationFailed':
      return `${cause.protocol} negotiation failed: ${failures[cause.why]}`
    case 'noNetworkProtocol':
      return `neither IPv4 nor IPv6 could be agreed on with the LNS (${cause.why
        .map(({ protocol, why }) => `${protocol}: ${failures[why]}`)
        .join('; ')})`
    case 'loopback':
      return 'the session is looped back: we receive our own packets'
    case 'localClose':
      return cause.reason === undefined ? 'the session was closed here' : `closed here: ${cause.reason}`
    case 'lowerDown':
      return cause.afterPassword
        ? 'the LNS closed the session right after the password was sent: user name or password is probably wrong'
        : 'the tunnel under the session is gone'
    default:
      return unreachable(cause)
  }
}

/** The methods' usual names. */
const methodNames: Readonly<Record<AuthMethod, string>> = { chap: 'CHAP', mschapv2: 'MS-CHAPv2', pap: 'PAP' }

const failures: Readonly<Record<NegotiationFailure, string>> = {
  timeout: 'the LNS does not answer',
  peerInsists: 'the LNS insists on something that we refuse',
  peerRefuses: 'the LNS refuses all that we ask for',
  rejected: 'the LNS does not have it',
  unstable: 'it was opened and closed again too often',
  terminated: 'the LNS closed it',
  noAddress: 'the LNS gave us no address',
}

function allowed(methods: readonly AuthMethod[]): string {
  return `${methods.map((method) => methodNames[method]).join(' and ')} ${methods.length === 1 ? 'is' : 'are'}`
}

function said(message: string | undefined): string {
  return message === undefined || message === '' ? '' : `; it says: ${message}`
}
