/** One endpoint in a timed script: the other end is whatever the test types. */
import assert from 'node:assert/strict'
import { encodeUtf8 } from '../../../src/core/bytes.ts'
import type { Address } from '../../../src/core/endpoint.ts'
import { L2tpEndpoint } from '../../../src/core/l2tp/endpoint.ts'
import { decodePacket, encodeControl, encodeData } from '../../../src/core/l2tp/header.ts'
import { decodeMessage } from '../../../src/core/l2tp/message-decode.ts'
import { encodeMessage, type SendableMessage } from '../../../src/core/l2tp/message-encode.ts'
import type { ControlMessage } from '../../../src/core/l2tp/messages.ts'
import type { L2tpCommand, L2tpEvent, L2tpOptions } from '../../../src/core/l2tp/types.ts'
import { millis } from '../../../src/core/time.ts'
import { digests, LAC, LNS, options } from './pair.ts'

/** The ids that the puppet assigns. */
export const PEER_TUNNEL = 700
export const PEER_SESSION = 7

/** A control message that the endpoint sent; `message` undefined: a ZLB. */
export interface SentControl {
  readonly kind: 'control'
  readonly tunnel: number
  readonly session: number
  readonly ns: number
  readonly nr: number
  readonly to: Address
  readonly message: ControlMessage | undefined
}

export interface SentData {
  readonly kind: 'data'
  readonly tunnel: number
  readonly session: number
  readonly ns: number | undefined
  readonly to: Address
  readonly frame: Uint8Array
}

export type Sent = SentControl | SentData

const START = {
  protocolVersion: 0x0100,
  framingCapabilities: 3,
  hostName: encodeUtf8('peer.example'),
  assignedTunnelId: PEER_TUNNEL,
} as const

/** SCCRQ, SCCRP and ICCN with the least that RFC 2661 requires. */
export const SCCRQ = { type: 'SCCRQ', ...START } as const
export const SCCRP = { type: 'SCCRP', ...START } as const
export const ICRQ = { type: 'ICRQ', assignedSessionId: PEER_SESSION, callSerialNumber: 5 } as const
export const ICRP = { type: 'ICRP', assignedSessionId: PEER_SESSION } as const
export const ICCN = { type: 'ICCN', txConnectSpeed: 1000, framingType: 1, sequencingRequired: false } as const

export class Puppet {
  readonly endpoint: L2tpEndpoint
  readonly events: L2tpEvent[] = []
  /** What the driver does on an event, before it takes datagrams. */
  react: (event: L2tpEvent) => readonly L2tpCommand[] = () => []
  now = 0
  /** The puppet's next Ns, and its Nr: all that was sent to it. */
  ns = 0
  nr = 0
  /** The endpoint's ids, once it told them. */
  tunnel = 0
  session = 0
  readonly role: 'lac' | 'lns'
  readonly #peer: Address
  readonly #secret: Uint8Array | undefined

  constructor(role: 'lac' | 'lns', more: Partial<L2tpOptions> = {}) {
    this.endpoint = new L2tpEndpoint(options(role, more))
    this.role = role
    this.#peer = role === 'lac' ? LNS : LAC
    this.#secret = more.secret
  }

  command(command: L2tpCommand): Sent[] {
    this.endpoint.command(millis(this.now), command)
    return this.drain()
  }

  /** The puppet sends its next message, with `session` in its header, and tunnel and address as the endpoint expects. */
  say(
    message: SendableMessage | Uint8Array,
    session = 0,
    more: { tunnel?: number; from?: Address } = {},
  ): Sent[] {
    const body = message instanceof Uint8Array ? message : encodeMessage(message)
    const header = { tunnel: more.tunnel ?? this.tunnel, session, ns: this.ns, nr: this.nr }
    if (body.length > 0) this.ns = (this.ns + 1) & 0xffff
    return this.raw(encodeControl(header, body), more.from)
  }

  zlb(): Sent[] {
    return this.say(new Uint8Array())
  }

  data(session: number, frame: Uint8Array, ns?: number): Sent[] {
    return this.raw(encodeData({ tunnel: this.tunnel, session, ns }, frame))
  }

