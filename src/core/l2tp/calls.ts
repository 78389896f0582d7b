/** The sessions of one tunnel: incoming calls of both sides, and their data messages. RFC 2661 sections 5.2 to 5.4, 7.4. */
import { encodeUtf8, u16, u32 } from '../bytes.ts'
import { unreachable } from '../result.ts'
import { after, earliest, type Millis } from '../time.ts'
import { localCause, peerCause, protocolCause, timeoutCause, violationCdn } from './cause.ts'
import { CdnResult, GeneralError } from './codes.ts'
import { type DataPacket, encodeData } from './header.ts'
import type { MessageError } from './message-decode.ts'
import { type Cdn, type ControlMessage, Framing, type Iccn } from './messages.ts'
import { type SessionInput, type SessionStateName, sessionTransition } from './session-machine.ts'
import {
  assignedId,
  badInput,
  callInfo,
  newSession,
  phaseOf,
  type Session,
  type SessionState,
} from './session-state.ts'
import type { Tunnel } from './tunnel.ts'
import type { SessionMessage } from './tunnel-state.ts'
import type { CdnReason, L2tpCause, L2tpEvent, L2tpOptions, L2tpViolation } from './types.ts'

/** Calls that an LNS takes at once, unless configured. */
const DEFAULT_MAX_CALLS = 16

/** Bits per second that ICCN states; there is no line behind it that had a speed. */
const CONNECT_SPEED = 1_000_000_000

const NO_CALLS: CdnReason = { result: CdnResult.noFacilities, message: 'no such calls here' }

/** What led to an input, as far as its action needs it. */
interface Trigger {
  readonly cause?: L2tpCause
  /** What the peer is told if a CDN is sent. */
  readonly reason?: CdnReason
}

/** All sessions of a tunnel. */
export class Calls {
  readonly #options: L2tpOptions
  readonly #tunnel: Tunnel
  readonly #emit: (event: L2tpEvent) => void
  readonly #sessions = new Map<number, Session>()
  #nextId: number
  #nextSerial: number

  constructor(options: L2tpOptions, tunnel: Tunnel, emit: (event: L2tpEvent) => void) {
    this.#options = options
    this.#tunnel = tunnel
    this.#emit = emit
    this.#nextId = u16(options.entropy(2), 0)
    this.#nextSerial = u32(options.entropy(4), 0)
  }

