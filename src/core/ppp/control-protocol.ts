/** One running instance of the option negotiation automaton: what LCP, IPCP and IPV6CP have in common. */
import { u8 } from '../bytes.ts'
import { after, type Millis } from '../time.ts'
import { type Action, type AutomatonEvent, type StateName, transition } from './automaton.ts'
import { OwnRequest } from './own-request.ts'
import { type ControlPacket, codes, decodePacket, encodePacket, PACKET_HEADER_LENGTH } from './packet.ts'
import { type Judgement, PeerRequest } from './peer-request.ts'
import type { OptionPolicy } from './policy.ts'
import { protocols } from './protocol.ts'
import { LinkAcks, NetworkAcks, type RepeatedAcks } from './repeated-acks.ts'
import { RestartTimer } from './restart-timer.ts'
import type { NegotiationFailure, PppLimits } from './types.ts'

/** Whom an automaton works for. It is called while a state is entered: it may queue, but not call back in. */
export interface ControlProtocolUser {
  /** Transmits a packet of this protocol. */
  send(packet: Uint8Array): void
  /** This-Layer-Up. */
  up(now: Millis): void
  /** This-Layer-Down. */
  down(now: Millis): void
  /** The attempt is over; undefined if we closed it ourselves. Told once per attempt, as soon as it is known. */
  finished(now: Millis, why: NegotiationFailure | undefined): void
  /** A packet with one of `extendedCodes` arrived in Opened. */
  extended?(now: Millis, packet: ControlPacket): void
  /** Asked before each Code-Reject, and before each Terminate-Ack while closed: nothing limits what leads to them. */
  mayReject(now: Millis): boolean
  /** Octets that a Code-Reject may have. */
  mru(): number
}

type State =
  | { readonly name: 'initial' | 'starting' | 'closed' | 'stopped' | 'opened' }
  | { readonly name: 'closing' | 'stopping' | 'reqSent' | 'ackRcvd' | 'ackSent'; readonly deadline: Millis }

/** So many openings within so many ms need no honest negotiation. */
const MAX_OPENINGS = 10
const OPENINGS_WINDOW = 60_000
/** Requests that are still worth sending after the peer has said that it wants to end. */
const TRIES_AFTER_TERMINATE = 3

/** LCP, IPCP or IPV6CP: the one automaton of RFC 1661 section 4 with what a policy says about options. */
export class ControlProtocol<Result> {
  readonly policy: OptionPolicy<Result>
  readonly #user: ControlProtocolUser
  readonly #extendedCodes: ReadonlySet<number>
  readonly #restart: RestartTimer
  readonly #own: OwnRequest
  readonly #acks: RepeatedAcks
  readonly #peer: PeerRequest
  #state: State = { name: 'initial' }
  #openings: Millis[] = []
  #finished = false
  #terminateMessage: Uint8Array | undefined

  constructor(
    policy: OptionPolicy<Result>,
    limits: PppLimits,
    user: ControlProtocolUser,
    extendedCodes: ReadonlySet<number> = new Set(),
  ) {
    this.policy = policy
    this.#user = user
    this.#extendedCodes = extendedCodes
    this.#restart = new RestartTimer(limits)
    this.#own = new OwnRequest(policy)
    this.#acks = policy.protocol === protocols.lcp ? new LinkAcks() : new NetworkAcks()
    this.#peer = new PeerRequest(policy, limits, this.#acks)
  }

  get state(): StateName {
    return this.#state.name
  }

  get opened(): boolean {
    return this.#state.name === 'opened'
  }

  get deadline(): Millis | undefined {
    return 'deadline' in this.#state ? this.#state.deadline : undefined
  }

  /** What the peer wrote in its latest Terminate-Request, if it sent one in this attempt. */
  get terminateMessage(): Uint8Array | undefined {
    return this.#terminateMessage
  }

  /** Something came that the peer sends only when it is open itself. */
  peerOpen(now: Millis): void {
    this.#acks.peerOpen(now)
  }

  /** A fresh identifier for a packet with one of `extendedCodes`. */
  identifier(): number {
    return this.#own.identifier()
  }