  raw(bytes: Uint8Array, from: Address = this.#peer): Sent[] {
    this.endpoint.receive(millis(this.now), from, bytes)
    return this.drain()
  }

  /** Advances to the next deadline and lets it ring. */
  alarm(): Sent[] {
    const deadline = this.endpoint.pollTimeout()
    assert.ok(deadline !== undefined, 'no deadline')
    this.now = Math.max(this.now, deadline)
    this.endpoint.timeout(millis(this.now))
    return this.drain()
  }

  /** Lets a deadline ring that has passed; how much was sent. */
  alarms(): number {
    this.endpoint.timeout(millis(this.now))
    return this.drain().length
  }

  /** Rings all alarms up to `end` (ms); returns all that was sent. */
  until(end: number): Sent[] {
    const sent: Sent[] = []
    for (;;) {
      const deadline = this.endpoint.pollTimeout()
      if (deadline === undefined || deadline > end) break
      sent.push(...this.alarm())
    }
    this.now = end
    return sent
  }

  /** LAC: opens the tunnel, without a call. */
  openTunnel(): Sent[] {
    this.command({ type: 'open' })
    return this.say(SCCRP)
  }

  /** LAC: opens tunnel and session. */
  openCall(): Sent[] {
    this.command({ type: 'call' })
    this.say(SCCRP)
    return this.say(ICRP, this.session)
  }

  /** LNS: takes tunnel and session. */
  takeCall(): void {
    this.say(SCCRQ, 0, { tunnel: 0 })
    this.say({ type: 'SCCCN' })
    this.say(ICRQ)
    this.say(ICCN, this.session)
  }

  event<T extends L2tpEvent['type']>(type: T): Extract<L2tpEvent, { type: T }> {
    const found = this.events.filter((event): event is Extract<L2tpEvent, { type: T }> => event.type === type)
    const [only] = found
    assert.ok(only && found.length === 1, `${found.length} events ${type} in ${JSON.stringify(this.events)}`)
    return only
  }

  types(): string[] {
    return this.events.map(({ type }) => type)
  }

  drain(): Sent[] {
    for (let event = this.endpoint.pollEvent(); event; event = this.endpoint.pollEvent()) {
      this.events.push(event)
      for (const command of this.react(event)) this.endpoint.command(millis(this.now), command)
    }
    const sent: Sent[] = []
    for (let out = this.endpoint.pollTransmit(); out; out = this.endpoint.pollTransmit()) {
      sent.push(this.#read(out.bytes, out.to))
    }
    return sent
  }

  #read(bytes: Uint8Array, to: Address): Sent {
    const decoded = decodePacket(bytes)
    assert.ok(decoded.ok)
    const packet = decoded.value
    if (packet.kind === 'data') return { ...packet, to }
    const { body, ...header } = packet
    if (body.length === 0) return { ...header, to, message: undefined }
    const message = decodeMessage(body, { digests, secret: this.#secret })
    assert.ok(message.ok && message.value.type !== 'ignored', JSON.stringify(message))
    if (packet.ns === this.nr) this.nr = (this.nr + 1) & 0xffff
    const told = message.value
    if (told.type === 'SCCRQ' || told.type === 'SCCRP') this.tunnel = told.assignedTunnelId
    if (told.type === 'ICRQ' || told.type === 'ICRP') this.session = told.assignedSessionId
    return { ...header, to, message: told }
  }
}

/** What was sent, as words: message types, `ZLB`, `data`. */
export function words(sent: readonly Sent[]): string {
  return sent.map((one) => (one.kind === 'data' ? 'data' : (one.message?.type ?? 'ZLB'))).join(' ')
}

/** The only message of a type among what was sent, with its header. */
export function only<T extends ControlMessage['type']>(
  sent: readonly Sent[],
  type: T,
): SentControl & { message: Extract<ControlMessage, { type: T }> } {
  const found = sent.filter((one): one is SentControl => one.kind === 'control' && one.message?.type === type)
  assert.equal(found.length, 1, `${found.length} ${type} in ${words(sent)}`)
  return found[0] as SentControl & { message: Extract<ControlMessage, { type: T }> }
}
