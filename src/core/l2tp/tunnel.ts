/** The control connection: its states, deadlines and keepalive. RFC 2661 sections 5.1, 5.5, 5.7 and 7.2. */
import { printable, u16 } from '../bytes.ts'
import type { Address, Transmit } from '../endpoint.ts'
import { unreachable } from '../result.ts'
import { after, earliest, type Millis } from '../time.ts'
import { localCause, peerCause, protocolCause, timeoutCause } from './cause.ts'
import { CHALLENGE_LENGTH } from './challenge.ts'
import { GeneralError, StopCcnResult } from './codes.ts'
import { ControlChannel, DEFAULT_RETRANSMISSION, type Delivered } from './control-channel.ts'
import {
  BAD_INPUT,
  badInput,
  DEFAULT_RECEIVE_WINDOW,
  EXPECTED,
  GOOD_INPUT,
  judge,
  makeScccn,
  makeSccrp,
  makeSccrq,
  makeStopCcn,
  type Objection,
  object,
  unexpected,
} from './handshake.ts'
import { type ControlPacket, type DataPacket, encodeControl } from './header.ts'
import { type DecodedMessage, decodeMessage, type MessageError } from './message-decode.ts'
import { encodeMessage, type SendableMessage } from './message-encode.ts'
import { DEFAULT_WINDOW, isSessionMessage, type Scccn, type Sccrp, type Sccrq } from './messages.ts'
import { type Belonging, belonging, lateAnswer } from './tunnel-identity.ts'
import { type TunnelInput, type TunnelStateName, tunnelTransition } from './tunnel-machine.ts'
import {
  enteredState,
  LINGER,
  STRANGER,
  type TunnelEnds,
  type TunnelListener,
  type TunnelState,
} from './tunnel-state.ts'
import type {
  AwaitedMessage,
  L2tpCause,
  L2tpOptions,
  L2tpPhase,
  Retransmission,
  StopCcnReason,
} from './types.ts'

/** Unacknowledged messages of ours at which a peer that goes on asking is cut off. */
const MAX_BACKLOG = 256

/** What led to an input, as far as its action needs it. */
interface Trigger {
  /** Of an input that ends the tunnel. */
  readonly cause?: L2tpCause
  /** What the peer is told if a StopCCN is sent. */
  readonly reason?: StopCcnReason
}

/** One control connection: handshake, keepalive, end; hands the messages of sessions to its listener. */
export class Tunnel {
  readonly #options: L2tpOptions
  readonly #retransmission: Retransmission
  readonly #listener: TunnelListener
  #state: TunnelState = { name: 'idle' }
  #channel: ControlChannel
  #localId: number
  #peerId = 0
  #peer: Address
  #introduction = STRANGER

  constructor(options: L2tpOptions, listener: TunnelListener) {
    this.#options = options
    this.#retransmission = { ...DEFAULT_RETRANSMISSION, ...options.retransmission }
    this.#listener = listener
    this.#channel = this.#freshChannel()
    this.#localId = this.#freshId()
    this.#peer = options.peer
  }

  get state(): TunnelStateName {
    return this.#state.name
  }

