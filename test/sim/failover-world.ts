import { Daemon, type DaemonPorts } from '../../src/app/daemon.ts'
import { DRILL_SPAN } from '../../src/app/failover/drill.ts'
import { KnownTargets } from '../../src/app/failover/known-targets.ts'
import { Devices } from '../../src/app/kernel/devices.ts'
import type { Datagrams } from '../../src/app/ports.ts'
import { type FailoverPatch, StatusStore } from '../../src/app/status-store.ts'
import { Memory } from '../../src/app/tunnel/memory.ts'
import { Names } from '../../src/app/tunnel/names.ts'
import { UTC } from '../../src/core/amounts.ts'
import { steeringMark } from '../../src/core/config/marks.ts'
import type { Config, FailoverConfig } from '../../src/core/config/types.ts'
import { digests } from '../../src/core/digests/digests.ts'
import type { Family } from '../../src/core/ip/address.ts'
import type { StatusEvent } from '../../src/core/status/event.ts'
import type { DeviceTraffic } from '../../src/core/system/device-traffic.ts'
import { MemoryFiles } from '../memory-files.ts'
import { MemoryLog } from '../memory-log.ts'
import { MemoryTuns } from '../memory-tuns.ts'
import { FarEnd, type TunnelTraits } from './failover-far-end.ts'
import { SimKernel } from './failover-kernel.ts'
import { alive, type Line } from './failover-line.ts'
import { type ProbeWay, SimProbes } from './failover-probes.ts'
import { Machine } from './machine.ts'
import { Network } from './network.ts'
import { SimResolver } from './ports.ts'
import { seededEntropy } from './random.ts'
import { Timeline } from './timeline.ts'

export interface WorldOptions {
  readonly config: Config & { readonly failover: FailoverConfig }
  readonly lines: readonly Line[]
  readonly tunnels: readonly TunnelTraits[]
  /** Keys of targets that do not answer, by any path. */
  readonly mute: ReadonlySet<string>
  /** ms that the kernel takes for a wish. */
  readonly kernelDelay: number
  readonly random: () => number
  readonly seed: number
}

type ShownPath = NonNullable<FailoverPatch['path']>[string]

/** A status that is read at every step. */
class ReadStatus extends StatusStore {
  /** What is shown of the paths of failover. */
  paths: Readonly<Record<string, ShownPath>> = {}

  override failover(patch: FailoverPatch | undefined): void {
    this.paths = patch?.path ?? {}
    super.failover(patch)
  }
}

/** What a line may carry, in octets. */
export const MONTHLY_BUDGET = 1e9
/** How long octets may go uncounted, in ms. */
export const COUNTING = 10_000
/** 2026-01-01T00:00:00Z */
const EPOCH = Date.UTC(2026, 0, 1)
/** ms */
const MONTH = 31 * 86_400_000
/** ICMPv6 type of a Router Advertisement. */
const ROUTER_ADVERTISEMENT = 134

/**
 * Lines, an LNS, a provider that sends a shared address into the tunnel while its session is up, and a kernel that takes
 * its time; on them the real `Daemon`. Nothing is decided here: this is what happens, and what packets do.
 */
export class FailoverWorld {
  readonly time = new Timeline()
  readonly options: WorldOptions
  readonly tunnels: readonly FarEnd[]
  readonly #daemon: Daemon
  readonly #log = new MemoryLog('error')
  readonly #status: ReadStatus
  readonly #machine: Machine
  readonly #tuns = new MemoryTuns()
  readonly #kernel: SimKernel
  readonly #probes: SimProbes
  /** By the name of their path; a line is the device of its name. */
  readonly #devices: readonly { readonly name: string; readonly device: string }[]
  /** Tunnels that are shown to be up. */
  readonly #up = new Set<string>()
  /** Packets that came in over a line without being asked for. */
  readonly #chatter = new Map<string, number>()
  /** Octets that a line has carried. */
  readonly #octets = new Map<string, number>()
  #months = 0
  /** Where packets of the home network are to leave. */
  #wished: string | undefined
  /** A path is being treated as dead until then. */
  drilledUntil = 0
  /** When users last drilled or chose; 0: never. */
  meddledAt = 0
  /** What users want: `auto`, or the path that is pinned. */
  mode: string
  /** What is told to someone who reads along. */
  onEvent: (event: StatusEvent) => void = () => {}
  /** By which path packets are to leave from now on, session or not. */
  onChoice: (path: string) => void = () => {}

