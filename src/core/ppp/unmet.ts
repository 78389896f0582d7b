/** What the peer asked for and did not get: the likely reason if it gives up. */

import { after, type Millis } from '../time.ts'
import type { AuthConsent, AuthMethod } from './auth-option.ts'
import { decodeOptions } from './options.ts'
import { codes, decodePacket } from './packet.ts'
import { type PppFrame, protocols } from './protocol.ts'
import type { Declined, PppCause } from './types.ts'

/** How long after it was declined something counts as the reason, in ms: peers ask three times and more. */
const RECENT = 10_000
/** RFC 3078 section 2: the option of CCP that negotiates MPPE. */
const MPPE = 18

/** What a peer asked for and was declined, as far as it explains why it then ends the link. */
export class Unmet {
  readonly #consent: AuthConsent
  readonly #allowed: readonly AuthMethod[]
  readonly #ipv6: Declined
  readonly #declined = new Map<Declined, Millis>()

  /** What configuration allows: these methods of authentication, and IPv6 or not. */
  constructor(
    consent: AuthConsent,
    allowed: { readonly auth: readonly AuthMethod[]; readonly ipv6: boolean },
  ) {
    this.#consent = consent
    this.#allowed = allowed.auth
    this.#ipv6 = allowed.ipv6 ? 'ipv6Packets' : 'ipv6'
  }

  /** A frame of a protocol that we do not speak gets a Protocol-Reject. */
  declined(now: Millis, frame: PppFrame): void {
    const what = this.#declinedBy(frame)
    if (what !== undefined) this.#declined.set(what, now)
  }

  /** Why the link ended, where it was the peer that ended it and did not say, or not in words that help. */
  exactly(now: Millis, cause: PppCause): PppCause {
    const { refused } = this.#consent
    switch (cause.code) {
      case 'negotiationFailed':
      case 'noNetworkProtocol':
      case 'peerTerminated':
      case 'lowerDown':
        // Whatever phase it is: the peer has not been content with anything since.
        if (refused.length > 0) return { code: 'authUnacceptable', demanded: refused, allowed: this.#allowed }
    }
    if (cause.code !== 'peerTerminated' && cause.code !== 'lowerDown') return cause
    const recent = [...this.#declined].filter(([, at]) => now < after(at, RECENT)).map(([what]) => what)
    return recent.length === 0 ? cause : { ...cause, declined: recent }
  }

  #declinedBy({ protocol, information }: PppFrame): Declined | undefined {
    if (protocol === protocols.ipv6cp) return this.#ipv6
    if (protocol === protocols.ecp) return 'ecp'
    return protocol === protocols.ccp && asksForMppe(information) ? 'mppe' : undefined
  }
}

/** Compression is a favour; encryption is mostly meant. */
function asksForMppe(information: Uint8Array): boolean {
  const packet = decodePacket(information)
  if (!packet.ok || packet.value.code !== codes.configureRequest) return false
  const options = decodeOptions(packet.value.data)
  return options.ok && options.value.some(({ type }) => type === MPPE)
}
