/** LCP's Link Maintenance packets (RFC 1661 section 5): echoes both ways, and rejects. They count in Opened alone. */
import { ByteWriter, concat, u16, u32 } from '../bytes.ts'
import type { Millis } from '../time.ts'
import { EchoMonitor, type EchoNews } from './echo.ts'
import type { LcpTerms } from './lcp.ts'
import { type ControlPacket, codes, encodePacket, PACKET_HEADER_LENGTH } from './packet.ts'
import type { PppFrame } from './protocol.ts'
import { RejectBudget } from './reject-budget.ts'

/** What Link Maintenance needs of the link. */
export interface MaintenanceUser {
  /** Transmits an LCP packet. */
  send(packet: Uint8Array): void
  /** A fresh identifier. */
  identifier(): number
  terms(): LcpTerms
}

/** Protocol-Rejects, Code-Rejects, and Terminate-Acks of closed protocols, per second. */
const REJECTS_PER_SECOND = 10
/** Our own Echo-Requests that come back in a row before the link counts as looped. */
const MAX_OWN_ECHOES = 3
const MAGIC_LENGTH = 4

/**
 * What an open link says beside its negotiation: echoes both ways, rejects, loops (RFC 1661 sections 5.6 to 5.8).
 */
export class LinkMaintenance {
  readonly echo: EchoMonitor
  readonly #user: MaintenanceUser
  readonly #rejects = new RejectBudget(REJECTS_PER_SECOND)
  #ownEchoes = 0

  constructor(
    options: { readonly echoInterval: Millis; readonly echoFailures: number },
    user: MaintenanceUser,
  ) {
    this.echo = new EchoMonitor(options.echoInterval, options.echoFailures)
    this.#user = user
  }

  /** Our own Echo-Requests come back. */
  get looped(): boolean {
    return this.#ownEchoes >= MAX_OWN_ECHOES
  }

  /** Asked before each answer that counts: garbage must not become a storm. */
  mayReject(now: Millis): boolean {
    return this.#rejects.take(now)
  }

  /** A packet with a code that only LCP has, except Protocol-Reject. All but the echoes ask for nothing. */
  receive(now: Millis, { code, identifier, data }: ControlPacket): EchoNews | undefined {
    if (code === codes.echoReply) return this.echo.replied(now, identifier)
    if (code === codes.echoRequest && data.length >= MAGIC_LENGTH) this.#answerEcho(identifier, data)
    return undefined
  }

  timeout(now: Millis): EchoNews[] {
    return this.echo.timeout(now, () => {
      const identifier = this.#user.identifier()
      const data = new ByteWriter(MAGIC_LENGTH).u32(this.#user.terms().ourMagic).finish()
      this.#user.send(encodePacket({ code: codes.echoRequest, identifier, data }))
      return identifier
    })
  }

  /** RFC 1661 section 5.7: number and contents of what we do not speak, cut to the peer's MRU. */
  rejectProtocol(now: Millis, { protocol, information }: PppFrame): void {
    if (!this.mayReject(now)) return
    const data = concat(Uint8Array.of(protocol >>> 8, protocol & 0xff), information).subarray(0, this.#room())
    this.#user.send(encodePacket({ code: codes.protocolReject, identifier: this.#user.identifier(), data }))
  }

  #answerEcho(identifier: number, data: Uint8Array): void {
    const { ourMagic } = this.#user.terms()
    // RFC 1661 section 6.4. A peer that rejected our number may copy ours back, but then ours is zero.
    this.#ownEchoes = ourMagic !== 0 && u32(data, 0) === ourMagic ? this.#ownEchoes + 1 : 0
    const reply = new ByteWriter(data.length).u32(ourMagic).bytes(data.subarray(MAGIC_LENGTH)).finish()
    this.#user.send(
      encodePacket({ code: codes.echoReply, identifier, data: reply.subarray(0, this.#room()) }),
    )
  }

  /** Octets of data that fit the peer's MRU. */
  #room(): number {
    return this.#user.terms().peerMru - PACKET_HEADER_LENGTH
  }
}

/** The protocol number in a Protocol-Reject; undefined if it has none. */
export function rejectedProtocol({ data }: ControlPacket): number | undefined {
  return data.length < 2 ? undefined : u16(data, 0)
}
