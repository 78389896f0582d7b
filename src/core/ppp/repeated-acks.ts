/** The peer asks again for what we have acknowledged: does it lack our Ack, or does it begin anew (RFC 1661 section 5.1)? */
import { equalBytes } from '../bytes.ts'
import type { Millis } from '../time.ts'
import type { ControlPacket } from './packet.ts'

/** What decides about Configure-Requests that come while we are open. */
export interface RepeatedAcks {
  /** We have agreed to a request. */
  acked(reply: ControlPacket): void
  /** Something came that the peer sends only when it is open itself. */
  peerOpen(now: Millis): void
  /** The Ack for a request that lacks nothing else, `open` ms after we opened; undefined: it begins a renegotiation. */
  again(now: Millis, open: number, request: ControlPacket): ControlPacket | undefined
  /** A new attempt begins. */
  forget(): void
}

/** How often one Ack is repeated in any case; Max-Configure is mostly 10. */
const MAX_REPEATED_ACKS = 8

/** How long copies of a request count as such, in ms: on their way when the peer had our Ack, or repeated for want of it. */
const COPIES = 2_500

/**
 * For LCP. What comes above LCP shows that the peer is open: then it has our Ack, no request is repeated for want of it,
 * and one under a new identifier begins anew. One under a known identifier may have been on its way. Of a peer that has
 * shown nothing yet nothing is up that a renegotiation could harm.
 */
export class LinkAcks implements RepeatedAcks {
  #reply: ControlPacket | undefined
  readonly #identifiers = new Set<number>()
  #openAt: Millis | undefined
  #repeatedAt: Millis | undefined
  #repeats = 0

  acked(reply: ControlPacket): void {
    // Copies of earlier requests for the same may still be on their way.
    if (this.#reply === undefined || !equalBytes(this.#reply.data, reply.data)) this.forget()
    this.#reply = reply
    this.#identifiers.add(reply.identifier)
    this.#openAt = undefined
    this.#repeatedAt = undefined
    this.#repeats = 0
  }

  peerOpen(now: Millis): void {
    if (this.#reply !== undefined) this.#openAt ??= now
  }

  again(now: Millis, _open: number, { identifier, data }: ControlPacket): ControlPacket | undefined {
    if (this.#reply === undefined || !equalBytes(this.#reply.data, data)) return undefined
    if (this.#openAt !== undefined && !this.#identifiers.has(identifier)) return undefined
    this.#repeatedAt ??= now
    const since = this.#openAt ?? this.#repeatedAt
    if (now - since >= COPIES || this.#repeats >= MAX_REPEATED_ACKS) return undefined
    this.#repeats++
    this.#identifiers.add(identifier)
    return { ...this.#reply, identifier }
  }

  forget(): void {
    this.#reply = undefined
    this.#identifiers.clear()
  }
}

/**
 * How soon after opening (ms) the same options may come under another identifier instead, once: a peer with a restart
 * timer of 3 s has asked six times by then.
 */
const RENEWAL_WINDOW = 20_000
/** One that comes within so many ms, a restart timer of the peer, was on its way before we opened: no renegotiation. */
const UNDER_WAY = 4_000
/** How often the Ack of a later one is repeated. It may be a renegotiation, and must not be put off for long. */
const MAX_REPEATED_RENEWALS = 2

/**
 * For the network protocols, of which nothing shows whether the peer is open: IP packets pass the program by. Under the
 * same identifier a request is a copy or a retransmission: RFC 1661 section 5.1 demands a new one after a valid reply.
 * Soon after opening it may also bear a new one: the peer got an Ack while our own request was lost to it, and had to ask
 * again (TO+ in Ack-Rcvd). Our request has reached it since, or we would not be open, so that there is only one such.
 */
export class NetworkAcks implements RepeatedAcks {
  #acked: { readonly reply: ControlPacket; readonly renewed: boolean; repeats: number } | undefined

  acked(reply: ControlPacket): void {
    this.#acked = { reply, renewed: false, repeats: 0 }
  }

  peerOpen(): void {}

  again(_now: Millis, open: number, { identifier, data }: ControlPacket): ControlPacket | undefined {
    const acked = this.#acked
    if (acked === undefined || !equalBytes(acked.reply.data, data)) return undefined
    if (acked.reply.identifier === identifier)
      return acked.repeats++ < MAX_REPEATED_ACKS ? acked.reply : undefined
    if (acked.renewed || open >= RENEWAL_WINDOW) return undefined
    const reply = { ...acked.reply, identifier }
    const least = open < UNDER_WAY ? 0 : MAX_REPEATED_ACKS - MAX_REPEATED_RENEWALS
    this.#acked = { reply, renewed: true, repeats: Math.max(acked.repeats, least) }
    return reply
  }

  forget(): void {
    this.#acked = undefined
  }
}
