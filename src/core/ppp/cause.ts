import { unreachable } from '../result.ts'
import type { ControlProtocolName, NegotiationFailure, NetworkFailure } from './types.ts'

/** Why an option automaton gave up, in words that follow a colon. */
export function negotiationMessage(why: NegotiationFailure): string {
  switch (why) {
    case 'timeout':
      return 'the LNS does not answer'
    case 'peerInsists':
      return 'the LNS insists on something that we refuse'
    case 'peerRefuses':
      return 'the LNS refuses all that we ask for'
    case 'rejected':
      return 'the LNS does not have it'
    case 'unstable':
      return 'it was opened and closed again too often'
    case 'terminated':
      return 'the LNS closed it'
    case 'noAddress':
      return 'the LNS gave us no address'
    case 'off':
      return 'it is off here (option ipv6)'
    case 'smallPackets':
      return 'it needs packets of 1280 octets, and the LNS takes or sends no such'
    default:
      return unreachable(why)
  }
}

/** What a user calls what the protocol negotiates. */
export const negotiated: Readonly<Record<ControlProtocolName, string>> = {
  LCP: 'PPP',
  IPCP: 'IPv4',
  IPV6CP: 'IPv6',
}

/** Why a network protocol is not open, fit to follow its name and a colon. */
export function networkFailureMessage({ why, refused }: Omit<NetworkFailure, 'protocol'>): string {
  return refused ? `the LNS gave us ${refused.address}, which ${refused.why}` : negotiationMessage(why)
}
