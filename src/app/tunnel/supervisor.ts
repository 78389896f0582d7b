import { Dialer } from '../../core/client/dialer.ts'
import type { DialerAction, DialerInput, Readiness } from '../../core/client/dialer-state.ts'
import { attemptsOf } from '../../core/client/dialer-state.ts'
import type { Attempt } from '../../core/client/race.ts'
import type { CallPhase, ClientEvent } from '../../core/client/types.ts'
import { type Surroundings, unfit } from '../../core/config/fitness.ts'
import type { TunnelConfig } from '../../core/config/types.ts'
import type { ProbeSample } from '../../core/failover/probing.ts'
import type { Failure, NoUplink } from '../../core/failure.ts'
import { err, ok } from '../../core/result.ts'
import type { TunnelSession } from '../../core/system/session.ts'
import type { Outcome } from '../answers.ts'
import { SocketErrors } from '../socket-errors.ts'
import { type AttemptPorts, AttemptRunner, type Carrier } from './attempt.ts'
import { DialerLoop } from './dialer-loop.ts'
import type { Memory } from './memory.ts'
import type { Names } from './names.ts'
import type { Session } from './session.ts'
import { SessionSlot, type SlotPorts } from './session-slot.ts'
import { failureOfSystem } from './system-failure.ts'
import { TunnelReporter } from './tunnel-reporter.ts'
import { type TunnelPath, tunnelPath } from './tunnel-status.ts'

/** What a tunnel is dialled and carried with, and what outlives its sessions. */
export interface SupervisorPorts extends Omit<AttemptPorts & SlotPorts, 'errors'> {
  readonly names: Names
  readonly memory: Memory
}

/** Which tunnel is supervised, as which host, and who is told how it fares. */
export interface SupervisorOptions {
  readonly tunnel: TunnelConfig
  readonly hostName: string
  /** Makes the kernel hold a session, or none; resolves once it does, rejects if it cannot. */
  onSession(session: TunnelSession | undefined): Promise<void>
  /** What no address of a session may take the place of. */
  surroundings(): Surroundings
  /** What `path` gives may have changed. */
  onPath?(): void
  /** An LCP echo came back, or did not in time. */
  onEchoed?(echo: ProbeSample): void
}