  /** Whom data messages go to, and what its Framing Capabilities are. */
  get ends(): TunnelEnds {
    const { framingCapabilities: peerFraming } = this.#introduction
    return { localId: this.#localId, peerId: this.#peerId, peer: this.#peer, peerFraming }
  }

  /** How long the peer's next step is awaited. */
  get answerTime(): Millis {
    return this.#retransmission.answer
  }

  open(now: Millis): void {
    this.step(now, 'open')
  }

  close(now: Millis, reason: StopCcnReason): void {
    this.step(now, 'close', { cause: localCause('tunnel', this.#phase(), reason), reason })
  }

  /** Sends a message of a session; `peerSession` goes into its header. */
  send(now: Millis, message: SendableMessage, peerSession: number): void {
    this.#channel.send(now, peerSession, encodeMessage(message))
  }

  /** Sends a data message, after the control messages that are due to leave. */
  sendData(bytes: Uint8Array): void {
    this.#channel.sendData(bytes)
  }

  /** Something of this tunnel arrived on the data path. */
  heard(now: Millis): void {
    this.#channel.heard(now)
  }

  receive(now: Millis, from: Address, packet: ControlPacket): void {
    if (!this.#isFromPeer(from)) return
    if (this.#state.name === 'abandoned') {
      this.#late(now, from, packet)
      return
    }
    const whose = this.#whose(packet)
    if (whose === 'foreign') return
    if (whose === 'tieWinner') this.step(now, 'sccrqTieLost')
    for (const delivered of this.#channel.receive(now, packet)) this.#deliver(now, from, delivered)
    if (this.#channel.backlog === 0) this.#finish(now, true)
  }

  /** Whether a data message belongs to this tunnel; if so, it is a sign of life. */
  receiveData(now: Millis, from: Address, { tunnel }: DataPacket): boolean {
    const { host, port } = this.#peer
    if (tunnel !== this.#localId || from.host !== host || from.port !== port) return false
    this.heard(now)
    return true
  }

  timeout(now: Millis): void {
    this.#channel.timeout(now)
    if (this.#channel.dead) {
      this.step(now, 'dead', { cause: this.#timeoutCause('acknowledgement') })
      this.#finish(now, false)
    }
    const state = this.#state
    if ('until' in state && state.until !== undefined && now >= state.until) this.#expire(now)
    const helloAt = this.#helloAt()
    if (helloAt !== undefined && now >= helloAt) this.send(now, { type: 'HELLO' }, 0)
  }

  get deadline(): Millis | undefined {
    const state = this.#state
    const until = 'until' in state ? state.until : undefined
    return earliest(this.#channel.deadline, until, this.#helloAt())
  }

  poll(): Transmit | undefined {
    const next = this.#channel.poll()
    if (!next) return undefined
    if (next.kind === 'data') return { to: this.#peer, bytes: next.bytes }
    return { to: this.#peer, bytes: encodeControl({ ...next, tunnel: this.#peerId }, next.body) }
  }

  /** One input: the table says which state is entered and what is done then. None is entered elsewhere. */
  step(now: Millis, input: TunnelInput, { cause, reason }: Trigger = {}): void {
    const { action, next } = tunnelTransition(this.#state.name, input)
    const ending = cause ?? localCause('tunnel', this.#phase(), { result: StopCcnResult.clear })
    if (next !== this.#state.name)
      this.#state = enteredState(now, next, this.answerTime, () => this.#freshChallenge())
    switch (action) {
      case 'none':
        return
      case 'sendSccrq': {
        const body = encodeMessage(makeSccrq(this.#options, this.#localId, this.#challenge))
        this.#channel.send(now, 0, body, this.#retransmission.attemptsSccrq)
        return
      }
      case 'sendSccrp': {
        const { challenge } = this.#introduction
        this.send(now, makeSccrp(this.#options, this.#localId, this.#challenge, challenge), 0)
        return
      }
      case 'sendScccnAndOpen':
        this.send(now, makeScccn(this.#options, this.#introduction.challenge), 0)
        this.#tellOpen(now)
        return
      case 'tellOpen':
        this.#tellOpen(now)
        return
      case 'stop':
        // Before the StopCCN the sessions end: their CDNs are implied (RFC 2661 section 6.4).
        this.#channel.hurry()
        this.send(now, makeStopCcn(this.#localId, reason), 0)
        this.#listener.tunnelClosed(now, ending)
        return
      case 'cleanUp':
        this.#channel.silence()
        this.#listener.tunnelClosed(now, ending)
        // A connection that was never opened has nothing to acknowledge.
        if (input === 'close') this.#finish(now, true, false)
        else if (input !== 'dead') this.#finish(now, true)
        return
      case 'abandon':
        this.#channel.silence()
        this.#listener.tunnelClosed(now, ending)
        return
      case 'refuse':
        this.send(now, makeStopCcn(this.#localId, reason), 0)
        return
      case 'requeue':
        this.#channel = this.#freshChannel()
        this.#localId = this.#freshId()
        return
      case 'forget':
        this.#finish(now, false)
        this.#lingers(undefined)
        return
      default:
        unreachable(action)
    }
  }

  /** RFC 2661 section 5.5: a HELLO after silence, unless a message asks for an acknowledgement anyway. */
  #helloAt(): Millis | undefined {
    const { helloInterval } = this.#options
    const { heardAt, backlog } = this.#channel
    const quiet = this.#state.name === 'established' && backlog === 0
    return quiet && helloInterval > 0 && heardAt !== undefined ? after(heardAt, helloInterval) : undefined
  }

  /** RFC 2661 section 8.1: the answer to SCCRQ may come from another port; from then on the address is fixed. */
  #isFromPeer(from: Address): boolean {
    if (from.host !== this.#peer.host) return false
    const { name } = this.#state
    return from.port === this.#peer.port || name === 'waitCtlReply' || name === 'abandoned'
  }

  /** An answer after we gave up. Nothing else is of interest, since the peer has no id yet to answer under. */
  #late(now: Millis, from: Address, packet: ControlPacket): void {
    const assigned = lateAnswer(packet, this.#localId, (body) => this.#decode(body))
    if (assigned === undefined) return
    this.#learn(from)
    this.#peerId = assigned
    this.#channel.revive()
    this.#channel.receive(now, packet)
    this.#listener.emit({ type: 'answeredLate' })
    this.step(now, 'sccrp')
  }

  #deliver(now: Millis, from: Address, { session, body }: Delivered): void {
    const decoded = this.#decode(body)
    if (this.#state.name === 'stopped') {
      // Both closed at once: the peer will hardly acknowledge any more, and need not.
      if (decoded.ok && decoded.value.type === 'StopCCN') this.#finish(now, true)
      return
    }
    if (this.#state.name === 'waitCtlReply') this.#learn(from)
    if (this.#channel.backlog > MAX_BACKLOG) {
      this.#violated(now, 'invalid', object('refused', 'too many requests', GeneralError.noResources))
    } else if (!decoded.ok) this.#faulty(now, session, decoded.error)
    else this.#message(now, session, decoded.value)
  }

  #faulty(now: Millis, session: number, error: MessageError): void {
    if (error.type !== undefined && isSessionMessage(error.type) && this.#state.name === 'established') {
      this.#listener.sessionMessage(now, { session, content: { ok: false, error } })
      return
    }
    if (error.assignedTunnelId !== undefined && this.#peerId === 0) this.#peerId = error.assignedTunnelId
    this.#violated(now, badInput(error.type), object(error.violation, error.message, error.error))
  }

  #message(now: Millis, session: number, message: DecodedMessage): void {
    switch (message.type) {
      case 'ignored':
      case 'HELLO':
        return
      case 'SCCRQ':
      case 'SCCRP':
      case 'SCCCN':
        this.#handshake(now, message)
        return
      case 'StopCCN':
        // The acknowledgement of a refusal needs the id of the refuser.
        if (this.#peerId === 0) this.#peerId = message.assignedTunnelId ?? 0
        this.step(now, 'stopCcn', { cause: peerCause(this.#phase(), message) })
        return
      default:
        if (this.#state.name !== 'established') this.#violated(now, 'invalid', unexpected(message.type))
        else this.#listener.sessionMessage(now, { session, content: { ok: true, value: message } })
    }
  }

  #handshake(now: Millis, message: Sccrq | Sccrp | Scccn): void {
    const expected = EXPECTED[this.#state.name] === message.type
    // Even a refusal goes to the id that the peer assigned.
    if (expected && message.type !== 'SCCCN') this.#meet(message)
    const objection = expected ? judge(this.#options, this.#challenge, message) : unexpected(message.type)
    const input = (expected && objection ? BAD_INPUT : GOOD_INPUT)[message.type]
    if (objection) this.#violated(now, input, objection)
    else this.step(now, input)
  }

  #violated(now: Millis, input: TunnelInput, { violation, reason }: Objection): void {
    this.step(now, input, { cause: protocolCause('tunnel', this.#phase(), violation, reason), reason })
  }

  #expire(now: Millis): void {
    const awaited = this.#state.name === 'waitCtlConn' ? 'SCCCN' : 'SCCRP'
    const reason = { result: StopCcnResult.clear, error: GeneralError.none, message: `no ${awaited} in time` }
    this.step(now, 'expired', { cause: this.#timeoutCause(awaited), reason })
  }

  #tellOpen(now: Millis): void {
    const { hostName, vendorName, firmwareRevision, receiveWindowSize } = this.#introduction
    this.#listener.emit({
      type: 'opened',
      localTunnel: this.#localId,
      peerTunnel: this.#peerId,
      peer: this.#peer,
      hostName: printable(hostName),
      vendor: vendorName && printable(vendorName),
      firmware: firmwareRevision,
      window: receiveWindowSize ?? DEFAULT_WINDOW,
      authenticated: this.#options.secret !== undefined,
    })
    this.#listener.tunnelOpened(now)
  }

  /** The peer has acknowledged our StopCCN, or sent its own, or is gone. */
  #finish(now: Millis, acknowledged: boolean, lingers = acknowledged): void {
    if (this.#state.name !== 'stopped' || this.#state.told) return
    this.#channel.silence()
    this.#lingers(lingers ? after(now, LINGER) : undefined)
    this.#listener.emit({ type: 'finished', acknowledged })
  }

  /** Stopped, and told so: what is left is to acknowledge until then. */
  #lingers(until: Millis | undefined): void {
    this.#state = { name: 'stopped', told: true, until }
  }

  /** Takes from SCCRQ or SCCRP how to reach the peer. */
  #meet(message: Sccrq | Sccrp): void {
    this.#introduction = message
    this.#peerId = message.assignedTunnelId
    this.#channel.peerWindow = message.receiveWindowSize ?? DEFAULT_WINDOW
  }

  #whose(packet: ControlPacket): Belonging {
    if (this.#state.name === 'stopped' && this.deadline === undefined) return 'foreign'
    const ids = { local: this.#localId, peer: this.#peerId, mayAnswer: this.#options.role === 'lns' }
    return belonging(packet, this.#state.name, ids, (body) => this.#decode(body))
  }

  #learn(from: Address): void {
    if (from.port === this.#peer.port) return
    this.#peer = from
    this.#listener.emit({ type: 'peerChanged', peer: from })
  }

  #timeoutCause(awaited: AwaitedMessage): L2tpCause {
    return timeoutCause('tunnel', this.#phase(), awaited, this.#channel.transmissions)
  }

  #phase(): L2tpPhase {
    return this.#state.name === 'established' ? 'open' : 'opening'
  }

  #decode(body: Uint8Array) {
    const { digests, secret } = this.#options
    return decodeMessage(body, { digests, secret })
  }

  #freshChannel(): ControlChannel {
    const receiveWindow = this.#options.receiveWindow ?? DEFAULT_RECEIVE_WINDOW
    return new ControlChannel({ retransmission: this.#retransmission, receiveWindow })
  }

  /** What our SCCRQ or SCCRP asked, while its answer is awaited. */
  get #challenge(): Uint8Array | undefined {
    return 'challenge' in this.#state ? this.#state.challenge : undefined
  }

  #freshChallenge(): Uint8Array | undefined {
    return this.#options.secret && this.#options.entropy(CHALLENGE_LENGTH)
  }

  #freshId(): number {
    return u16(this.#options.entropy(2), 0) || 1
  }
}
