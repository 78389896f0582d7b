import { ByteWriter, u8, u16 } from '../bytes.ts'
import type { Address, ProtocolEndpoint, Transmit } from '../endpoint.ts'
import { L2tpEndpoint } from '../l2tp/endpoint.ts'
import type { CdnReason, L2tpEvent, L2tpOptions } from '../l2tp/types.ts'
import { PppLink } from '../ppp/link.ts'
import type { PppEvent, PppServerOptions } from '../ppp/types.ts'
import type { Millis } from '../time.ts'
import { earliest } from '../time.ts'

/** What an LNS lets in, and how many. */
export interface LnsOptions {
  readonly l2tp: Omit<L2tpOptions, 'role' | 'peer'>
  readonly ppp: Omit<PppServerOptions, 'role'>
  /** Peers that may have a control connection at once. */
  readonly maxPeers: number
  /** A login ends the older session of the same user. */
  readonly oneSessionPerUser?: boolean
}

/** What whoever runs the LNS may want of it. */
export type LnsCommand =
  /** Ends every session with a CDN, of result 3 unless given, and keeps the control connections, as an operator would. */
  | ({ readonly type: 'dropSessions' } & Partial<CdnReason>)
  /** Ends every control connection with a StopCCN. */
  | { readonly type: 'dropTunnels' }
  /** Sends an IP packet into every session. */
  | { readonly type: 'send'; readonly protocol: number; readonly packet: Uint8Array }

/** What an LNS has to say of its one session. */
export type LnsEvent =
  | { readonly type: 'tunnelOpened'; readonly peer: Address }
  | { readonly type: 'tunnelClosed'; readonly peer: Address }
  /** IPCP or IPV6CP came up in a session. */
  | { readonly type: 'networkOpened'; readonly peer: Address; readonly protocol: 'ipv4' | 'ipv6' }
  | { readonly type: 'sessionClosed'; readonly peer: Address }
  | { readonly type: 'ipReceived'; readonly peer: Address; readonly packet: Uint8Array }

interface Peer {
  readonly address: Address
  readonly l2tp: L2tpEndpoint
  readonly calls: Map<number, Call>
  closed: boolean
}

interface Call {
  readonly ppp: PppLink
  /** Once authenticated. */
  user: string | undefined
}

/**
 * An LNS: accepts control connections from any peer, one for each source address and port, and authenticates the PPP
 * session of each call. The second endpoint of the simulations.
 */
export class LnsServer implements ProtocolEndpoint<LnsCommand, LnsEvent> {
  readonly #options: LnsOptions
  readonly #peers = new Map<string, Peer>()
  readonly #events: LnsEvent[] = []

  constructor(options: LnsOptions) {
    this.#options = options
  }

  get peers(): number {
    return this.#peers.size
  }

  receive(now: Millis, from: Address, bytes: Uint8Array): void {
    const known = this.#peers.get(keyOf(from))
    // One that only lingers to acknowledge gives way to a new tunnel from the same port.
    const peer = known && !(known.closed && isOpening(bytes)) ? known : this.#accept(from, bytes)
    if (!peer) return
    peer.l2tp.receive(now, from, bytes)
    this.#settle(now, peer)
  }