  /** Up and Open: the first Configure-Request is sent at once. From any other state a new attempt begins. */
  start(now: Millis): void {
    this.lowerDown(now)
    this.#finished = false
    this.#terminateMessage = undefined
    this.#event(now, 'open')
    this.#event(now, 'up')
  }

  /** The layer below went down. Nothing is sent. */
  lowerDown(now: Millis): void {
    this.#event(now, 'down')
    this.#own.forget()
    this.#peer.forget()
  }

  /** Closes in order; `finished` tells when it is done. */
  close(now: Millis): void {
    this.#event(now, 'close')
  }

  /** The peer does not have this protocol: RFC 1661 section 5.7 wants us to stop sending it. */
  protocolRejected(now: Millis): void {
    this.lowerDown(now)
    this.#finish(now, 'rejected')
  }

  /** Gives up with a reason; a Terminate-Request tells the peer. */
  giveUp(now: Millis, why: NegotiationFailure): void {
    this.#event(now, 'close')
    this.#finish(now, why)
  }

  /** The deadline may have passed; an early call does nothing. */
  timeout(now: Millis): void {
    if (this.deadline === undefined || now < this.deadline) return
    if (this.#restart.exhausted) {
      this.#event(now, 'toMinus')
      return
    }
    this.policy.onSilence?.(this.#own.transmissions)
    this.#restart.backOff()
    this.#event(now, 'toPlus')
  }

  /** A packet of this protocol. What is malformed is silently discarded. */
  receive(now: Millis, bytes: Uint8Array): void {
    const decoded = decodePacket(bytes)
    if (!decoded.ok) return
    const packet = decoded.value
    switch (packet.code) {
      case codes.configureRequest:
        this.#configureRequest(now, packet)
        break
      case codes.configureAck:
      case codes.configureNak:
      case codes.configureReject:
        this.#configureAnswer(now, packet)
        break
      case codes.terminateRequest:
        this.#terminateRequest(now, packet)
        break
      case codes.terminateAck:
        this.#event(now, 'rta')
        break
      case codes.codeReject:
        this.#codeReject(now, packet)
        break
      default:
        this.#event(now, this.#extendedCodes.has(packet.code) ? 'rxr' : 'ruc', { packet })
    }
  }

  #configureRequest(now: Millis, packet: ControlPacket): void {
    // The table knows no packets in Initial and Starting, so nothing may be agreed to there.
    if (this.#state.name === 'initial' || this.#state.name === 'starting') return
    const openedAt = this.opened ? this.#openings.at(-1) : undefined
    const repeated = openedAt === undefined ? undefined : this.#acks.again(now, now - openedAt, packet)
    if (repeated) {
      this.#send(repeated)
      return
    }
    const judgement = this.#peer.judge(now, packet)
    if (judgement === undefined) return
    this.#event(now, judgement.agreed ? 'rcrPlus' : 'rcrMinus', { judgement })
    if (judgement.insists) this.giveUp(now, 'peerInsists')
  }

  #configureAnswer(now: Millis, packet: ControlPacket): void {
    switch (this.#state.name) {
      case 'reqSent':
      case 'ackRcvd':
      case 'ackSent':
      case 'opened': {
        const kind = this.#own.answer(packet)
        if (kind === 'hopeless') this.giveUp(now, 'peerRefuses')
        if (kind === 'stray' || kind === 'hopeless') return
      }
    }
    this.#event(now, packet.code === codes.configureAck ? 'rca' : 'rcn')
  }

