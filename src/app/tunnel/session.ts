import { EchoStatistics } from '../../core/client/echo-statistics.ts'
import { type Lack, lackMessage } from '../../core/client/lack.ts'
import type { ClientEvent, SessionKeys } from '../../core/client/types.ts'
import type { Surroundings } from '../../core/config/fitness.ts'
import type { TunnelConfig } from '../../core/config/types.ts'
import type { Entropy } from '../../core/crypto.ts'
import { equal } from '../../core/equal.ts'
import type { ProbeSample } from '../../core/failover/probing.ts'
import { linkLocal } from '../../core/ip/interface-id.ts'
import { RouterDiscovery, type RouterDiscoveryEvent } from '../../core/ip/router-discovery.ts'
import {
  carries,
  type FittedOffer,
  type FittedSession,
  Fitting,
  withoutRefused,
} from '../../core/system/fitting.ts'
import type { TunnelSession } from '../../core/system/session.ts'
import { type SessionNews, type SessionStanding, standingOf } from '../../core/system/standing.ts'
import type { Millis } from '../../core/time.ts'
import { after } from '../../core/time.ts'
import type { AddressRefusals } from '../kernel/apply.ts'
import type { GuardedDevice } from '../kernel/devices.ts'
import type { Cancel, Clock, Datagrams, IcmpSocket, Log } from '../ports.ts'
import type { SocketErrors } from '../socket-errors.ts'
import type { DataPath } from '../tuns.ts'
import type { AttemptRunner } from './attempt.ts'

/** ICMPv6 type of a Router Advertisement (RFC 4861 section 4.2). */
const ROUTER_ADVERTISEMENT = 134

/** How long a session has before an address that it lacks is missed, in ms: an LNS may answer IPCP after 5 s only. */
const SETTLE = 8_000

/** What a session uses of the system, and what is known of addresses that the kernel refused. */
export interface SessionPorts {
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly entropy: Entropy
  readonly log: Log
  readonly errors: SocketErrors
  readonly refusals: AddressRefusals
}

/** The attempt that a session came from, the device that it gets, and who is told what it gives. */
export interface SessionOptions {
  readonly tunnel: TunnelConfig
  /** What no address of the session may take the place of. */
  surroundings(): Surroundings
  readonly runner: AttemptRunner
  readonly device: GuardedDevice
  readonly echoInterval: Millis
  /** What the session has changed; resolves once the kernel holds it. */
  onChange(session: TunnelSession): Promise<void>
  /** An LCP echo came back, or did not in time. */
  onEchoed(echo: ProbeSample): void
  /** Counters and round-trip times have news. */
  onStatistics(): void
  /** What is told of it has news, though the kernel has none. */
  onStanding(): void
}

/**
 * A PPP session on its tunnel device: attaches the data path, follows the network protocols up and down, discovers the
 * router inside, and tells the endpoint of the life that only the data path sees.
 */