  command(now: Millis, command: LnsCommand): void {
    for (const peer of [...this.#peers.values()]) {
      if (command.type === 'dropTunnels') peer.l2tp.command(now, { type: 'close', result: 1 })
      else {
        for (const session of peer.calls.keys()) {
          if (command.type === 'dropSessions')
            peer.l2tp.command(now, { result: 3, ...command, type: 'clear', session })
          else peer.l2tp.command(now, { type: 'send', session, frame: frameOf(command) })
        }
      }
      this.#settle(now, peer)
    }
  }

  timeout(now: Millis): void {
    for (const peer of [...this.#peers.values()]) {
      peer.l2tp.timeout(now)
      for (const { ppp } of peer.calls.values()) ppp.timeout(now)
      this.#settle(now, peer)
    }
  }

  pollTransmit(): Transmit | undefined {
    for (const peer of this.#peers.values()) {
      const transmit = peer.l2tp.pollTransmit()
      if (transmit) return transmit
      if (peer.closed && peer.l2tp.pollTimeout() === undefined) this.#peers.delete(keyOf(peer.address))
    }
    return undefined
  }

  pollEvent(): LnsEvent | undefined {
    return this.#events.shift()
  }

  pollTimeout(): Millis | undefined {
    let first: Millis | undefined
    for (const { l2tp, calls } of this.#peers.values()) {
      first = earliest(first, l2tp.pollTimeout())
      for (const { ppp } of calls.values()) first = earliest(first, ppp.pollTimeout())
    }
    return first
  }

  #accept(from: Address, bytes: Uint8Array): Peer | undefined {
    if (!isOpening(bytes) || this.#peers.size >= this.#options.maxPeers) return undefined
    const peer: Peer = {
      address: from,
      l2tp: new L2tpEndpoint({ ...this.#options.l2tp, role: 'lns', peer: from }),
      calls: new Map(),
      closed: false,
    }
    this.#peers.set(keyOf(from), peer)
    return peer
  }

  #settle(now: Millis, peer: Peer): void {
    for (;;) {
      let busy = false
      for (const [session, { ppp }] of peer.calls) {
        for (let frame = ppp.pollTransmit(); frame; frame = ppp.pollTransmit()) {
          peer.l2tp.command(now, { type: 'send', session, frame })
        }
        for (let event = ppp.pollEvent(); event; event = ppp.pollEvent()) {
          this.#onPpp(now, peer, session, event)
          busy = true
        }
      }
      const event = peer.l2tp.pollEvent()
      if (event) this.#onL2tp(now, peer, event)
      else if (!busy) return
    }
  }

  #onL2tp(now: Millis, peer: Peer, event: L2tpEvent): void {
    const { address } = peer
    switch (event.type) {
      case 'opened':
        this.#events.push({ type: 'tunnelOpened', peer: address })
        break
      case 'sessionOpened': {
        const ppp = new PppLink({ ...this.#options.ppp, role: 'server' })
        peer.calls.set(event.session, { ppp, user: undefined })
        ppp.command(now, { type: 'open' })
        break
      }
      case 'received':
        peer.calls.get(event.session)?.ppp.receive(now, event.frame)
        break
      case 'sessionClosed':
        if (peer.calls.delete(event.session)) this.#events.push({ type: 'sessionClosed', peer: address })
        break
      case 'closed':
        peer.closed = true
        this.#events.push({ type: 'tunnelClosed', peer: address })
        break
      case 'calling':
      case 'peerChanged':
      case 'sequencingChanged':
      case 'finished':
        break
    }
  }

  #onPpp(now: Millis, peer: Peer, session: number, event: PppEvent): void {
    const { address } = peer
    if (event.type === 'ipcpOpened')
      this.#events.push({ type: 'networkOpened', peer: address, protocol: 'ipv4' })
    else if (event.type === 'ipv6cpOpened')
      this.#events.push({ type: 'networkOpened', peer: address, protocol: 'ipv6' })
    else if (event.type === 'ipReceived')
      this.#events.push({ type: 'ipReceived', peer: address, packet: event.packet })
    else if (event.type === 'authenticated') this.#authenticated(now, peer, session, event.username)
    else if (event.type === 'closed') peer.l2tp.command(now, { type: 'clear', session, result: 3 })
  }

  #authenticated(now: Millis, peer: Peer, session: number, user: string): void {
    for (const other of this.#options.oneSessionPerUser ? this.#peers.values() : []) {
      for (const [older, call] of other.calls) {
        if (call.user !== user || (other === peer && older === session)) continue
        call.user = undefined
        other.l2tp.command(now, { type: 'clear', session: older, result: 3 })
        if (other !== peer) this.#settle(now, other)
      }
    }
    const call = peer.calls.get(session)
    if (call) call.user = user
  }
}

/** What may be an SCCRQ: the first control message (T bit) of a sender who knows no tunnel id (RFC 2661 section 3.1). */
function isOpening(bytes: Uint8Array): boolean {
  return (u8(bytes, 0) & 0x80) !== 0 && u16(bytes, 4) === 0 && u16(bytes, 8) === 0
}

/** RFC 1662 section 3.1: address and control field, then the protocol and the packet. */
function frameOf({ protocol, packet }: { protocol: number; packet: Uint8Array }): Uint8Array {
  return new ByteWriter(packet.length + 4).u16(0xff03).u16(protocol).bytes(packet).finish()
}

function keyOf({ host, port }: Address): string {
  return `${host} ${port}`
}