  /** LAC: places a call, and opens the tunnel for it if need be. */
  place(now: Millis): void {
    if (this.#options.role !== 'lac') return
    const session = newSession(this.#freshId())
    this.#emit({ type: 'calling', session: session.id })
    if (this.#tunnel.state === 'stopped') {
      const reason = { result: CdnResult.noFacilitiesNow, message: 'the tunnel is closed' }
      this.#emit({
        type: 'sessionClosed',
        session: session.id,
        cause: localCause('session', 'opening', reason),
      })
      return
    }
    this.step(now, session, 'call')
    if (this.#tunnel.state === 'established') this.step(now, session, 'tunnelOpen')
  }

  clear(now: Millis, id: number, reason: CdnReason): void {
    const session = this.#sessions.get(id)
    if (!session) return
    this.step(now, session, 'clear', { reason, cause: localCause('session', phaseOf(session), reason) })
  }

  /** Waiting calls go ahead. */
  tunnelOpened(now: Millis): void {
    for (const session of [...this.#sessions.values()]) this.step(now, session, 'tunnelOpen')
  }

  /** All sessions end with the tunnel. */
  tunnelClosed(now: Millis, cause: L2tpCause): void {
    for (const session of [...this.#sessions.values()])
      this.step(now, session, 'tunnelClosed', { cause: { ...cause, phase: phaseOf(session) } })
  }

  /** Takes a control message whose type belongs to a session. */
  receive(now: Millis, { session: id, content }: SessionMessage): void {
    const type = content.ok ? content.value.type : content.error.type
    const assigned = assignedId(content.ok ? content.value : content.error)
    const session = this.#find(id, type, assigned) ?? this.#stranger(id, assigned)
    if (content.ok) this.#message(now, session, content.value)
    else this.#faulty(now, session, content.error)
  }

  receiveData(packet: DataPacket): void {
    const session = this.#sessions.get(packet.session)
    if (session?.state.name !== 'established') return
    this.#followSequencing(session, packet.ns !== undefined)
    this.#emit({ type: 'received', session: session.id, frame: packet.frame })
  }

  sendFrame(id: number, frame: Uint8Array): void {
    const session = this.#sessions.get(id)
    if (session?.state.name !== 'established') return
    const ns = session.sequencing ? session.ns : undefined
    if (ns !== undefined) session.ns = (ns + 1) & 0xffff
    this.#tunnel.sendData(
      encodeData({ tunnel: this.#tunnel.ends.peerId, session: session.peerId, ns }, frame),
    )
  }

  timeout(now: Millis): void {
    for (const session of [...this.#sessions.values()]) {
      const { state } = session
      if (!('until' in state) || now < state.until) continue
      const awaited = state.name === 'waitReply' ? 'ICRP' : 'ICCN'
      const reason = {
        result: CdnResult.notInTime,
        error: GeneralError.none,
        message: `no ${awaited} in time`,
      }
      const cause = timeoutCause('session', phaseOf(session), awaited, 1)
      this.step(now, session, 'expired', { reason, cause })
    }
  }

  get deadline(): Millis | undefined {
    const states = [...this.#sessions.values()].map(({ state }) => state)
    return earliest(...states.map((state) => ('until' in state ? state.until : undefined)))
  }

  /** One input of a session: the table says which state is entered and what is done then. None is entered elsewhere. */
  step(now: Millis, session: Session, input: SessionInput, { cause, reason }: Trigger = {}): void {
    const { action, next } = sessionTransition(this.#options.role, session.state.name, input)
    const existed = session.state.name !== 'idle'
    if (next !== session.state.name) this.#enter(now, session, next)
    switch (action) {
      case 'none':
        return
      case 'openTunnel':
        this.#tunnel.open(now)
        return
      case 'sendIcrq':
        this.#sendIcrq(now, session)
        return
      case 'sendIcrp':
        this.#tunnel.send(now, { type: 'ICRP', assignedSessionId: session.id }, session.peerId)
        return
      case 'sendIccn':
        this.#sendIccn(now, session)
        return
      case 'connect':
        session.sequencingRequired = session.connected?.sequencingRequired ?? false
        session.sequencing = session.sequencingRequired || (this.#options.sequencing ?? false)
        this.#emitOpened(session)
        return
      case 'disconnect':
        this.#sendCdn(now, session, reason ?? { result: CdnResult.administrative })
        if (existed) this.#emitClosed(session, cause)
        return
      case 'cleanUp':
        if (existed) this.#emitClosed(session, cause)
        return
      default:
        unreachable(action)
    }
  }

  /** By the id in the header; where that is 0, by the id that the peer assigned. */
  #find(id: number, type: string | undefined, assigned: number | undefined): Session | undefined {
    if (id !== 0) return this.#sessions.get(id)
    const sessions = [...this.#sessions.values()]
    const known = assigned && sessions.find(({ peerId }) => peerId === assigned)
    if (known || type !== 'CDN') return known || undefined
    // An LNS that refuses a call may leave our id out: with one call pending it is clear which one is meant.
    const pending = sessions.filter(({ state }) => state.name === 'waitReply')
    return pending.length === 1 ? pending[0] : undefined
  }

  /** A session in idle: it exists only if the table lets it. */
  #stranger(id: number, assigned = 0): Session {
    return newSession(id === 0 ? this.#freshId() : id, assigned)
  }

  #message(now: Millis, session: Session, message: ControlMessage): void {
    switch (message.type) {
      case 'ICRQ': {
        const refusal = session.state.name === 'idle' ? this.#refusal() : undefined
        session.indicated ??= message
        this.#received(now, session, refusal ? 'icrqBad' : 'icrq', message, refusal)
        return
      }
      case 'ICRP':
        if (session.peerId === 0) session.peerId = message.assignedSessionId
        this.#received(now, session, 'icrp', message)
        return
      case 'ICCN':
        session.connected ??= message
        this.#received(now, session, 'iccn', message)
        return
      case 'CDN':
        this.step(now, session, 'cdn', { cause: peerCause(phaseOf(session), message) })
        return
      case 'OCRQ':
        if (session.state.name !== 'idle') this.#received(now, session, 'invalid', message)
        else this.#sendCdn(now, session, NO_CALLS)
        return
      case 'OCRP':
      case 'OCCN':
        this.#received(now, session, 'invalid', message)
        return
      // WEN and SLI tell of asynchronous lines: nothing to do.
      default:
        return
    }
  }

  /** An input with a message; it becomes an objection if the table wants the session ended. */
  #received(
    now: Millis,
    session: Session,
    input: SessionInput,
    message: ControlMessage,
    refusal?: CdnReason,
  ): void {
    const unknown = session.state.name === 'idle'
    const error = unknown ? GeneralError.badSessionId : GeneralError.vendorSpecific
    const reason = refusal ?? violationCdn(error, `unexpected ${message.type}`)
    const violation = refusal ? 'refused' : 'messageUnexpected'
    this.step(now, session, input, this.#objection(session, violation, reason))
  }

  #faulty(now: Millis, session: Session, { type, violation, error, message }: MessageError): void {
    const counters = type === 'WEN' || type === 'SLI'
    // Their contents are of no use here, so that a flaw in them costs no session; what is mandatory and unknown does.
    if (counters && violation !== 'avpUnknown') return
    const objection = this.#objection(session, violation, violationCdn(error, message))
    const refused = type === 'OCRQ' && session.state.name === 'idle'
    if (refused) this.#sendCdn(now, session, objection.reason)
    else this.step(now, session, badInput(type), objection)
  }

  #objection(session: Session, violation: L2tpViolation, reason: CdnReason) {
    return { reason, cause: protocolCause('session', phaseOf(session), violation, reason) }
  }

  #refusal(): CdnReason | undefined {
    const { role, refuseCalls, maxCalls = DEFAULT_MAX_CALLS } = this.#options
    if (role === 'lac') return NO_CALLS
    if (refuseCalls) return refuseCalls
    if (this.#sessions.size < maxCalls) return undefined
    return { result: CdnResult.noFacilitiesNow, message: 'too many calls' }
  }

  /** Those that are idle are not kept. */
  #enter(now: Millis, session: Session, name: SessionStateName): void {
    session.state = this.#entered(now, name)
    if (name === 'idle') this.#sessions.delete(session.id)
    else this.#sessions.set(session.id, session)
  }

  /** A state at its beginning. */
  #entered(now: Millis, name: SessionStateName): SessionState {
    switch (name) {
      case 'idle':
      case 'waitTunnel':
      case 'established':
        return { name }
      case 'waitReply':
      case 'waitConnect':
        return { name, until: after(now, this.#tunnel.answerTime) }
    }
  }

  #sendIcrq(now: Millis, { id }: Session): void {
    const callSerialNumber = this.#nextSerial
    this.#nextSerial = (this.#nextSerial + 1) >>> 0
    this.#tunnel.send(now, { type: 'ICRQ', assignedSessionId: id, callSerialNumber }, 0)
  }

  #sendIccn(now: Millis, session: Session): void {
    session.sequencingRequired = this.#options.sequencing ?? false
    session.sequencing = session.sequencingRequired
    // RFC 2661 section 4.4.3: only a framing that the peer has advertised.
    const onlyAsync = (this.#tunnel.ends.peerFraming & (Framing.sync | Framing.async)) === Framing.async
    const iccn: Iccn = {
      type: 'ICCN',
      txConnectSpeed: CONNECT_SPEED,
      framingType: onlyAsync ? Framing.async : Framing.sync,
      sequencingRequired: session.sequencingRequired,
    }
    this.#tunnel.send(now, iccn, session.peerId)
    this.#emitOpened(session)
  }

  #sendCdn(now: Millis, { id, peerId }: Session, { result, error, message }: CdnReason): void {
    const said = message === undefined ? undefined : encodeUtf8(message)
    const cdn: Cdn = { type: 'CDN', assignedSessionId: id, result: { result, error, message: said } }
    this.#tunnel.send(now, cdn, peerId)
  }

  #emitClosed({ id }: Session, cause: L2tpCause | undefined): void {
    if (cause) this.#emit({ type: 'sessionClosed', session: id, cause })
  }

  #emitOpened(session: Session): void {
    const { localId, peerId, peer } = this.#tunnel.ends
    this.#emit({
      type: 'sessionOpened',
      session: session.id,
      peerSession: session.peerId,
      localTunnel: localId,
      peerTunnel: peerId,
      peer,
      sequencing: session.sequencing,
      call: callInfo(session),
    })
  }

  /** RFC 2661 section 5.4: unless the LAC required numbers, it numbers its data messages as the LNS does. */
  #followSequencing(session: Session, numbered: boolean): void {
    if (this.#options.role !== 'lac' || session.sequencingRequired || session.sequencing === numbered) return
    session.sequencing = numbered
    this.#emit({ type: 'sequencingChanged', session: session.id, sequencing: numbered })
  }

  /** Ids go round, so that one which was just in use is not in use again at once. */
  #freshId(): number {
    do this.#nextId = (this.#nextId + 1) & 0xffff
    while (this.#nextId === 0 || this.#sessions.has(this.#nextId))
    return this.#nextId
  }
}
