/** A PPP link: LCP, authentication and the network protocols, phase by phase (RFC 1661 section 3). */
import { printable, u8 } from '../bytes.ts'
import { unreachable } from '../result.ts'
import { after, earliest, type Millis } from '../time.ts'
import { authName, authOption } from './auth-option.ts'
import type { AuthDialogue, AuthOutcome } from './authentication.ts'
import { chapCodes } from './chap-packet.ts'
import { ControlProtocol } from './control-protocol.ts'
import { createDialogue } from './dialogue.ts'
import { LcpPolicy, type LcpTerms, lcpCodes } from './lcp.ts'
import { defaultPppLimits } from './limits.ts'
import { LinkMaintenance, rejectedProtocol } from './maintenance.ts'
import { NetworkPhase } from './network.ts'
import { networkPolicies } from './network-policies.ts'
import { type ControlPacket, codes, encodePacket } from './packet.ts'
import { decodeFrame, encodeFrame, type PppFrame, protocols } from './protocol.ts'
import type {
  IpProtocol,
  NegotiationFailure,
  PppCause,
  PppCommand,
  PppEvent,
  PppLimits,
  PppOptions,
  PppPhase,
} from './types.ts'
import { Unmet } from './unmet.ts'

/** RFC 8200 section 5: every link with IPv6 carries packets of so many octets. */
const LEAST_IPV6_MTU = 1280

type State =
  | { readonly phase: 'dead' | 'establish' | 'network' }
  | { readonly phase: 'authenticate'; readonly deadline: Millis }
  | { readonly phase: 'terminate'; readonly cause: PppCause }

/**
 * Sans-IO, and good for one session. Every input carries `now`; after each, drain `pollTransmit` and `pollEvent`, then
 * re-arm the one alarm to `pollTimeout`. Frames that are transmitted begin with FF 03. After `closed` nothing happens
 * any more, except that what is queued should still be transmitted.
 */
export class PppLink {
  readonly #options: PppOptions
  readonly #limits: PppLimits
  readonly #policy: LcpPolicy
  readonly #lcp: ControlProtocol<LcpTerms>
  readonly #maintenance: LinkMaintenance
  readonly #unmet: Unmet
  #network: NetworkPhase | undefined
  #dialogue: AuthDialogue | undefined
  /** An authentication packet that overtook the Configure-Ack before it. */
  #early: PppFrame | undefined
  #state: State = { phase: 'dead' }
  /** In which phase the current input found us. */
  #inputPhase: PppPhase = 'dead'
  #closed = false
  #transmits: Uint8Array[] = []
  #events: PppEvent[] = []

