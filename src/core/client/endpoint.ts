import type { Address, ProtocolEndpoint, Transmit } from '../endpoint.ts'
import type { Failure } from '../failure.ts'
import { L2tpEndpoint } from '../l2tp/endpoint.ts'
import type { L2tpCause, L2tpEvent, L2tpOptions, SessionOpened } from '../l2tp/types.ts'
import { networkFailureMessage } from '../ppp/cause.ts'
import { PppLink } from '../ppp/link.ts'
import type { PppCause, PppClientOptions, PppEvent } from '../ppp/types.ts'
import type { Millis } from '../time.ts'
import { earliest } from '../time.ts'
import { Credentials } from './credentials.ts'
import { failureOfL2tp, failureOfPpp, mayBeAboutPpp } from './failure-of.ts'
import type { CallPhase, ClientCommand, ClientEvent } from './types.ts'

/** What one attempt dials with: the options of L2TP and of PPP, and what they do not know of each other. */
export interface ClientOptions {
  readonly l2tp: Omit<L2tpOptions, 'role'>
  readonly ppp: Omit<PppClientOptions, 'role' | 'lastAddress' | 'lastDns' | 'interfaceId'>
  /** What the last session had; asked for first. */
  readonly remembered: Remembered
  /** The LNS as users know it, for failures. */
  readonly server: string
}

/** What a session had. */
export interface Remembered {
  readonly address?: string
  readonly dns?: readonly string[]
  /** 8 octets. */
  readonly interfaceId?: Uint8Array
}

/** One PPP session through the tunnel. */
interface Call {
  /** Local L2TP session id; undefined until ICRQ is sent. */
  session: number | undefined
  opened: boolean
  readonly ppp: PppLink
  phase: CallPhase
  readonly credentials: Credentials
  authenticated: boolean
  wasUp: boolean
}

/**
 * The client: one L2TP control connection with one LNS address, and in it one PPP session at a time.
 *
 * Contract: give inputs (`receive`, `command`, `timeout`), then drain `pollTransmit` and `pollEvent`, then arm
 * `pollTimeout`. It begins idle; `dial` starts it, once. `sessionEnded` says that another `call` may follow; `ended` is
 * said exactly once and is followed by `finished` and `answeredLate` alone. What LCP and the login have to say next goes out in the same
 * input that allowed it: ICCN with our first LCP packet, SCCCN with ICRQ (if `dial` had `call`).
 */
export class ClientEndpoint implements ProtocolEndpoint<ClientCommand, ClientEvent> {
  readonly #options: ClientOptions
  readonly #l2tp: L2tpEndpoint
  readonly #events: ClientEvent[] = []
  #remembered: Remembered
  #call: Call | undefined
  #ended = false

  constructor(options: ClientOptions) {
    this.#options = options
    this.#remembered = options.remembered
    this.#l2tp = new L2tpEndpoint({ ...options.l2tp, role: 'lac' })
  }

  /** The tunnel id by which the LNS addresses us; may change until it has answered. */
  get localTunnel(): number {
    return this.#l2tp.localTunnel
  }

  receive(now: Millis, from: Address, bytes: Uint8Array): void {
    this.#l2tp.receive(now, from, bytes)
    this.#settle(now)
  }

