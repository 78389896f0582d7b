/** The reliable transport under control messages. RFC 2661 section 5.8 and appendix A. */
import { after, type Millis, millis } from '../time.ts'
import type { ControlPacket } from './header.ts'
import { DEFAULT_WINDOW } from './messages.ts'
import type { Retransmission } from './types.ts'

/** What `Retransmission` is unless configured. */
export const DEFAULT_RETRANSMISSION: Retransmission = {
  first: millis(500),
  least: millis(300),
  cap: millis(8_000),
  attempts: 6,
  attemptsAlive: 30,
  attemptsSccrq: 5,
  lastWait: millis(4_000),
  answer: millis(20_000),
}

/** Sequence numbers count modulo 65536. */
const MODULO = 0xffff
const HALF = 0x8000

/** Immediate repetitions of an acknowledgement, and how fast the allowance for more comes back (per second). */
const REACK_BURST = 16
const REACK_RATE = 16

/** A control message with its place in the sequence. */
interface Slot {
  readonly ns: number
  /** Session id of the header. */
  readonly session: number
  readonly body: Uint8Array
  /** Transmissions after which the peer may count as dead. */
  readonly attempts: number
  transmissions: number
  sentAt: Millis
}

/** What is to be sent now: a control message (empty body: a ZLB), or a data message that took its place in the queue. */
export type Outgoing =
  | ({ readonly kind: 'control' } & Pick<ControlPacket, 'session' | 'ns' | 'nr' | 'body'>)
  | { readonly kind: 'data'; readonly bytes: Uint8Array }

/** A received message whose turn has come. */
export interface Delivered {
  readonly session: number
  readonly body: Uint8Array
}

/** How a channel is set up. */
export interface ChannelOptions {
  readonly retransmission: Retransmission
  /** Control messages that the peer may send ahead. */
  readonly receiveWindow: number
  /** Ns of the first message each way; 0 except in tests of the wrap. */
  readonly firstNs?: number
}

/**
 * Numbers, repeats and acknowledges the control messages of one tunnel, and puts those of the peer in order.
 *
 * `send` queues; `receive` takes a header and returns what is due in order; `timeout` repeats; after any of them
 * `poll` until it gives nothing. An acknowledgement rides on whatever else is sent, and otherwise leaves as a ZLB in the
 * same turn: it is never delayed. Beyond the window (slow start, appendix A) messages wait. `dead` tells that the peer is
 * to be given up; from then on the channel sends nothing.
 */
export class ControlChannel {
  readonly #settings: Retransmission
  readonly #receiveWindow: number

  /** Sent or waiting, oldest first, until acknowledged. The first `#inFlight` of them have left in this round. */
  #unacknowledged: Slot[] = []
  #inFlight = 0
  #nextNs: number
  /** Ns of the first message that was never transmitted. */
  #unsentNs: number
  /** In the order of leaving; data messages stand between control messages as they came. */
  #outbox: (Slot | Uint8Array)[] = []

  #nextNr: number
  /** Arrived ahead of their turn, by Ns; never more than the receive window. */
  readonly #early = new Map<number, Delivered>()
  #acknowledge = false
  #reacks = REACK_BURST
  #reackedAt = millis(0)

  #peerWindow = DEFAULT_WINDOW
  #congestionWindow = 1
  #slowStartThreshold = DEFAULT_WINDOW
  #smoothedRtt: number | undefined
  #rttVariation = 0
  #backoff = 0
  #timer: Millis | undefined
  #heardAt: Millis | undefined
  #dead = false
  #givenUpAfter = 0

  constructor({ retransmission, receiveWindow, firstNs = 0 }: ChannelOptions) {
    this.#settings = retransmission
    this.#receiveWindow = receiveWindow
    this.#nextNs = firstNs
    this.#unsentNs = firstNs
    this.#nextNr = firstNs
  }

  get dead(): boolean {
    return this.#dead
  }

  /** Messages not acknowledged yet, sent or waiting. */
  get backlog(): number {
    return this.#unacknowledged.length
  }

  /** How often the oldest unacknowledged message was sent; once dead, the one that was given up. */
  get transmissions(): number {
    return this.#unacknowledged[0]?.transmissions ?? this.#givenUpAfter
  }

  /** When `timeout` has something to do. */
  get deadline(): Millis | undefined {
    return this.#timer
  }

