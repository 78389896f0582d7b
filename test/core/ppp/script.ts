/** One link, and a peer that the test plays by hand. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/core/bytes.ts'
import { codes, decodePacket, encodePacket } from '../../../src/core/ppp/packet.ts'
import { decodeFrame, encodeFrame, protocols } from '../../../src/core/ppp/protocol.ts'
import type { PppCommand, PppEvent, PppOptions } from '../../../src/core/ppp/types.ts'
import { type Millis, millis } from '../../../src/core/time.ts'
import { End } from './links.ts'

/** Options of a peer's LCP Configure-Request, and a Challenge of CHAP without its header; hexadecimal. */
export const CHAP_MD5 = '0305c22305'
export const MS_CHAP_V2 = '0305c22381'
export const MRU_MAGIC = '010405b6 05066b0000ab'
export const CHALLENGE = '1058963dcffee2a9d29b81a7d76ea6b8326c6e732e6578616d706c65'

/** A frame that the link has sent, taken apart. */
export interface Sent {
  readonly protocol: number
  readonly code: number
  readonly identifier: number
  /** Hexadecimal. */
  readonly data: string
}

export class Script {
  readonly end: End
  now: Millis = millis(1000)
  #unread: Sent[] = []
  readonly #requests = new Map<number, Sent>()

  constructor(options: PppOptions) {
    this.end = new End(options)
  }

  command(command: PppCommand): this {
    this.end.link.command(this.now, command)
    return this.#drain()
  }

  /** The peer sends a packet; `data` is hexadecimal. */
  peer(protocol: number, code: number, identifier: number, data = ''): this {
    return this.frame(encodeFrame(protocol, encodePacket({ code, identifier, data: fromHex(data) })))
  }

  /** The peer sends a frame. */
  frame(bytes: Uint8Array | string): this {
    this.end.link.receive(this.now, typeof bytes === 'string' ? fromHex(bytes) : bytes)
    return this.#drain()
  }

  /** Lets time pass, with every deadline on the way. */
  wait(ms: number): this {
    const until = millis(this.now + ms)
    for (;;) {
      const at = this.end.link.pollTimeout()
      if (at === undefined || at > until) break
      this.now = millis(Math.max(this.now, at))
      this.end.link.timeout(this.now)
      this.#drain()
    }
    this.now = until
    return this
  }

  /** What was sent since the last call, of one protocol if given; the rest is forgotten. */
  sent(protocol?: number): Sent[] {
    const all = this.#unread
    this.#unread = []
    return protocol === undefined ? all : all.filter((packet) => packet.protocol === protocol)
  }

  /** The only packet of a protocol and code since the last call of `sent`, which it does not forget. */
  expect(protocol: number, code: number): Sent {
    const found = this.#unread.filter((packet) => packet.protocol === protocol && packet.code === code)
    assert.equal(found.length, 1, `${protocol.toString(16)} code ${code} in ${JSON.stringify(this.#unread)}`)
    return found[0] as Sent
  }

  /** Our latest Configure-Request of a protocol. */
  request(protocol: number): Sent {
    const request = this.#requests.get(protocol)
    assert.ok(request, 'no Configure-Request')
    return request
  }

  /** The peer answers it: with an Ack of all that it asks, or as told. */
  answer(protocol: number, code: number = codes.configureAck, options?: string): this {
    const { identifier, data } = this.request(protocol)
    return this.peer(protocol, code, identifier, options ?? data)
  }

  /** Opens LCP with these options of the peer. */
  openLcp(options = MRU_MAGIC): this {
    if (this.end.link.phase === 'dead') this.command({ type: 'open' })
    this.answer(protocols.lcp).peer(protocols.lcp, codes.configureRequest, 1, options)
    assert.equal(this.end.of('lcpOpened').length, 1)
    return this
  }

  /** Opens IPCP: what we ask is acknowledged, after a Nak with these addresses. */
  openIpcp(address = 'cb00710a', peer = 'cb007101'): this {
    this.peer(protocols.ipcp, codes.configureRequest, 1, `0306${peer}`)
    this.answer(protocols.ipcp, codes.configureNak, `0306${address} 8106c6336435 8306c6336436`)
    return this.answer(protocols.ipcp)
  }

  /** Opens IPV6CP as we ask. */
  openIpv6cp(peer = '0000000000000001'): this {
    return this.peer(protocols.ipv6cp, codes.configureRequest, 1, `010a${peer}`).answer(protocols.ipv6cp)
  }

  get events(): PppEvent[] {
    return this.end.events.map(({ value }) => value)
  }

  #drain(): this {
    for (const bytes of this.end.drain(this.now)) {
      const frame = decodeFrame(bytes)
      assert.ok(frame.ok)
      const packet = decodePacket(frame.value.information)
      assert.ok(packet.ok)
      const { code, identifier, data } = packet.value
      const sent = { protocol: frame.value.protocol, code, identifier, data: toHex(data) }
      this.#unread.push(sent)
      const negotiates = sent.protocol !== protocols.pap && sent.protocol !== protocols.chap
      if (negotiates && code === codes.configureRequest) this.#requests.set(sent.protocol, sent)
    }
    return this
  }
}
