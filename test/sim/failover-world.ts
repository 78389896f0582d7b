import { DRILL_SPAN } from '../../src/app/failover/drill.ts'
import { Failover, type FailoverPorts } from '../../src/app/failover/failover.ts'
import { Histories } from '../../src/app/failover/histories.ts'
import { KnownTargets } from '../../src/app/failover/known-targets.ts'
import type { Clock, Log } from '../../src/app/ports.ts'
import { StatusStore } from '../../src/app/status-store.ts'
import { UTC } from '../../src/core/amounts.ts'
import { steeringMark } from '../../src/core/config/marks.ts'
import type { Config, FailoverConfig } from '../../src/core/config/types.ts'
import { PathAddresses } from '../../src/core/failover/sharing.ts'
import type { ActiveRoute } from '../../src/core/failover/types.ts'
import type { Family } from '../../src/core/ip/address.ts'
import type { StatusEvent } from '../../src/core/status/event.ts'
import type { PathStatus } from '../../src/core/status/status.ts'
import type { DeviceTraffic } from '../../src/core/system/device-traffic.ts'
import type { Facts } from '../../src/core/system/facts.ts'
import { nextState, type TunnelState } from '../../src/core/system/session.ts'
import { addressedPaths } from '../../src/core/system/sharing.ts'
import { MemoryFiles } from '../memory-files.ts'
import { MemoryLog } from '../memory-log.ts'
import { alive, factsOf, type Line } from './failover-line.ts'
import { type ProbeWay, SimProbes } from './failover-probes.ts'
import { SupervisedTunnel } from './failover-supervised.ts'
import { SimTunnel, type TunnelTraits, type WorldTunnel } from './failover-tunnel.ts'
import { Timeline } from './timeline.ts'

export interface WorldOptions {
  readonly config: Config
  readonly failover: FailoverConfig
  readonly lines: readonly Line[]
  readonly tunnels: readonly TunnelTraits[]
  /** Keys of targets that do not answer, by any path. */
  readonly mute: ReadonlySet<string>
  /** ms that the kernel takes for a new route. */
  readonly kernelDelay: number
  readonly random: () => number
  /** Undefined: tunnels are stood in for; else their supervisors are real, and this is the seed of what they talk over. */
  readonly supervised: number | undefined
}

/** 2026-01-01T00:00:00Z */
const EPOCH = Date.UTC(2026, 0, 1)

/**
 * Lines, an LNS, a provider that sends a shared address into the tunnel while its session is up, and a kernel that takes
 * its time; on them the real `Failover`. Nothing is decided here: this is what happens, and what packets do.
 */
export class FailoverWorld {
  readonly time = new Timeline()
  readonly options: WorldOptions
  readonly tunnels: readonly WorldTunnel[]
  readonly #log = new MemoryLog('error')
  readonly #failover: Failover
  readonly #status: StatusStore
  readonly #probes: SimProbes
  readonly #addresses = new PathAddresses()
  readonly #states = new Map<string, TunnelState>()
  #facts: Facts
  /** Packets that came in over a line without being asked for. */
  readonly #chatter = new Map<string, number>()
  /** A path is being treated as dead until then. */
  drilledUntil = 0
  /** When users last drilled or chose; 0: never. */
  meddledAt = 0
  /** What users want: `auto`, or the path that is pinned. */
  mode: string
  /** What the kernel does. */
  routed: ActiveRoute | undefined
  /** What is told to someone who reads along. */
  onEvent: (event: StatusEvent) => void = () => {}

