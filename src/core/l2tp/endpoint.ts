/** One L2TP control connection with one peer, and its sessions, without sockets or clocks. RFC 2661. */
import type { Address, ProtocolEndpoint, Transmit } from '../endpoint.ts'
import { unreachable } from '../result.ts'
import { earliest, type Millis } from '../time.ts'
import { Calls } from './calls.ts'
import { CdnResult, StopCcnResult } from './codes.ts'
import { decodePacket } from './header.ts'
import { Tunnel } from './tunnel.ts'
import type { L2tpCommand, L2tpEvent, L2tpOptions } from './types.ts'

/**
 * An L2TPv2 endpoint, as LAC or as LNS.
 *
 * There are three kinds of input: `receive` (a datagram came), `command` (someone wants something) and `timeout` (the
 * alarm rang). Each takes the current instant of the monotonic clock, which never goes back. After each of them the
 * driver
 * 1. takes events with `pollEvent` until there is none, and issues the commands that they lead to;
 * 2. takes datagrams with `pollTransmit` until there is none, and sends them in this order;
 * 3. arms its one alarm to `pollTimeout`.
 * Commands issued in step 1 join the datagrams of step 2: a first LCP frame sent on `sessionOpened` leaves right behind
 * the ICCN, a call placed before `opened` right behind the SCCCN, and acknowledgements ride on them.
 *
 * A LAC starts with `open`, or with `call`, which opens the tunnel by itself. An LNS starts with the SCCRQ from `peer`
 * given to `receive`; whoever listens for several peers makes an endpoint for each source address of an SCCRQ.
 *
 * The life of a tunnel: `opened`, then at last `closed`, then `finished`. The life of a session: `calling` (LAC),
 * `sessionOpened`, `sessionClosed`; every session that was told of is closed before `closed`. No state lasts without a
 * deadline: openings and calls end after `retransmission.answer`, unanswered messages after `retransmission.attempts`,
 * and an open tunnel is probed with HELLO after each `helloInterval` of silence. After `finished` the endpoint only
 * acknowledges repetitions, until `pollTimeout` is undefined, and then drops everything; it is never opened again.
 *
 * Datagrams from a peer never throw. Those that are not of this tunnel, or malformed in their header, are dropped
 * without an answer; repetitions are acknowledged at a limited rate; acknowledgements are never acknowledged.
 * Data messages are handed on in the order of arrival, whether numbered or not.
 */
export class L2tpEndpoint implements ProtocolEndpoint<L2tpCommand, L2tpEvent> {
  readonly #tunnel: Tunnel
  readonly #calls: Calls
  readonly #events: L2tpEvent[] = []

  constructor(options: L2tpOptions) {
    const emit = (event: L2tpEvent) => {
      this.#events.push(event)
    }
    this.#tunnel = new Tunnel(options, {
      emit,
      tunnelOpened: (now) => this.#calls.tunnelOpened(now),
      tunnelClosed: (now, cause) => {
        this.#calls.tunnelClosed(now, cause)
        emit({ type: 'closed', cause })
      },
      sessionMessage: (now, message) => this.#calls.receive(now, message),
    })
    this.#calls = new Calls(options, this.#tunnel, emit)
  }

  /** The tunnel id by which the peer addresses us; another one after a tie was lost (RFC 2661 section 4.4.3). */
  get localTunnel(): number {
    return this.#tunnel.ends.localId
  }

  receive(now: Millis, from: Address, bytes: Uint8Array): void {
    const decoded = decodePacket(bytes)
    if (!decoded.ok) return
    const packet = decoded.value
    if (packet.kind === 'control') this.#tunnel.receive(now, from, packet)
    else if (this.#tunnel.receiveData(now, from, packet)) this.#calls.receiveData(packet)
  }

  command(now: Millis, command: L2tpCommand): void {
    switch (command.type) {
      case 'open':
        this.#tunnel.open(now)
        break
      case 'call':
        this.#calls.place(now)
        break
      case 'clear': {
        const { session, result = CdnResult.administrative, error, message } = command
        this.#calls.clear(now, session, { result, error, message })
        break
      }
      case 'close': {
        const { result = StopCcnResult.clear, error, message } = command
        this.#tunnel.close(now, { result, error, message })
        break
      }
      case 'send':
        this.#calls.sendFrame(command.session, command.frame)
        break
      case 'alive':
        this.#tunnel.heard(now)
        break
      default:
        unreachable(command)
    }
  }

  timeout(now: Millis): void {
    this.#calls.timeout(now)
    this.#tunnel.timeout(now)
  }

  pollTransmit(): Transmit | undefined {
    return this.#tunnel.poll()
  }

  pollEvent(): L2tpEvent | undefined {
    return this.#events.shift()
  }

  pollTimeout(): Millis | undefined {
    return earliest(this.#tunnel.deadline, this.#calls.deadline)
  }
}