/** One tunnel: runs its dialer, its attempts and its session, and tells the status store how they fare. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #ports: SupervisorPorts & { readonly errors: SocketErrors }
  readonly #dialer: Dialer
  readonly #loop: DialerLoop
  readonly #attempts = new Map<number, AttemptRunner>()
  readonly #phases = new Map<number, CallPhase>()
  readonly #slot: SessionSlot
  readonly #reporter: TunnelReporter
  #carriers: readonly Carrier[] = []
  #stranded: NoUplink = { code: 'no_uplink', uplinks: [] }
  #dials = 0
  #idleClosed = 0
  #wanted: Readiness = 'cold'
  /** By configuration, or by a user until told otherwise. */
  #disabled: boolean
  #whenDown: (() => void)[] = []
  #released = false

  constructor(options: SupervisorOptions, ports: SupervisorPorts) {
    this.#options = options
    const { tunnel } = options
    const errors = new SocketErrors(ports.clock, ports.log.with({ tunnel: tunnel.name }))
    this.#ports = { ...ports, errors }
    this.#reporter = new TunnelReporter(tunnel, ports.status)
    this.#disabled = !tunnel.enabled
    this.#dialer = new Dialer({
      servers: tunnel.servers,
      serial: tunnel.localPort !== 0,
      random: () => (ports.entropy(1)[0] ?? 0) / 256,
    })
    this.#loop = new DialerLoop(this.#dialer, ports.clock, {
      perform: (action) => this.#perform(action),
      settled: () => this.#show(),
    })
    this.#slot = new SessionSlot(
      {
        tunnel,
        surroundings: options.surroundings,
        onSession: options.onSession,
        onApplied: () => {
          if (this.#slot.applied) this.#dials = 0
          this.#show()
        },
        onRefused: (id) => this.#refused(id),
        onStatistics: (live) => this.#showStatistics(live),
        onEchoed: (echo) => options.onEchoed?.(echo),
        onStanding: () => this.#show(),
      },
      this.#ports,
    )
  }

  get name(): string {
    return this.#options.tunnel.name
  }

  /** By a user, until told otherwise. */
  get switchedOff(): boolean {
    return this.#disabled && this.#options.tunnel.enabled
  }

  get path(): TunnelPath {
    const { state } = this.#dialer
    const open = state.name === 'open' || state.name === 'recalling' ? state.attempt : undefined
    return tunnelPath({
      device: this.#options.tunnel.device,
      dialable: !this.#disabled && this.#carriers.length > 0,
      control: open !== undefined,
      heardAt: open && this.#attempts.get(open.id)?.heardAt,
      dialer: state,
      applied: this.#slot.applied,
      session: this.#slot.live,
      idleClosed: this.#idleClosed,
      lastAddress: this.#ports.memory.last(this.name)?.ipv4?.address,
    })
  }

  /** The session that is ended next is still received from for `span` ms. */
  linger(span: number): void {
    this.#slot.linger(span)
  }

  /** How ready the tunnel is to be, unless it is `disabled`. */
  want(readiness: Readiness): void {
    this.#wanted = readiness
    if (!this.#disabled) this.#input({ type: 'want', readiness })
  }

  /**
   * The uplinks that can carry the tunnel now, in order of preference; again whenever anything about them changes.
   * `stranded`: what is to be said if there is none.
   */
  setCarriers(carriers: readonly Carrier[], stranded = this.#stranded): void {
    this.#stranded = stranded
    const ids = (list: readonly Carrier[]) => list.map(({ id }) => id).join(' ')
    const changed = ids(this.#carriers) !== ids(carriers)
    this.#carriers = carriers
    if (changed) this.#input({ type: 'uplinks', uplinks: carriers })
    for (const [id, runner] of [...this.#attempts]) {
      const carrier = carriers.find((each) => each.id === runner.carrier.id)
      if (carrier && runner.leads(carrier.uplink)) continue
      if (!this.#isAlive(id)) this.#forget(id)
      else if (carrier) this.#addressGone(id, carrier)
    }
    if (this.#slot.live) this.#show()
  }

  up(): Outcome {
    if (!this.#options.tunnel.enabled) return this.#leftOut()
    this.#disabled = false
    this.#input({ type: 'afresh' })
    this.#input({ type: 'want', readiness: this.#wanted })
    return ok(undefined)
  }

  /** Resolves once the peer knows, or was given up. */
  down(): Promise<void> {
    this.#disabled = true
    return new Promise((resolve) => {
      this.#whenDown.push(resolve)
      this.#input({ type: 'want', readiness: 'cold' })
    })
  }

  /** A person wants the tunnel by way of a path of `failover`: a back-off is over, without switching it on. */
  afresh(): void {
    if (!this.#disabled) this.#input({ type: 'afresh' })
  }

  reconnect(): Outcome {
    if (!this.#options.tunnel.enabled) return this.#leftOut()
    if (this.#disabled) {
      const message = `the tunnel ${this.name} is switched off: switch it on with \`lifeline up ${this.name}\``
      return err({ code: 'refused', message })
    }
    this.#input({ type: 'reconnect' })
    return ok(undefined)
  }

  /** It may be incomplete, and nothing of the kernel is prepared for it. */
  #leftOut(): Outcome {
    const message = `the configuration leaves the tunnel ${this.name} out (option enabled 0)`
    return err({ code: 'refused', message })
  }

  /** After `down`: nothing is timed, sent or shown any more. */
  release(): void {
    this.#released = true
    this.#loop.stop()
    this.#slot.close()
    for (const runner of this.#attempts.values()) runner.destroy()
  }

  // ---- what the dialer wants

  #input(input: DialerInput): void {
    this.#loop.input(input)
  }

  #perform(action: DialerAction): void {
    switch (action.type) {
      case 'resolve':
        this.#resolve(action)
        break
      case 'start':
        this.#start(action.attempt, action.call)
        break
      case 'call':
        this.#attempts.get(action.id)?.command({ type: 'call' })
        break
      case 'hangUp':
        this.#slot.drop(action.id)
        this.#attempts.get(action.id)?.command({ type: 'hangUp' })
        break
      case 'close': {
        const runner = this.#attempts.get(action.id)
        if (!runner) break
        if (action.reason === 'uplinkGone') this.#reporter.uplinkLost(runner.carrier.name)
        this.#slot.drop(action.id)
        runner.command({ type: 'close' })
        break
      }
    }
  }

  #resolve({ route }: Extract<DialerAction, { type: 'resolve' }>): void {
    const carrier = this.#carriers.find(({ id }) => id === route.uplink.id)
    if (!carrier) {
      this.#input({ type: 'unresolved', route })
      return
    }
    this.#ports.names.lookUp(route.server.host, carrier, (found) => {
      // Another supervisor may look after the tunnel by now.
      if (this.#released) return
      if (found.ok) this.#input({ type: 'resolved', route, addresses: found.value })
      else {
        this.#ports.status.failed(this.name, found.error)
        this.#input({ type: 'unresolved', route })
      }
    })
  }

  // ---- attempts

  #start(attempt: Attempt, call: boolean): void {
    const { tunnel, hostName } = this.#options
    const { memory, status } = this.#ports
    const carrier = this.#carriers.find(({ id }) => id === attempt.uplink.id)
    if (!carrier) {
      this.#input({ type: 'ended', id: attempt.id })
      return
    }
    this.#dials++
    if (tunnel.localPort !== 0) this.#freePort()
    try {
      const onEvent = (event: ClientEvent) => this.#onEvent(attempt.id, event)
      const onGone = () => void this.#attempts.delete(attempt.id)
      const judge = (address: string) => unfit(address, 'own', tunnel, this.#options.surroundings())
      const remembered = memory.remembered(tunnel.name, judge)
      const runner = new AttemptRunner(
        { attempt, carrier, tunnel, hostName, remembered, unfit: judge, onEvent, onGone },
        this.#ports,
      )
      this.#attempts.set(attempt.id, runner)
      this.#phases.set(attempt.id, 'dialling')
      runner.command({ type: 'dial', call })
    } catch (error) {
      status.failed(tunnel.name, failureOfSystem(error, `open a socket on ${carrier.uplink.device}`))
      this.#input({ type: 'ended', id: attempt.id })
    }
  }

  /** Those that are over and only repeat their goodbye give way to who needs their port. */
  #freePort(): void {
    for (const id of [...this.#attempts.keys()]) if (!this.#isAlive(id)) this.#forget(id)
  }

  /** Under way or open, not over. */
  #isAlive(id: number): boolean {
    return attemptsOf(this.#dialer.state).some((attempt) => attempt.id === id)
  }

  #onEvent(id: number, event: ClientEvent): void {
    const { status } = this.#ports
    const { name } = this
    switch (event.type) {
      case 'answered': {
        const { localTunnel, peerTunnel, hostName, vendor } = event.peer
        status.tunnel(name, {
          local: { tunnel_id: localTunnel, session_id: null },
          peer: { tunnel_id: peerTunnel, session_id: null, host_name: hostName, vendor: vendor ?? null },
        })
        this.#input({ type: 'opened', id })
        return
      }
      case 'phase':
        this.#phases.set(id, event.phase)
        this.#show()
        return
      case 'sessionOpened':
        this.#adopt(id)
        this.#slot.live?.onEvent(event)
        this.#input({ type: 'opened', id })
        return
      case 'authenticated':
        status.tunnel(name, { auth: event.method })
        return
      case 'sessionEnded':
        this.#slot.drop(id)
        status.failed(name, event.failure)
        this.#input({ type: 'sessionEnded', id, elsewhere: event.failure.code === 'try_another' })
        return
      case 'ended':
        this.#ended(id, event.failure)
        return
      case 'finished':
        this.#input({ type: 'ended', id })
        return
      case 'answeredLate':
        this.#input({ type: 'answeredLate' })
        return
      default:
        if (!this.#slot.belongsTo(id)) return
        this.#slot.live?.onEvent(event)
        if (event.type === 'ipv4Opened' || event.type === 'ipv6Opened') {
          this.#ports.names.carried(this.#attempts.get(id))
          this.#input({ type: 'up', id })
        }
        if (event.type === 'ipv4Opened') this.#ports.memory.rememberDns(this.name, event.dns)
    }
  }

  #ended(id: number, failure: Failure | undefined): void {
    this.#slot.drop(id)
    this.#phases.delete(id)
    const { state } = this.#dialer
    if (state.name === 'open' && !state.session && failure?.code === 'tunnel_closed') this.#idleClosed++
    const uplink = this.#attempts.get(id)?.carrier
    // A socket on a device that is gone has no one to say goodbye to.
    if (uplink && !this.#carriers.some((carrier) => carrier.id === uplink.id)) this.#forget(id)
    if (failure) this.#ports.status.failed(this.name, failure)
    // Who closes everything waits for the peer to know: `finished`.
    if (this.#attempts.has(id) && this.#dialer.state.name === 'closing') return
    this.#input({ type: 'ended', id, elsewhere: failure?.code === 'try_another' })
  }

  /** The address that an attempt sends from is no more: its peer cannot answer. */
  #addressGone(id: number, carrier: Carrier): void {
    this.#forget(id)
    this.#reporter.uplinkLost(carrier.name)
    this.#slot.drop(id)
    this.#phases.delete(id)
    this.#input({ type: 'ended', id, readdressed: true })
  }

  #forget(id: number): void {
    this.#attempts.get(id)?.destroy()
  }

  // ---- the session

  #adopt(id: number): void {
    const runner = this.#attempts.get(id)
    if (runner && !this.#slot.adopt(id, runner)) runner.command({ type: 'close' })
  }

  /** Without filters and a device the session is of no use: it is ended, and dialled again after the back-off. */
  #refused(id: number): void {
    this.#slot.drop(id)
    this.#attempts.get(id)?.command({ type: 'close' })
  }

  // ---- what users see

  #show(): void {
    const { state } = this.#dialer
    this.#reporter.explainWaiting(state, this.#stranded)
    this.#reporter.show({
      dialer: state,
      disabled: this.#disabled,
      phases: this.#phases,
      applied: this.#slot.applied,
      dials: this.#dials,
      session: this.#slot.live,
    })
    this.#options.onPath?.()
    if (state.name === 'cold') for (const resolve of this.#whenDown.splice(0)) resolve()
  }

  #showStatistics(live: Session): void {
    const { device } = this.#slot
    if (!device || this.#slot.live !== live) return
    this.#reporter.statistics(live, device)
  }
}