  constructor(options: WorldOptions) {
    this.options = options
    const { config, random, lines, seed } = options
    this.mode = config.failover.mode
    this.#devices = [...lines.map(({ name }) => ({ name, device: name })), ...config.tunnels]
    const network = new Network(seed, { delay: 0 }, this.time)
    const clock = { ...network.clock, wall: () => new Date(EPOCH + this.time.now + this.#months * MONTH) }
    this.#machine = new Machine(network)
    for (const { name, address, modem } of lines)
      this.#machine.add(name, modem === undefined ? [address] : [modem, address])
    const devices = new Devices(this.#tuns, this.#tuns)
    this.#kernel = new SimKernel(this.time, lines, devices, options.kernelDelay)
    this.#kernel.onWish = (device) => this.#wish(this.#sectionOf(device))
    this.#status = new ReadStatus(clock, 'simulated')
    this.#status.follow((event) => this.#told(event))
    this.#probes = new SimProbes(this.time, {
      wayOf: (device, mark) => this.#wayOf(device, mark),
      roundTrip: (way, family) => this.#roundTrip(way, family),
      returnsBy: (way, family) => this.#returnsBy(way, family),
      mute: options.mute,
    })
    const { time } = this
    this.tunnels = options.tunnels.map((traits) => {
      const { name } = traits
      const device = config.tunnels.find((tunnel) => tunnel.name === name)?.device ?? ''
      const isUp = () => this.#up.has(name)
      const session = () => this.#tuns.devices.get(device)?.session
      return new FarEnd(traits, { time, network, lines, random, isUp, session }, seed)
    })
    const files = new MemoryFiles()
    const ports: DaemonPorts = {
      clock,
      log: this.#log,
      files,
      status: this.#status,
      devices,
      watcher: this.#kernel,
      apply: this.#kernel,
      gates: [],
      refusals: { refusedAddresses: () => new Map(), onWritten: () => () => {} },
      conntrack: { flush: async () => 0 },
      datagrams: this.#datagrams(),
      tcpProbes: this.#probes,
      digests,
      entropy: seededEntropy(seed),
      counters: { bootId: 'simulated', read: () => this.#counters() },
      systemResolvers: { forLink: () => [] },
      names: new Names(new SimResolver(network), files, clock),
      memory: new Memory(files),
      known: new KnownTargets(files),
      zone: UTC,
      publishers: { configure: () => {}, stop: async () => {} },
      hostName: 'client.example',
      nft: { load: absent, check: absent, list: absent },
      readConfig: absent,
    }
    this.#daemon = new Daemon({ config, warnings: [] }, ports)
  }

  begin(): void {
    for (const { name, link } of this.options.lines) this.#machine.setUp(name, link)
    this.#kernel.linksChanged()
    this.#daemon.prepare()
    this.#daemon.start()
  }

  // ---- what users see

  /** Errors that were logged: subsystems that are down. */
  get errors(): readonly string[] {
    return this.#log.entries.map(({ message, fields }) => `${message} ${String(fields.error ?? '')}`)
  }

  /** What users see of a path. */
  shown(name: string): ShownPath | undefined {
    return this.#status.paths[name]
  }

  /** The path that was chosen, whether or not the kernel does it already; undefined while packets are held back. */
  get chosen(): string | undefined {
    const paths = Object.entries(this.#status.paths)
    return paths.find(([, { readiness }]) => readiness === 'active')?.[0]
  }

  /** As far as anyone on our side can know, it carries traffic. */
  usable(name: string): boolean {
    if (this.shown(name)?.health === 'down' || this.line(name)?.cutOff) return false
    return this.tunnel(name)?.up ?? true
  }

  #wish(path: string | undefined): void {
    if (path === this.#wished) return
    this.#wished = path
    if (path !== undefined) this.onChoice(path)
  }

  #told(event: StatusEvent): void {
    if (event.event === 'state') {
      if (event.state === 'up') this.#up.add(event.tunnel)
      else this.#up.delete(event.tunnel)
    }
    this.onEvent(event)
  }

  // ---- what is so

  line(name: string): Line | undefined {
    return this.options.lines.find((line) => line.name === name)
  }

  tunnel(name: string): FarEnd | undefined {
    return this.tunnels.find(({ traits }) => traits.name === name)
  }

  /** The path by which packets of the home network leave; undefined: they are lost. */
  get routed(): string | undefined {
    return this.#sectionOf(this.#kernel.wayOut)
  }

  /** A target that the path has an address for has answered, on whatever path. */
  known(name: string): boolean {
    return this.#heard(4) || (this.#six(name) && this.#heard(6))
  }

  /** No target of a family that matters has answered yet, on any path. */
  get deafSoFar(): boolean {
    const { require } = this.options.config.failover.probe
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

  /** The tunnel that has the address of this line, as the provider sees it. */
  holder(line: Line): FarEnd | undefined {
    return this.tunnels.find((tunnel) => tunnel.held && tunnel.traits.address === line.address)
  }

  // ---- what happens

  /** The link of a line has come or gone. */
  linkChanged({ name, link }: Line): void {
    this.#machine.setUp(name, link)
    this.#kernel.linksChanged()
  }

  /** The budget of a line is spent at a stroke. */
  spend(line: Line): void {
    line.cutOff = true
    this.#octets.set(line.name, (this.#octets.get(line.name) ?? 0) + MONTHLY_BUDGET)
  }

  /** A month begins, and new budgets with it. */
  turnMonth(): void {
    this.#months++
    for (const line of this.options.lines) line.cutOff = false
  }

  use(mode: string): void {
    this.meddledAt = this.time.now + 1
    if (mode !== 'auto') this.drilledUntil = 0
    this.mode = mode
    this.#daemon.use(mode)
  }

  /** Of the path that has the traffic, or a test of one that stands by. */
  drill(name: string): void {
    this.meddledAt = this.time.now + 1
    if (this.chosen === name) this.drilledUntil = this.time.now + DRILL_SPAN
    void this.#daemon.drill(name).then(() => {
      this.drilledUntil = Math.min(this.drilledUntil, this.time.now)
    })
  }

  // ---- what packets do

  #datagrams(): Datagrams {
    return {
      open: (options) => this.#machine.open(options),
      openIcmp: (options) => {
        const tunnel = this.tunnel(this.#sectionOf(options.device) ?? '')
        return tunnel && options.accept?.includes(ROUTER_ADVERTISEMENT)
          ? tunnel.solicitor(options)
          : this.#probes.openIcmp(options)
      },
    }
  }

  #wayOf(device: string | undefined, mark: number | undefined): ProbeWay | undefined {
    const { config, lines } = this.options
    const marked = lines.find(({ name }) => steeringMark(config, name) === mark)
    if (marked) return { path: marked.name, marked: true }
    const path = this.#sectionOf(device)
    return path === undefined ? undefined : { path, marked: false }
  }

  #sectionOf(device: string | undefined): string | undefined {
    return this.#devices.find((each) => each.device === device)?.name
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
      return [device, { receivedPackets, receivedOctets: this.#octets.get(name) ?? 0, sentOctets: 0 }]
    }
    return new Map(this.#devices.map(traffic))
  }
}

function absent(): never {
  throw new Error('no part of the story')
}
