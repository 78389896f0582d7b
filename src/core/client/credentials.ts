import { u8 } from '../bytes.ts'
import { chapCodes } from '../ppp/chap-packet.ts'
import { codes } from '../ppp/packet.ts'
import { decodeFrame, protocols } from '../ppp/protocol.ts'
import type { Millis } from '../time.ts'

/** RFC 1334 section 2.2.1 */
const AUTHENTICATE_REQUEST = 1

/** Since when the LNS has had what it needs to judge our login, as far as the frames of a session tell. */
export class Credentials {
  #sentAt: Millis | undefined

  /** Undefined while there is nothing to judge. */
  get sentAt(): Millis | undefined {
    return this.#sentAt
  }

  /** A frame of ours leaves. */
  sent(now: Millis, frame: Uint8Array): void {
    const { protocol, code } = kindOf(frame)
    // RFC 1994 section 4.1: who challenges again has not got the last answer.
    if (protocol === protocols.chap && code === chapCodes.response) this.#sentAt = now
    // The repetitions of PAP are ours, whether the first one has arrived or not.
    if (protocol === protocols.pap && code === AUTHENTICATE_REQUEST) this.#sentAt ??= now
  }

  /** A frame of the LNS has arrived. */
  received(frame: Uint8Array): void {
    const { protocol, code } = kindOf(frame)
    // RFC 1661 section 3.4: before LCP is open at its end too it reads no password.
    if (protocol === protocols.lcp && code === codes.configureRequest) this.#sentAt = undefined
  }
}

function kindOf(bytes: Uint8Array): { protocol?: number; code?: number } {
  const frame = decodeFrame(bytes)
  return frame.ok ? { protocol: frame.value.protocol, code: u8(frame.value.information, 0) } : {}
}