export class Session {
  readonly echo = new EchoStatistics()
  readonly #options: SessionOptions
  readonly #ports: SessionPorts
  readonly #discovery: RouterDiscovery
  #keys: SessionKeys | undefined
  readonly #device: GuardedDevice
  #path: DataPath | undefined
  #state: TunnelSession
  #dns: readonly string[] = []
  readonly #fitting: Fitting
  #news: Omit<SessionNews, 'lack'> = {
    failed: {},
    router: 'sought',
    solicitRefused: undefined,
    settled: false,
  }
  #settling: Cancel | undefined
  #icmp: IcmpSocket | undefined
  /** Too few octets for IPv6. */
  #smallMtu: number | undefined
  #received = 0
  #discoveryAlarm: Cancel | undefined
  #lifeAlarm: Cancel | undefined
  #closed = false
  readonly #onRefusals: Cancel
  #refusals = ''

  constructor(options: SessionOptions, ports: SessionPorts) {
    this.#options = options
    this.#ports = ports
    this.#device = options.device
    this.#discovery = new RouterDiscovery(ports.entropy)
    this.#fitting = new Fitting(options.tunnel)
    const { mtu, carrier, attempt } = options.runner
    const underlay = { device: carrier.uplink.device, server: attempt.address }
    this.#state = { mtu, ipv4: undefined, ipv6: undefined, underlay }
    this.#onRefusals = ports.refusals.onWritten(() => this.#refusalsChanged())
  }

  get state(): TunnelSession {
    const { tunnel } = this.#options
    const carried = carries(this.#state, tunnel)
    const lacking = ([4, 6] as const).filter((family) => !carried[family === 4 ? 'ipv4' : 'ipv6'])
    const { failed, settled, router } = this.#news
    const awaited = settled
      ? []
      : lacking.filter(
          (family) => failed[family] === undefined && (family === 4 || (tunnel.ipv6 && router === 'sought')),
        )
    return awaited.length === 0 ? this.#state : { ...this.#state, awaited }
  }

  get keys(): SessionKeys | undefined {
    return this.#keys
  }

  /** What of it can be used here, and is taken by the kernel. */
  get fitted(): FittedSession {
    const { tunnel } = this.#options
    const offer = this.#fit()
    const refusals = this.#ports.refusals.refusedAddresses(tunnel.device)
    const { session, refused } = withoutRefused(offer, tunnel, refusals)
    return { session, refused: [...refused, ...offer.refusedResolvers] }
  }

  get standing(): SessionStanding {
    const { lack } = this
    const news = { ...this.#news, lack: lack && lackMessage(lack) }
    return standingOf(this.fitted, news, this.#options.tunnel)
  }

  /** It had its time, and there is no address yet. */
  get stuck(): boolean {
    return this.#news.settled && !this.standing.usable
  }

  /** Resolvers that IPCP and the router named, as far as they can be asked. */
  get dns(): readonly string[] {
    return this.#fit().resolvers
  }

  /** What it does without although configuration wants it. */
  get lack(): Lack | undefined {
    if (this.#smallMtu !== undefined) return { code: 'ipv6Small', mtu: this.#smallMtu }
    const { managed, addresses } = this.#discovery.learnt
    const wanting =
      this.#state.ipv6 && managed && addresses.length === 0 && this.#options.tunnel.ip6addrs.length === 0
    return wanting ? { code: 'dhcpv6' } : undefined
  }

  /** How its packets are carried; undefined while none are. */
  get rung(): string | undefined {
    return this.#path?.rung
  }

  /** At least one network protocol is open. */
  get open(): boolean {
    return this.#state.ipv4 !== undefined || this.#state.ipv6 !== undefined
  }

  onEvent(event: ClientEvent): void {
    switch (event.type) {
      case 'sessionOpened':
        this.#keys = event.keys
        break
      case 'lcpOpened':
        // An LNS that lets us take only so much knows of a way that carries no more, in either direction.
        this.#state = { ...this.#state, mtu: Math.min(this.#options.runner.mtu, event.mru, event.ourMru) }
        this.#path?.update({ mtu: this.#state.mtu })
        break
      case 'sequencingChanged':
        if (this.#path) this.#path.update({ sequencing: event.sequencing })
        else if (this.#keys) this.#keys = { ...this.#keys, sequencing: event.sequencing }
        break
      case 'notOpened':
        this.#learn({ failed: { ...this.#news.failed, [event.family]: event.reason } })
        if (this.open) this.#publish()
        break
      case 'ipv4Opened':
        this.#dns = event.dns
        this.#opened(4)
        this.#change({ ipv4: { address: event.address, peer: event.peer } })
        break
      case 'ipv4Closed':
        this.#change({ ipv4: undefined })
        break
      case 'ipv6Small':
        this.#smallMtu = event.mtu
        break
      case 'ipv6Opened':
        this.#smallMtu = undefined
        this.#opened(6)
        this.#change({ ipv6: { interfaceId: event.interfaceId, addresses: [], discovering: true } })
        this.#discover(event.interfaceId)
        break
      case 'ipv6Closed':
        this.#stopDiscovery()
        this.#change({ ipv6: undefined })
        break
      case 'echoed':
        this.echo.answered(event.rttMs, event.late)
        this.#options.onEchoed({ rttMs: event.rttMs, late: event.late })
        this.#options.onStatistics()
        break
      case 'echoMissed':
        this.echo.missed()
        this.#options.onEchoed({ rttMs: undefined, late: false })
        this.#options.onStatistics()
        break
    }
  }

  /** The session is over: nothing more is carried, the carrier is off at once. The device and its addresses stay. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#device.setCarrier(false)
    this.#path?.detach()
    this.#lifeAlarm?.()
    this.#settling?.()
    this.#onRefusals()
    this.#stopDiscovery()
  }

  #fit(): FittedOffer {
    const resolvers = [this.#dns, this.#discovery.learnt.dns] as const
    return this.#fitting.fit({ session: this.#state, resolvers }, this.#options.surroundings())
  }

  #learn(news: Partial<SessionNews>): void {
    this.#news = { ...this.#news, ...news }
    if (!this.#closed) this.#options.onStanding()
  }

  /** The kernel was written to: what it takes now may be something else. */
  #refusalsChanged(): void {
    const refusals = [...this.#ports.refusals.refusedAddresses(this.#options.tunnel.device)].join()
    if (refusals === this.#refusals) return
    this.#refusals = refusals
    this.#options.onStanding()
  }

  /** From the first family on the other one has so long before it is missed. */
  #opened(family: 4 | 6): void {
    const { clock } = this.#ports
    const { [family]: _, ...failed } = this.#news.failed
    this.#news = {
      ...this.#news,
      failed,
      ...(family === 6 && { router: 'sought', solicitRefused: undefined }),
    }
    this.#settling ??= clock.alarm(after(clock.now(), SETTLE), () => {
      const { awaited } = this.state
      this.#learn({ settled: true })
      if (awaited !== undefined) this.#publish()
    })
  }

  #change(change: Partial<Pick<TunnelSession, 'ipv4' | 'ipv6'>>): void {
    this.#state = { ...this.#state, ...change }
    this.#carry()
    this.#publish()
  }

  #publish(): void {
    if (this.#closed) return
    this.#options.onChange(this.state).catch((error: unknown) => {
      this.#ports.log.error('the kernel does not hold this session', { error })
    })
  }

  /** Keeps the data path at what is open. */
  #carry(): void {
    const { runner, echoInterval } = this.#options
    const keys = this.#keys
    const families = { ipv4: this.#state.ipv4 !== undefined, ipv6: this.#state.ipv6 !== undefined }
    if (this.#closed || !keys) return
    if (this.#path) {
      this.#path.update(families)
      return
    }
    if (!this.open) return
    this.#path = this.#device.attach({
      socket: runner.socket,
      peer: keys.peer,
      localTunnelId: keys.localTunnel,
      localSessionId: keys.localSession,
      peerTunnelId: keys.peerTunnel,
      peerSessionId: keys.peerSession,
      mtu: this.#state.mtu,
      sequencing: keys.sequencing,
      ...families,
    })
    this.#watchLife(this.#path, echoInterval)
  }

  /** What the data path receives proves that the peer lives, and no one else sees it. */
  #watchLife(path: DataPath, interval: Millis): void {
    const { clock } = this.#ports
    this.#lifeAlarm = clock.alarm(after(clock.now(), interval), () => {
      const received = path.received()
      if (received !== this.#received) this.#options.runner.command({ type: 'alive' })
      this.#received = received
      this.#options.onStatistics()
      this.#watchLife(path, interval)
    })
  }

  // ---- IPv6 inside the tunnel

  /** The link-local address must be on the device before the first solicitation can leave from it. */
  #discover(interfaceId: Uint8Array): void {
    this.#stopDiscovery()
    this.#options.onChange(this.state).then(
      () => this.#solicit(interfaceId),
      (error: unknown) => this.#ports.log.warn('no router discovery on the tunnel', { error }),
    )
  }

  #solicit(interfaceId: Uint8Array): void {
    const { clock, datagrams, log } = this.#ports
    if (this.#closed || this.#state.ipv6?.interfaceId !== interfaceId) return
    try {
      this.#icmp = datagrams.openIcmp({
        family: 6,
        device: this.#device.name,
        source: linkLocal(interfaceId),
        accept: [ROUTER_ADVERTISEMENT],
        onMessage: (from, message, hopLimit) => {
          this.#discovery.receive(clock.now(), from, message, hopLimit)
          this.#drainDiscovery()
        },
        onError: (code) => this.#discoveryFailed(code, interfaceId),
      })
    } catch (error) {
      log.warn('no router discovery on the tunnel', { error })
      return
    }
    this.#discovery.command(clock.now(), { kind: 'start', interfaceId })
    this.#drainDiscovery()
  }

  /** A device that was removed and made again wants a new socket. */
  #discoveryFailed(code: string, interfaceId: Uint8Array): void {
    this.#ports.errors.tell('router discovery', code, { device: this.#device.name })
    if (code === 'ENODEV' || code === 'ENXIO') this.#discover(interfaceId)
    else if (code === 'EPERM' || code === 'EACCES') this.#learn({ solicitRefused: code })
  }

  #drainDiscovery(): void {
    for (let out = this.#discovery.pollTransmit(); out; out = this.#discovery.pollTransmit()) {
      this.#icmp?.send(out.message, out.to)
    }
    for (let event = this.#discovery.pollEvent(); event; event = this.#discovery.pollEvent())
      this.#discovered(event)
    this.#discoveryAlarm?.()
    const deadline = this.#discovery.pollTimeout()
    if (deadline === undefined || !this.#icmp) return
    this.#discoveryAlarm = this.#ports.clock.alarm(deadline, () => {
      this.#discovery.timeout(this.#ports.clock.now())
      this.#drainDiscovery()
    })
  }

  #discovered(event: RouterDiscoveryEvent): void {
    const { ipv6 } = this.#state
    if (!ipv6) return
    const now = this.#ports.clock.now()
    const found = event.kind === 'configured' ? event.addresses : []
    const router = event.kind === 'configured' ? 'found' : 'silent'
    const before = this.state
    this.#news = { ...this.#news, router, solicitRefused: undefined }
    const addresses = found.map(({ address, length, preferredUntil }) => ({
      address,
      length,
      deprecated: preferredUntil !== undefined && preferredUntil <= now,
    }))
    const configured = { interfaceId: ipv6.interfaceId, addresses }
    if (!equal(configured, ipv6)) this.#state = { ...this.#state, ipv6: configured }
    // Most advertisements say what those before them said, and the kernel need not hear of it.
    if (equal(before, this.state)) this.#options.onStanding()
    else this.#publish()
  }

  #stopDiscovery(): void {
    this.#discoveryAlarm?.()
    this.#discovery.command(this.#ports.clock.now(), { kind: 'stop' })
    this.#icmp?.close()
    this.#icmp = undefined
  }
}