  constructor(options: PppOptions) {
    this.#options = options
    this.#limits = { ...defaultPppLimits, ...options.limits }
    this.#policy = new LcpPolicy(options)
    this.#unmet = new Unmet(this.#policy.consent, options)
    this.#lcp = new ControlProtocol(
      this.#policy,
      this.#limits,
      {
        send: (packet) => this.#send(protocols.lcp, packet),
        up: (now) => this.#lcpUp(now),
        down: (now) => this.#lcpDown(now),
        finished: (now, why) => this.#lcpFinished(now, why),
        extended: (now, packet) => this.#lcpExtended(now, packet),
        mayReject: (now) => this.#maintenance.mayReject(now),
        mru: () => this.#policy.result().peerMru,
      },
      lcpCodes,
    )
    this.#maintenance = new LinkMaintenance(options, {
      send: (packet) => this.#send(protocols.lcp, packet),
      identifier: () => this.#lcp.identifier(),
      terms: () => this.#policy.result(),
    })
  }

  get phase(): PppPhase {
    return this.#state.phase
  }

  /** A frame arrived, with or without address and control field. What is malformed only proves that the peer lives. */
  receive(now: Millis, bytes: Uint8Array): void {
    if (this.#closed || this.#state.phase === 'dead') return
    this.#inputPhase = this.#state.phase
    this.#maintenance.echo.heard(now)
    const frame = decodeFrame(bytes)
    if (!frame.ok) return
    // RFC 1661 section 3.4: whoever sends anything else has opened LCP.
    if (frame.value.protocol !== protocols.lcp) this.#lcp.peerOpen(now)
    switch (frame.value.protocol) {
      case protocols.lcp:
        this.#lcp.receive(now, frame.value.information)
        this.#judgeLink(now)
        break
      case protocols.pap:
      case protocols.chap:
        this.#receiveAuth(now, frame.value)
        break
      case protocols.ipv6:
      case protocols.ipv6cp:
        if (this.#ipv6) this.#receiveNetwork(now, frame.value)
        else this.#receiveUnknown(now, frame.value)
        break
      case protocols.ipv4:
      case protocols.ipcp:
        this.#receiveNetwork(now, frame.value)
        break
      default:
        this.#receiveUnknown(now, frame.value)
    }
  }

  command(now: Millis, command: PppCommand): void {
    if (this.#closed) return
    this.#inputPhase = this.#state.phase
    switch (command.type) {
      case 'open':
        if (this.#state.phase !== 'dead') return
        this.#enter({ phase: 'establish' })
        this.#lcp.start(now)
        return
      case 'close':
        this.#closeInOrder(now, command.reason)
        return
      case 'lowerDown':
        this.#transmits = []
        this.#close(now, { code: 'lowerDown', phase: this.phase, afterPassword: this.#afterPassword })
        return
      case 'alive':
        this.#maintenance.echo.heard(now)
        return
      case 'renegotiate':
        if (this.#state.phase !== 'dead' && this.#state.phase !== 'terminate') this.#lcp.start(now)
        return
      default:
        unreachable(command)
    }
  }

  timeout(now: Millis): void {
    if (this.#closed) return
    this.#inputPhase = this.#state.phase
    this.#lcp.timeout(now)
    if (this.#state.phase === 'authenticate') this.#authTimeout(now, this.#state.deadline)
    this.#network?.timeout(now)
    for (const news of this.#maintenance.timeout(now)) {
      if (news.type === 'silent') this.#abandon(now, { code: 'echoTimeout', silence: news.silence })
      else this.#emit(news)
    }
  }

  pollTransmit(): Uint8Array | undefined {
    return this.#transmits.shift()
  }

  pollEvent(): PppEvent | undefined {
    return this.#events.shift()
  }

  pollTimeout(): Millis | undefined {
    if (this.#closed) return undefined
    const authenticating = this.#state.phase === 'authenticate'
    return earliest(
      this.#lcp.deadline,
      authenticating ? this.#dialogue?.deadline : undefined,
      authenticating && 'deadline' in this.#state ? this.#state.deadline : undefined,
      this.#network?.deadline,
      this.#maintenance.echo.deadline,
    )
  }

  #lcpUp(now: Millis): void {
    const { peerMru, ourMru, auth } = this.#policy.result()
    this.#emit({ type: 'lcpOpened', mru: peerMru, ourMru })
    if (auth === undefined) {
      // Also on a renegotiation without the option: the peer has authenticated us before.
      this.#enterNetwork(now, '')
      return
    }
    this.#dialogue = createDialogue(auth, this.#options, this.#limits, (protocol, packet) =>
      this.#send(protocol, packet),
    )
    this.#enter({ phase: 'authenticate', deadline: after(now, this.#limits.authTimeout) })
    this.#dialogue.start(now)
    const early = this.#early
    this.#early = undefined
    if (early) this.#receiveAuth(now, early)
  }

  #lcpDown(now: Millis): void {
    this.#network?.stop(now)
    this.#maintenance.echo.stop()
    this.#early = undefined
    if (this.#state.phase !== 'terminate') this.#enter({ phase: 'establish' })
  }

  #lcpFinished(now: Millis, why: NegotiationFailure | undefined): void {
    if (this.#state.phase === 'terminate') this.#close(now, this.#state.cause)
    else if (why === 'terminated') this.#close(now, this.#peerTerminated())
    else this.#close(now, { code: 'negotiationFailed', protocol: 'LCP', why: why ?? 'terminated' })
  }

  #peerTerminated(): PppCause {
    const message = printable(this.#lcp.terminateMessage ?? new Uint8Array())
    return {
      code: 'peerTerminated',
      phase: this.#inputPhase,
      afterPassword: this.#afterPassword,
      ...(message === '' ? {} : { message }),
    }
  }

  /** What LCP's policy has found out about the link while it judged options. */
  #judgeLink(now: Millis): void {
    if (this.#policy.looped || this.#maintenance.looped) this.#abandon(now, { code: 'loopback' })
    else if (this.#policy.demand.impossible) {
      const { auth } = this.#options
      const demanded = auth.map((method) => ({ name: authName(authOption(method)), method }))
      this.#abandon(now, { code: 'authUnacceptable', demanded, allowed: auth })
    }
  }

  #lcpExtended(now: Millis, packet: ControlPacket): void {
    const rejected = packet.code === codes.protocolReject ? rejectedProtocol(packet) : undefined
    if (rejected !== undefined) this.#network?.protocolRejected(now, rejected)
    const news = this.#maintenance.receive(now, packet)
    if (news?.type === 'echoed') this.#emit(news)
  }

  #receiveAuth(now: Millis, frame: PppFrame): void {
    const { phase } = this.#state
    // Both a Challenge and an Authenticate-Request have code 1; nothing else can come first.
    const opens = u8(frame.information, 0) === chapCodes.challenge
    if (phase === 'establish' && opens) this.#early = { ...frame, information: frame.information.slice() }
    if (phase !== 'authenticate' && phase !== 'network') return
    if (this.#dialogue?.protocol !== frame.protocol) return
    this.#concludeAuth(now, this.#dialogue.receive(now, frame.information))
  }

  #authTimeout(now: Millis, deadline: Millis): void {
    const dialogue = this.#dialogue
    if (dialogue === undefined) return
    dialogue.timeout(now)
    if (now < deadline) return
    this.#abandon(now, { code: 'authTimeout', method: dialogue.method, answered: dialogue.answered })
  }

  #concludeAuth(now: Millis, outcome: AuthOutcome | undefined): void {
    if (outcome?.kind === 'failed') this.#abandon(now, outcome.cause)
    // In the middle of a session a Success changes nothing.
    if (outcome?.kind !== 'accepted' || this.#state.phase !== 'authenticate' || !this.#dialogue) return
    const { kind: _, ...accepted } = outcome
    this.#emit({ type: 'authenticated', method: this.#dialogue.method, ...accepted })
    this.#enterNetwork(now, outcome.username)
  }

  #enterNetwork(now: Millis, username: string): void {
    this.#enter({ phase: 'network' })
    this.#network = this.#networkFor(username)
    this.#maintenance.echo.start(now)
    this.#network.start(now, this.#ipv6)
    if (this.#options.ipv6 && !this.#ipv6) this.#emit({ type: 'ipv6Small', mtu: this.#mtu })
  }

  /** A client keeps its network protocols, so that a renegotiation asks for the same address again. */
  #networkFor(username: string): NetworkPhase {
    const options = this.#options
    if (options.role === 'client' && this.#network) return this.#network
    const { ipcp, ipv6cp } = networkPolicies(options, username)
    return new NetworkPhase(ipcp, ipv6cp, this.#limits, {
      send: (protocol, packet) => this.#send(protocol, packet),
      emit: (event) => {
        // Whatever the peer asked for in vain: it goes on without.
        if (event.type === 'ipcpOpened' || event.type === 'ipv6cpOpened') this.#policy.consent.content()
        this.#emit(event)
      },
      failed: (now, cause) => this.#abandon(now, cause),
      mayReject: (now) => this.#maintenance.mayReject(now),
      mru: () => this.#policy.result().peerMru,
    })
  }

  /** Only in the network phase (RFC 1661 section 3.6); before, everything of the kind is silently discarded. */
  #receiveNetwork(now: Millis, { protocol, information }: PppFrame): void {
    const isData = protocol === protocols.ipv4 || protocol === protocols.ipv6
    if (this.#state.phase === 'authenticate' && u8(information, 0) === codes.configureRequest && !isData) {
      this.#concludeAuth(now, this.#dialogue?.overtaken(now))
    }
    if (this.phase !== 'network' || !this.#network) return
    if (!isData) this.#network.receive(now, protocol, information)
    else if (this.#network.isOpen(protocol | 0x8000)) {
      const name: IpProtocol = protocol === protocols.ipv4 ? 'ipv4' : 'ipv6'
      this.#emit({ type: 'ipReceived', protocol: name, packet: information.slice() })
    }
  }

  /** During authentication what we do not speak is silently discarded (RFC 1661 section 3.5). */
  #receiveUnknown(now: Millis, frame: PppFrame): void {
    if (this.#state.phase !== 'network') return
    this.#unmet.declined(now, frame)
    this.#maintenance.rejectProtocol(now, frame)
  }

  #closeInOrder(now: Millis, reason: string | undefined): void {
    if (this.#state.phase === 'terminate') return
    const cause: PppCause = { code: 'localClose', ...(reason === undefined ? {} : { reason }) }
    if (this.#state.phase === 'dead') {
      this.#close(now, cause)
      return
    }
    this.#enter({ phase: 'terminate', cause })
    this.#lcp.close(now)
  }

  /** Ends the link for a reason of ours; one Terminate-Request tells the peer, and nobody waits for its answer. */
  #abandon(now: Millis, cause: PppCause): void {
    if (this.#closed) return
    const packet = {
      code: codes.terminateRequest,
      identifier: this.#lcp.identifier(),
      data: new Uint8Array(),
    }
    this.#send(protocols.lcp, encodePacket(packet))
    this.#close(now, cause)
  }

  #close(now: Millis, cause: PppCause): void {
    if (this.#closed) return
    this.#network?.stop(now)
    this.#maintenance.echo.stop()
    const exact = this.#state.phase === 'terminate' ? this.#state.cause : this.#unmet.exactly(now, cause)
    this.#closed = true
    this.#enter({ phase: 'dead' })
    this.#emit({ type: 'closed', cause: exact })
  }

  /** Octets of the largest packet that may go either way. */
  get #mtu(): number {
    const { peerMru, ourMru } = this.#policy.result()
    return Math.min(this.#options.mru, peerMru, ourMru)
  }

  /** Whether IPv6 is spoken: where packets are too small for it, it works for no host behind. */
  get #ipv6(): boolean {
    return this.#options.ipv6 && this.#mtu >= LEAST_IPV6_MTU
  }

  /** Whether the peer is just deciding about our name and password. */
  get #afterPassword(): boolean {
    return this.#inputPhase === 'authenticate' && this.#dialogue?.answered === true
  }

  #enter(state: State): void {
    const changed = state.phase !== this.#state.phase
    this.#state = state
    if (changed) this.#emit({ type: 'phase', phase: state.phase })
  }

  #send(protocol: number, packet: Uint8Array): void {
    if (!this.#closed) this.#transmits.push(encodeFrame(protocol, packet))
  }

  #emit(event: PppEvent): void {
    this.#events.push(event)
  }
}