  #terminateRequest(now: Millis, packet: ControlPacket): void {
    const wasOpened = this.opened
    this.#terminateMessage = packet.data.slice()
    this.#event(now, 'rtr', { packet })
    this.#restart.atMost(TRIES_AFTER_TERMINATE)
    if (wasOpened) this.#finish(now, 'terminated')
  }

  #codeReject(now: Millis, packet: ControlPacket): void {
    const code = u8(packet.data, 0)
    if (packet.data.length > 0 && code >= codes.configureRequest && code <= codes.codeReject) {
      // A peer without Configure-Nak (l2tpns has none in IPCP) can still be content: it gets Rejects from now on.
      if (code !== codes.configureNak) {
        this.#event(now, 'rxjMinus')
        return
      }
      this.#peer.rejectOnly()
    }
    this.#event(now, 'rxjPlus')
  }

  /** The state is entered first, so that users see it while the actions are taken in their order. */
  #event(now: Millis, event: AutomatonEvent, cargo: Cargo = {}): void {
    const found = transition(this.#state.name, event)
    if (found === undefined) return
    const before = this.#state
    const { actions, next } = found
    this.#enter(next, 'deadline' in before ? before.deadline : after(now, this.#restart.interval))
    for (const action of actions) {
      if (action === 'irc') this.#restart.initialize(actions.includes('str') ? 'terminate' : 'configure')
      else this.#act(now, action, cargo, event)
    }
    // RFC 1661 section 4.4: these start the timer anew.
    if (actions.some((action) => action === 'scr' || action === 'str' || action === 'zrc')) {
      this.#enter(next, after(now, this.#restart.interval))
    }
    if (before.name === 'stopped') this.#finished = next === 'stopped'
    if (actions.includes('tlu')) this.#countOpening(now)
  }

  #enter(name: StateName, deadline: Millis): void {
    switch (name) {
      case 'closing':
      case 'stopping':
      case 'reqSent':
      case 'ackRcvd':
      case 'ackSent':
        this.#state = { name, deadline }
        return
      default:
        this.#state = { name }
    }
  }

  #act(now: Millis, action: Action, { packet, judgement }: Cargo, event: AutomatonEvent): void {
    switch (action) {
      case 'tlu':
        this.#user.up(now)
        break
      case 'tld':
        this.#user.down(now)
        break
      case 'tlf':
        this.#finish(now, this.#whyFinished(event))
        break
      case 'zrc':
        this.#restart.zero()
        break
      case 'scr':
        this.#restart.count()
        this.#send(this.#own.next())
        break
      case 'sca':
      case 'scn':
        if (judgement) this.#send(this.#peer.conclude(judgement))
        break
      case 'str':
        this.#restart.count()
        this.#send({ code: codes.terminateRequest, identifier: this.identifier(), data: new Uint8Array() })
        break
      case 'sta':
        if ((this.#state.name === 'closed' || this.#state.name === 'stopped') && !this.#user.mayReject(now))
          break
        this.#send({
          code: codes.terminateAck,
          identifier: packet?.identifier ?? this.identifier(),
          data: packet?.data ?? new Uint8Array(),
        })
        break
      case 'scj':
        if (packet) this.#sendCodeReject(now, packet)
        break
      case 'ser':
        if (packet) this.#user.extended?.(now, packet)
        break
      case 'tls':
      case 'irc':
        break
    }
  }

  #whyFinished(event: AutomatonEvent): NegotiationFailure | undefined {
    if (event === 'rxjMinus') return 'rejected'
    if (this.#state.name === 'closed' || this.#state.name === 'initial') return undefined
    return this.#terminateMessage === undefined ? 'timeout' : 'terminated'
  }

  #finish(now: Millis, why: NegotiationFailure | undefined): void {
    if (this.#finished) return
    this.#finished = true
    this.#user.finished(now, why)
  }

  #countOpening(now: Millis): void {
    this.#finished = false
    this.#openings = [...this.#openings.filter((at) => now - at < OPENINGS_WINDOW), now]
    if (this.#openings.length > MAX_OPENINGS) this.giveUp(now, 'unstable')
  }

  /** RFC 1661 section 5.6: the rejected packet, cut to the peer's MRU. */
  #sendCodeReject(now: Millis, packet: ControlPacket): void {
    if (!this.#user.mayReject(now)) return
    const data = encodePacket(packet).subarray(0, this.#user.mru() - PACKET_HEADER_LENGTH)
    this.#send({ code: codes.codeReject, identifier: this.identifier(), data })
  }

  #send(packet: ControlPacket): void {
    this.#user.send(encodePacket(packet))
  }
}

/** What an event brings along for the actions that it leads to. */
interface Cargo {
  /** The peer's packet, for Terminate-Ack, Code-Reject and extended codes. */
  readonly packet?: ControlPacket
  /** Of its Configure-Request. */
  readonly judgement?: Judgement
}