  /** The peer's Receive Window Size; no more than that is ever sent ahead. */
  set peerWindow(messages: number) {
    this.#peerWindow = messages
    this.#slowStartThreshold = messages
  }

  /** Queues a message for the peer; `session` is the id in its header. */
  send(now: Millis, session: number, body: Uint8Array, attempts = this.#settings.attempts): void {
    if (this.#dead) return
    this.#unacknowledged.push({ ns: this.#nextNs, session, body, attempts, transmissions: 0, sentAt: now })
    this.#nextNs = (this.#nextNs + 1) & MODULO
    this.#release(now)
  }

  /** Queues a data message behind the control messages that are due to leave: no sequence, no window, no repetition. */
  sendData(bytes: Uint8Array): void {
    if (!this.#dead) this.#outbox.push(bytes)
  }

  /** Drops what was never transmitted and lets the next message pass the congestion window: the end has come. */
  hurry(): void {
    const sent = this.#unacknowledged.filter((slot) => slot.transmissions > 0)
    this.#nextNs = this.#unsentNs
    this.#unacknowledged = sent
    this.#congestionWindow = this.#peerWindow
  }

  /** Forgets everything that was to be sent; acknowledging goes on. */
  silence(): void {
    this.#unacknowledged = []
    this.#outbox = []
    this.#inFlight = 0
    this.#nextNs = this.#unsentNs
    this.#timer = undefined
  }

  /** Begins to send again to a peer that was given up, and has answered after all. */
  revive(): void {
    this.silence()
    this.#dead = false
    this.#backoff = 0
  }

  /** When the peer last gave a sign of life. */
  get heardAt(): Millis | undefined {
    return this.#heardAt
  }

  /** Any packet of this tunnel arrived: the peer lives. */
  heard(now: Millis): void {
    this.#heardAt = now
  }

  /** Takes a control packet from the peer; returns the messages whose turn has come, oldest first. */
  receive(now: Millis, packet: ControlPacket): readonly Delivered[] {
    if (!this.#accepts(packet.nr)) return []
    this.heard(now)
    this.#takeAcknowledgement(now, packet.nr)
    // A ZLB takes no place in the sequence, whatever its Ns or session id, and is never acknowledged.
    if (packet.body.length === 0) return []
    const ahead = distance(this.#nextNr, packet.ns)
    if (ahead >= HALF) {
      // A duplicate: its acknowledgement may have been lost.
      if (this.#mayReack(now)) this.#acknowledge = true
      return []
    }
    if (ahead >= this.#receiveWindow) return []
    this.#acknowledge ||= ahead === 0
    if (!this.#early.has(packet.ns)) {
      // The datagram's buffer is not ours to keep.
      const body = ahead === 0 ? packet.body : packet.body.slice()
      this.#early.set(packet.ns, { session: packet.session, body })
    }
    return this.#inOrder()
  }

  /** Repeats the oldest unacknowledged message if its time has come, or declares the peer dead. */
  timeout(now: Millis): void {
    const oldest = this.#unacknowledged[0]
    if (this.#timer === undefined || now < this.#timer || !oldest) return
    if (oldest.transmissions >= oldest.attempts) {
      if (this.#givesUp(oldest)) {
        this.#givenUpAfter = oldest.transmissions
        this.silence()
        this.#dead = true
        return
      }
      // Only the verdict comes early (`lastWait`), not the repetition.
      const due = after(oldest.sentAt, this.#wait())
      if (now < due) {
        this.#timer = due
        return
      }
    }
    // Appendix A: half of the window becomes the threshold, and slow start begins anew with the oldest message.
    this.#slowStartThreshold = Math.max(1, Math.floor(this.#congestionWindow / 2))
    this.#congestionWindow = 1
    this.#inFlight = 0
    this.#backoff += 1
    this.#timer = undefined
    this.#release(now)
  }

  /** The next message to send, with the newest Nr; a ZLB if only an acknowledgement is due. */
  poll(): Outgoing | undefined {
    const next = this.#outbox.shift()
    if (next instanceof Uint8Array) return { kind: 'data', bytes: next }
    if (next) return this.#outgoing(next.ns, next.session, next.body)
    if (!this.#acknowledge) return undefined
    return this.#outgoing(this.#unsentNs, 0, new Uint8Array())
  }

  #outgoing(ns: number, session: number, body: Uint8Array): Outgoing {
    this.#acknowledge = false
    return { kind: 'control', ns, session, body, nr: this.#nextNr }
  }

  /** Sends what the windows allow, and arms the timer for the oldest. */
  #release(now: Millis): void {
    const window = Math.min(Math.floor(this.#congestionWindow), this.#peerWindow)
    while (this.#inFlight < window) {
      const slot = this.#unacknowledged[this.#inFlight]
      if (!slot) break
      this.#inFlight += 1
      if (slot.transmissions === 0) this.#unsentNs = (slot.ns + 1) & MODULO
      slot.transmissions += 1
      slot.sentAt = now
      this.#outbox.push(slot)
    }
    if (this.#timer === undefined && this.#inFlight > 0) this.#timer = after(now, this.#interval())
  }

  /** Nr may acknowledge what was transmitted, or repeat an older one; anything else is not from this connection. */
  #accepts(nr: number): boolean {
    const oldest = this.#unacknowledged[0]?.ns ?? this.#nextNs
    const acknowledged = distance(oldest, nr)
    return acknowledged >= HALF || acknowledged <= distance(oldest, this.#unsentNs)
  }

  #takeAcknowledgement(now: Millis, nr: number): void {
    const oldest = this.#unacknowledged[0]
    if (!oldest) return
    const count = distance(oldest.ns, nr)
    if (count === 0 || count >= HALF) return
    const acknowledged = this.#unacknowledged.splice(0, count)
    const newest = acknowledged.at(-1)
    // Karn: a repeated message says nothing about the round-trip time.
    if (newest?.transmissions === 1) this.#measure(now - newest.sentAt)
    this.#outbox = this.#outbox.filter((next) => next instanceof Uint8Array || !acknowledged.includes(next))
    this.#inFlight = Math.max(0, this.#inFlight - count)
    this.#backoff = 0
    this.#timer = undefined
    const slowStart = this.#congestionWindow < this.#slowStartThreshold
    this.#congestionWindow += slowStart ? 1 : 1 / this.#congestionWindow
    this.#congestionWindow = Math.min(this.#congestionWindow, this.#peerWindow)
    this.#release(now)
  }

  #inOrder(): readonly Delivered[] {
    const due: Delivered[] = []
    for (let next = this.#early.get(this.#nextNr); next; next = this.#early.get(this.#nextNr)) {
      this.#early.delete(this.#nextNr)
      this.#nextNr = (this.#nextNr + 1) & MODULO
      due.push(next)
    }
    return due
  }

  /** The estimator of RFC 6298 section 2. */
  #measure(rtt: number): void {
    if (this.#smoothedRtt === undefined) {
      this.#smoothedRtt = rtt
      this.#rttVariation = rtt / 2
      return
    }
    this.#rttVariation += (Math.abs(this.#smoothedRtt - rtt) - this.#rttVariation) / 4
    this.#smoothedRtt += (rtt - this.#smoothedRtt) / 8
  }

  /** Exponential back-off with a cap (RFC 2661 section 5.8). */
  #wait(): number {
    const { first, least, cap } = this.#settings
    const base =
      this.#smoothedRtt === undefined ? first : Math.max(least, this.#smoothedRtt + 4 * this.#rttVariation)
    return Math.min(base * 2 ** this.#backoff, cap)
  }

  /** Wait until the next repetition, or until the verdict after the last one. */
  #interval(): number {
    const oldest = this.#unacknowledged[0]
    const last = oldest && oldest.transmissions >= oldest.attempts
    return last ? Math.min(this.#wait(), this.#settings.lastWait) : this.#wait()
  }

  /** A message was sent often enough, and nothing was heard since; or it was sent far too often. */
  #givesUp({ transmissions, sentAt }: Slot): boolean {
    const alive = this.#heardAt !== undefined && this.#heardAt > sentAt
    return !alive || transmissions >= this.#settings.attemptsAlive
  }

  /** At most REACK_RATE per second beyond a burst, so that no flood of duplicates makes a flood of answers. */
  #mayReack(now: Millis): boolean {
    this.#reacks = Math.min(REACK_BURST, this.#reacks + ((now - this.#reackedAt) / 1000) * REACK_RATE)
    this.#reackedAt = now
    if (this.#reacks < 1) return false
    this.#reacks -= 1
    return true
  }
}

/** How far `to` lies after `from` in the circle of sequence numbers: 0..65535. */
function distance(from: number, to: number): number {
  return (to - from) & MODULO
}