  constructor(options: WorldOptions) {
    this.options = options
    const { config, failover, random, lines } = options
    this.#facts = factsOf(lines)
    this.mode = failover.mode
    const clock: Clock = {
      now: () => this.time.now,
      wall: () => new Date(EPOCH + this.time.now),
      alarm: (at, run) => this.time.at(at, run),
    }
    const log = this.#log
    this.#status = new StatusStore(clock, 'simulated')
    this.#status.configure({ node: 'sim', tunnels: config.tunnels, uplinks: config.uplinks })
    this.#status.follow((event) => this.onEvent(event))
    this.#probes = new SimProbes(this.time, {
      wayOf: (device, mark) => this.#wayOf(device, mark),
      roundTrip: (way, family) => this.#roundTrip(way, family),
      returnsBy: (way, family) => this.#returnsBy(way, family),
      mute: options.mute,
    })
    this.tunnels = options.tunnels.map((traits) => this.#newTunnel(traits, clock, log))
    const histories = new Histories({ clock, files: new MemoryFiles() })
    histories.keep(
      failover.paths,
      config.tunnels.map(({ name }) => name),
    )
    const ports: FailoverPorts = {
      clock,
      status: this.#status,
      log,
      known: new KnownTargets(new MemoryFiles()),
      counters: { bootId: 'sim', read: () => this.#counters() },
      zone: UTC,
      datagrams: this.#probes,
      tcpProbes: this.#probes,
      entropy: (octets) => Uint8Array.from({ length: octets }, () => Math.floor(random() * 256)),
    }
    this.#failover = new Failover(
      {
        config,
        failover,
        carrying: undefined,
        supervisor: (name) => this.tunnel(name)?.supervisor,
        resolvers: () => [],
        onChoice: () => this.#setRoute(),
        histories,
        cutOff: () => this.#cutOff(),
        short: () => false,
        onSwitched: () => {},
      },
      ports,
    )
  }

  async begin(): Promise<void> {
    this.#factsChanged()
    await settled()
  }

  /** Lives through what comes next if it is due by `end`, and all promises that hang on it; whether there was any. */
  async step(end: number): Promise<boolean> {
    if (!this.time.step(end)) return false
    await settled()
    return true
  }

  /** Errors that were logged: subsystems that are down. */
  get errors(): readonly string[] {
    return this.#log.entries.map(({ message, fields }) => `${message} ${String(fields.error ?? '')}`)
  }

  line(name: string): Line | undefined {
    return this.options.lines.find((line) => line.name === name)
  }

  tunnel(name: string): WorldTunnel | undefined {
    return this.tunnels.find(({ traits }) => traits.name === name)
  }

  /** What users see of a path. */
  shown(name: string): PathStatus | undefined {
    return this.#status.status().failover?.path[name]
  }

  /** What was chosen, whether or not the kernel does it already. */
  get active(): ActiveRoute | undefined {
    return this.#failover.active
  }

  /** A target that the path has an address for has answered, on whatever path. */
  known(name: string): boolean {
    return this.#heard(4) || (this.#six(name) && this.#heard(6))
  }

  /** No target of a family that matters has answered yet, on any path. */
  get deafSoFar(): boolean {
    const { require } = this.options.failover.probe
    if (require === 'any') return !this.#heard(4) && !this.#heard(6)
    return (require !== 'ipv6' && !this.#heard(4)) || (require !== 'ipv4' && !this.#heard(6))
  }

  #heard(family: Family): boolean {
    const start = family === 4 ? 'icmp:192.' : 'icmp:2001:'
    return [...this.#probes.heard].some((key) => key.startsWith(start))
  }

  #six(name: string): boolean {
    return this.line(name)?.six ?? this.tunnel(name)?.traits.six ?? false
  }

  /** Packets of a family get through the path and back, whoever has the address. */
  gets(name: string, family: Family): boolean {
    const line = this.line(name)
    if (!line) return this.tunnel(name)?.gets(family) === true
    const holder = family === 4 ? this.holder(line) : undefined
    return alive(line, family) && (holder === undefined || (holder.delivers && holder.serves(4)))
  }

  /** As far as anyone on our side can know, it carries traffic. */
  usable(name: string): boolean {
    if (this.shown(name)?.health === 'down' || this.line(name)?.cutOff) return false
    return this.tunnel(name)?.up ?? true
  }

  /** The tunnel that has the address of this line, as the provider sees it. */
  holder(line: Line): WorldTunnel | undefined {
    return this.tunnels.find((tunnel) => tunnel.held && tunnel.traits.address === line.address)
  }

  /** The link or the budget of a line has changed: everybody is told. */
  linkChanged(): void {
    this.weatherChanged()
    this.#factsChanged()
  }

  /** Packets get through where they did not, or the other way round: nobody is told. */
  weatherChanged(): void {
    for (const tunnel of this.tunnels) tunnel.weather()
  }

  use(mode: string): void {
    this.meddledAt = this.time.now + 1
    if (mode !== 'auto') this.drilledUntil = 0
    this.mode = mode
    this.tunnel(mode)?.supervisor.afresh()
    this.#failover.use(mode)
  }

  /** Of the path that has the traffic, or a test of one that stands by. */
  drill(name: string): void {
    this.meddledAt = this.time.now + 1
    const { active } = this
    if (active?.kind === 'path' && active.name === name) this.drilledUntil = this.time.now + DRILL_SPAN
    void this.#failover.drill(name)?.then(() => {
      this.drilledUntil = Math.min(this.drilledUntil, this.time.now)
    })
  }

  // ---- what is told

  #factsChanged(): void {
    this.#facts = factsOf(this.options.lines)
    for (const tunnel of this.tunnels) tunnel.factsChanged()
    this.#share()
    this.#failover.factsChanged(this.#facts)
  }

  #newTunnel(traits: TunnelTraits, clock: Clock, log: Log): WorldTunnel {
    const { config, lines, random, supervised } = this.options
    const { name } = traits
    const onPath = () => this.#failover.tunnelChanged(name)
    const onEchoed = () => this.#failover.echoed(name)
    if (supervised === undefined) {
      const changed = () => {
        this.#sessionChanged(name, nextState(this.#states.get(name), tunnel.session))
        onPath()
      }
      const tunnel = new SimTunnel(traits, this.time, random, changed, onEchoed)
      return tunnel
    }
    const onSession = (state: TunnelState) => {
      this.#sessionChanged(name, state)
      return this.#kernel()
    }
    const facts = () => this.#facts
    const cutOff = () => this.#cutOff()
    const { time } = this
    const house = { config, lines, time, clock, status: this.#status, log, random, facts, cutOff }
    return new SupervisedTunnel(traits, { ...house, onSession, onPath, onEchoed }, supervised)
  }

  #cutOff(): ReadonlySet<string> {
    return new Set(this.options.lines.filter(({ cutOff }) => cutOff).map(({ name }) => name))
  }

  #sessionChanged(name: string, state: TunnelState): void {
    this.#states.set(name, state)
    this.#share()
  }

  /** As src/app/daemon.ts does, which has the same facts and sessions. */
  #share(): void {
    const { config } = this.options
    if (this.#addresses.seen(addressedPaths(config, this.#facts, this.#states)))
      this.#failover.sharingChanged(this.#addresses.sharing)
  }

  // ---- what packets do

  #wayOf(device: string | undefined, mark: number | undefined): ProbeWay | undefined {
    const { config, lines } = this.options
    const marked = lines.find(({ name }) => steeringMark(config, name) === mark)
    if (marked) return { path: marked.name, marked: true }
    const bound = this.#devices().find((each) => each.device === device)
    return bound && { path: bound.name, marked: false }
  }

  #roundTrip({ path }: ProbeWay, family: Family): number | undefined {
    const { random } = this.options
    const line = this.line(path) ?? this.tunnel(path)?.carrier
    const outer = this.line(path) ? family : 4
    if (!line?.link || !line.sends || line.lost.includes(outer)) return undefined
    if (line.loss > 0 && random() < line.loss) return undefined
    return line.rtt * (0.9 + 0.3 * random()) + line.bloat * (0.5 + 0.5 * random())
  }

  /** The provider sends what is for an address to whoever holds it; a socket bound to a device hears that one alone. */
  #returnsBy({ path, marked }: ProbeWay, family: Family): string | undefined {
    const line = this.line(path)
    if (!line) return this.tunnel(path)?.gets(family) ? path : undefined
    if (!line.link || line.lost.includes(family)) return undefined
    const holder = family === 4 ? this.holder(line) : undefined
    if (holder === undefined) return line.receives ? path : undefined
    return marked && holder.delivers && holder.serves(4) ? holder.traits.name : undefined
  }

  #counters(): ReadonlyMap<string, DeviceTraffic> {
    for (const { name, link, chatter } of this.options.lines)
      if (link && chatter) this.#chatter.set(name, (this.#chatter.get(name) ?? 0) + 1)
    const traffic = ({ name, device }: { name: string; device: string }): [string, DeviceTraffic] => {
      const receivedPackets = (this.#probes.received.get(name) ?? 0) + (this.#chatter.get(name) ?? 0)
      return [device, { receivedPackets, receivedOctets: 0, sentOctets: 0 }]
    }
    return new Map(this.#devices().map(traffic))
  }

  /** A line is the device of its name. */
  #devices(): { readonly name: string; readonly device: string }[] {
    const { config, lines } = this.options
    return [...lines.map(({ name }) => ({ name, device: name })), ...config.tunnels]
  }

  async #setRoute(): Promise<void> {
    const { active } = this
    await this.#kernel()
    this.routed = active
  }

  /** It takes its time. */
  #kernel(): Promise<void> {
    return new Promise((resolve) => {
      this.time.after(this.options.kernelDelay, resolve)
    })
  }
}

/** All promises that can be kept at this instant are. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
