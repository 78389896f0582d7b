/** A client endpoint in a timed script: the LNS is whatever the test types. */
import assert from 'node:assert/strict'
import { encodeUtf8, fromHex } from '../../../src/core/bytes.ts'
import { ClientEndpoint, type ClientOptions } from '../../../src/core/client/endpoint.ts'
import type { ClientEvent } from '../../../src/core/client/types.ts'
import type { Failure } from '../../../src/core/failure.ts'
import { type ControlPacket, decodePacket, encodeControl, encodeData } from '../../../src/core/l2tp/header.ts'
import { decodeMessage } from '../../../src/core/l2tp/message-decode.ts'
import { encodeMessage, type SendableMessage } from '../../../src/core/l2tp/message-encode.ts'
import { codes, decodePacket as decodePpp, encodePacket } from '../../../src/core/ppp/packet.ts'
import { decodeFrame, encodeFrame, protocols } from '../../../src/core/ppp/protocol.ts'
import { type Millis, millis } from '../../../src/core/time.ts'
import { clientOptions, digests, LNS_ADDRESS } from '../../sim/endpoints.ts'

/** SCCRP with the least that RFC 2661 requires. */
export const SCCRP = {
  type: 'SCCRP',
  protocolVersion: 0x0100,
  framingCapabilities: 3,
  hostName: encodeUtf8('lns.example'),
  assignedTunnelId: 700,
} as const
const SESSION = 7
export const ICRP = { type: 'ICRP', assignedSessionId: SESSION } as const

/** RFC 1661 section 6.2: the Authentication-Protocol option. */
export const AUTH = { chap: '0305c22305', pap: '0304c023' } as const
/** RFC 1994 section 4.1: 16 octets and a name. */
const CHALLENGE = `10${'5a'.repeat(16)}6c6e73`
const CHAP_CHALLENGE = 1

export class Puppet {
  readonly events: ClientEvent[] = []
  now: Millis = millis(0)
  readonly #client: ClientEndpoint
  readonly #options: ClientOptions
  /** The client's ids and its latest LCP Configure-Request. */
  #tunnel = 0
  #session = 0
  #request = { identifier: 0, data: new Uint8Array() }
  #ns = 0
  #nr = 0

  constructor(change: (options: ClientOptions) => ClientOptions = (same) => same) {
    this.#options = change(clientOptions(1))
    this.#client = new ClientEndpoint(this.#options)
    this.#client.command(this.now, { type: 'dial', call: true })
    this.#drain()
  }

  get failures(): Failure[] {
    return this.events.flatMap((event) =>
      (event.type === 'sessionEnded' || event.type === 'ended') && event.failure ? [event.failure] : [],
    )
  }

  /** The LNS's next control message; without one, a ZLB that acknowledges all that came. */
  say(message?: SendableMessage, session = 0): this {
    const body = message ? encodeMessage(message) : new Uint8Array()
    const header = { tunnel: this.#tunnel, session, ns: this.#ns, nr: this.#nr }
    if (message) this.#ns++
    return this.#receive(encodeControl(header, body))
  }

  /** A message of the session. */
  answerCall(message: SendableMessage): this {
    return this.say(message, this.#session)
  }

  /** The LNS refuses or ends the call: CDN 3 (RFC 2661 section 4.4.2), which means nearly anything. */
  clear(): this {
    return this.answerCall({ type: 'CDN', assignedSessionId: SESSION, result: { result: 3 } })
  }

  /** LCP is agreed on, and authentication begins. */
  openLcp(auth: string): this {
    return this.say(SCCRP).answerCall(ICRP).#acknowledgeLcp().requestLcp(1, '05b6', auth)
  }

  /** Our Configure-Ack was lost, and the LNS asks again. */
  repeatLcp(auth: string): this {
    return this.requestLcp(1, '05b6', auth)
  }

  /** The LNS begins LCP anew, when that was open. */
  renegotiateLcp(auth: string): this {
    return this.requestLcp(2, '05b5', auth).#acknowledgeLcp()
  }

  /** The LNS asks for LCP options, this MRU and authentication among them; hexadecimal. */
  requestLcp(identifier: number, mru: string, auth: string): this {
    return this.ppp(protocols.lcp, codes.configureRequest, identifier, fromHex(`0104${mru}${auth}`))
  }

  challenge(identifier: number): this {
    return this.ppp(protocols.chap, CHAP_CHALLENGE, identifier, fromHex(CHALLENGE))
  }

  ppp(protocol: number, code: number, identifier: number, data: Uint8Array): this {
    const frame = encodeFrame(protocol, encodePacket({ code, identifier, data }))
    return this.#receive(encodeData({ tunnel: this.#tunnel, session: this.#session }, frame))
  }

  /** Lets time pass in ms, with every deadline on the way. */
  wait(ms: number): this {
    const until = millis(this.now + ms)
    for (;;) {
      const at = this.#client.pollTimeout()
      if (at === undefined || at > until) break
      this.now = millis(Math.max(this.now, at))
      this.#client.timeout(this.now)
      this.#drain()
    }
    this.now = until
    return this
  }

  #acknowledgeLcp(): this {
    return this.ppp(protocols.lcp, codes.configureAck, this.#request.identifier, this.#request.data)
  }

  #receive(bytes: Uint8Array): this {
    this.#client.receive(this.now, LNS_ADDRESS, bytes)
    return this.#drain()
  }

  #drain(): this {
    for (let event = this.#client.pollEvent(); event; event = this.#client.pollEvent())
      this.events.push(event)
    for (let sent = this.#client.pollTransmit(); sent; sent = this.#client.pollTransmit()) {
      const packet = decodePacket(sent.bytes)
      assert.ok(packet.ok)
      if (packet.value.kind === 'control') this.#control(packet.value)
      else this.#frame(packet.value.frame)
    }
    return this
  }

  #control({ ns, body }: ControlPacket): void {
    if (body.length === 0 || ns !== this.#nr) return
    this.#nr++
    const decoded = decodeMessage(body, { digests, secret: this.#options.l2tp.secret })
    assert.ok(decoded.ok)
    const { value } = decoded
    if (value.type === 'SCCRQ') this.#tunnel = value.assignedTunnelId
    if (value.type === 'ICRQ') this.#session = value.assignedSessionId
  }

  #frame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes)
    if (!frame.ok || frame.value.protocol !== protocols.lcp) return
    const packet = decodePpp(frame.value.information)
    if (!packet.ok || packet.value.code !== codes.configureRequest) return
    const { identifier, data } = packet.value
    this.#request = { identifier, data: data.slice() }
  }
}