  command(now: Millis, command: ClientCommand): void {
    switch (command.type) {
      case 'dial':
        this.#l2tp.command(now, { type: 'open' })
        if (command.call) this.#startCall(now)
        break
      case 'call':
        if (!this.#call) this.#startCall(now)
        break
      case 'hangUp':
        this.#hangUp(now)
        break
      case 'close':
        this.#hangUp(now)
        this.#l2tp.command(now, { type: 'close' })
        break
      case 'alive':
        this.#l2tp.command(now, { type: 'alive' })
        this.#call?.ppp.command(now, { type: 'alive' })
        break
    }
    this.#settle(now)
  }

  timeout(now: Millis): void {
    this.#l2tp.timeout(now)
    this.#call?.ppp.timeout(now)
    this.#settle(now)
  }

  pollTransmit(): Transmit | undefined {
    return this.#l2tp.pollTransmit()
  }

  pollEvent(): ClientEvent | undefined {
    return this.#events.shift()
  }

  pollTimeout(): Millis | undefined {
    return earliest(this.#l2tp.pollTimeout(), this.#call?.ppp.pollTimeout())
  }

  // ---- joining

  /** Carries frames and events between L2TP and PPP until neither has anything left to say. */
  #settle(now: Millis): void {
    for (;;) {
      const call = this.#call
      if (call?.opened && call.session !== undefined) {
        for (let frame = call.ppp.pollTransmit(); frame; frame = call.ppp.pollTransmit()) {
          call.credentials.sent(now, frame)
          this.#l2tp.command(now, { type: 'send', session: call.session, frame })
        }
      }
      const fromPpp = call?.ppp.pollEvent()
      if (call && fromPpp) {
        this.#onPpp(now, call, fromPpp)
        continue
      }
      const fromL2tp = this.#l2tp.pollEvent()
      if (!fromL2tp) return
      this.#onL2tp(now, fromL2tp)
    }
  }

  #onL2tp(now: Millis, event: L2tpEvent): void {
    switch (event.type) {
      case 'opened':
        this.#tell({
          type: 'answered',
          peer: {
            localTunnel: event.localTunnel,
            peerTunnel: event.peerTunnel,
            hostName: event.hostName,
            vendor: event.vendor,
            address: event.peer,
          },
        })
        return
      case 'peerChanged':
        this.#tell({ type: 'peerChanged', peer: event.peer })
        return
      case 'calling':
        if (this.#call) this.#call.session = event.session
        return
      case 'sessionOpened':
        this.#sessionOpened(now, event)
        return
      case 'sequencingChanged':
        if (event.session === this.#call?.session) {
          this.#tell({ type: 'sequencingChanged', sequencing: event.sequencing })
        }
        return
      case 'received':
        if (event.session !== this.#call?.session) return
        this.#call.credentials.received(event.frame)
        this.#call.ppp.receive(now, event.frame)
        return
      case 'sessionClosed':
        if (event.session === this.#call?.session) this.#sessionClosed(now, event.cause)
        return
      case 'closed':
        this.#closed(now, event.cause)
        return
      case 'finished':
      case 'answeredLate':
        this.#tell({ type: event.type })
        return
    }
  }

  #sessionOpened(now: Millis, event: SessionOpened): void {
    const call = this.#call
    if (!call || event.session !== call.session) return
    call.opened = true
    this.#tell({
      type: 'sessionOpened',
      keys: {
        localTunnel: event.localTunnel,
        localSession: event.session,
        peerTunnel: event.peerTunnel,
        peerSession: event.peerSession,
        peer: event.peer,
        sequencing: event.sequencing,
      },
    })
    call.ppp.command(now, { type: 'open' })
  }

  #onPpp(now: Millis, call: Call, event: PppEvent): void {
    switch (event.type) {
      case 'phase':
        if (event.phase === 'authenticate') this.#phase(call, 'authenticating')
        else if (event.phase === 'network') this.#phase(call, 'configuring')
        return
      case 'lcpOpened':
        this.#tell({ type: 'lcpOpened', mru: event.mru, ourMru: event.ourMru })
        return
      case 'authenticated':
        call.authenticated = true
        this.#tell({ type: 'authenticated', method: event.method })
        return
      case 'ipcpOpened': {
        const { address, peer, dns } = event.ipv4
        call.wasUp = true
        this.#remembered = { ...this.#remembered, address, dns }
        this.#tell({ type: 'ipv4Opened', address, peer, dns })
        return
      }
      case 'ipv6cpOpened': {
        const { interfaceId, peerInterfaceId } = event.ipv6
        call.wasUp = true
        this.#remembered = { ...this.#remembered, interfaceId }
        this.#tell({ type: 'ipv6Opened', interfaceId, peerInterfaceId })
        return
      }
      case 'notOpened': {
        const family = event.protocol === 'IPCP' ? 4 : 6
        this.#tell({ type: 'notOpened', family, reason: networkFailureMessage(event) })
        return
      }
      case 'ipcpClosed':
        this.#tell({ type: 'ipv4Closed' })
        return
      case 'ipv6Small':
        this.#tell(event)
        return
      case 'ipv6cpClosed':
        this.#tell({ type: 'ipv6Closed' })
        return
      case 'echoed':
        this.#tell(event)
        return
      case 'echoMissed':
        this.#tell({ type: 'echoMissed' })
        return
      case 'ipReceived':
        this.#tell({ type: 'ipReceived', packet: event.packet })
        return
      case 'closed':
        this.#pppClosed(now, call, event.cause)
        return
    }
  }

  // ---- beginning

  #startCall(now: Millis): void {
    const { ppp } = this.#options
    const { address, dns, interfaceId } = this.#remembered
    this.#call = {
      session: undefined,
      opened: false,
      ppp: new PppLink({
        ...ppp,
        role: 'client',
        ...(address === undefined ? {} : { lastAddress: address }),
        ...(dns === undefined ? {} : { lastDns: dns }),
        ...(interfaceId === undefined ? {} : { interfaceId }),
      }),
      phase: 'dialling',
      credentials: new Credentials(),
      authenticated: false,
      wasUp: false,
    }
    this.#tell({ type: 'phase', phase: 'dialling' })
    this.#l2tp.command(now, { type: 'call' })
  }

  #phase(call: Call, phase: CallPhase): void {
    if (call.phase === phase) return
    call.phase = phase
    this.#tell({ type: 'phase', phase })
  }

  // ---- ending

  #hangUp(now: Millis): void {
    const call = this.#call
    this.#call = undefined
    if (call?.session === undefined) return
    call.ppp.command(now, { type: 'close' })
    for (let frame = call.ppp.pollTransmit(); frame && call.opened; frame = call.ppp.pollTransmit()) {
      this.#l2tp.command(now, { type: 'send', session: call.session, frame })
    }
    // After our Terminate-Request some LNSes acknowledge and never send CDN: it is ours to send.
    this.#l2tp.command(now, { type: 'clear', session: call.session })
  }

  /** PPP has ended by itself: its call is cleared, and the tunnel with it if the peer has gone silent. */
  #pppClosed(now: Millis, call: Call, cause: PppCause): void {
    if (this.#call !== call || cause.code === 'lowerDown') return
    this.#call = undefined
    if (call.session !== undefined) this.#l2tp.command(now, { type: 'clear', session: call.session })
    const failure = failureOfPpp(cause)
    if (cause.code === 'echoTimeout') {
      this.#end(failure)
      this.#l2tp.command(now, { type: 'close' })
    } else if (failure) this.#tell({ type: 'sessionEnded', failure })
  }

  #sessionClosed(now: Millis, cause: L2tpCause): void {
    const failure = this.#dropCall(now, cause)
    if (cause.scope === 'tunnel') this.#end(failure)
    else if (failure) this.#tell({ type: 'sessionEnded', failure })
  }

  #closed(now: Millis, cause: L2tpCause): void {
    const failure = this.#dropCall(now, cause)
    this.#end(failure)
  }

  /** Ends PPP below the call, so that it tells how far it had come, and says why all of it ended. */
  #dropCall(now: Millis, cause: L2tpCause): Failure | undefined {
    const call = this.#call
    this.#call = undefined
    const { server, l2tp } = this.#options
    const secret = l2tp.secret !== undefined
    if (!call)
      return failureOfL2tp(now, cause, {
        server,
        secret,
        credentialsSentAt: undefined,
        authenticated: false,
        wasUp: false,
      })
    call.ppp.command(now, { type: 'lowerDown' })
    let lowerDown: Extract<PppCause, { code: 'lowerDown' }> | undefined
    for (let event = call.ppp.pollEvent(); event; event = call.ppp.pollEvent()) {
      if (event.type !== 'closed') continue
      if (event.cause.code === 'lowerDown') lowerDown = event.cause
      // Where PPP knows better than the CDN, such as a quarrel about authentication, its word counts.
      else if (mayBeAboutPpp(cause)) return failureOfPpp(event.cause)
    }
    return failureOfL2tp(now, cause, {
      server,
      secret,
      credentialsSentAt: lowerDown?.afterPassword ? call.credentials.sentAt : undefined,
      authenticated: call.authenticated,
      wasUp: call.wasUp,
      ...(lowerDown?.declined ? { declined: lowerDown.declined } : {}),
    })
  }

  #end(failure: Failure | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#tell({ type: 'ended', failure })
  }

  #tell(event: ClientEvent): void {
    this.#events.push(event)
  }
}
