/** A tunnel of the failover simulation with all that is real: supervisor, dialer, L2TP and PPP, and an LNS at the other end. */
import { Devices } from '../../src/app/kernel/devices.ts'
import type { Clock, IcmpOptions, IcmpSocket, Log } from '../../src/app/ports.ts'
import type { StatusWriter } from '../../src/app/status-store.ts'
import { carrierOf } from '../../src/app/tunnel/attempt.ts'
import { Memory } from '../../src/app/tunnel/memory.ts'
import { Names } from '../../src/app/tunnel/names.ts'
import { Supervisor } from '../../src/app/tunnel/supervisor.ts'
import type { Surroundings } from '../../src/core/config/fitness.ts'
import type { Config, TunnelConfig } from '../../src/core/config/types.ts'
import type { Address } from '../../src/core/endpoint.ts'
import type { Family } from '../../src/core/ip/address.ts'
import { encodeRouterAdvertisement } from '../../src/core/ip/ra.ts'
import type { LnsEvent, LnsOptions } from '../../src/core/lns/server.ts'
import type { Facts } from '../../src/core/system/facts.ts'
import { nextState, type TunnelSession, type TunnelState } from '../../src/core/system/session.ts'
import { surroundingsOf } from '../../src/core/system/surroundings.ts'
import { carriersOf } from '../../src/core/system/uplinks.ts'
import { millis } from '../../src/core/time.ts'
import { MemoryFiles } from '../memory-files.ts'
import { MemoryTuns } from '../memory-tuns.ts'
import { digests, LNS_ADDRESS } from './endpoints.ts'
import { alive, type Line } from './failover-line.ts'
import { LNS_PATIENCE, type TunnelTraits, type WorldTunnel } from './failover-tunnel.ts'
import { SimLns } from './lns.ts'
import { Machine } from './machine.ts'
import { Network, type Path } from './network.ts'
import { SimResolver } from './ports.ts'
import type { Timeline } from './timeline.ts'

/** What a tunnel finds around it. */
export interface House {
  readonly config: Config
  readonly lines: readonly Line[]
  readonly time: Timeline
  readonly clock: Clock
  readonly status: StatusWriter
  readonly log: Log
  readonly random: () => number
  facts(): Facts
  cutOff(): ReadonlySet<string>
  /** The kernel is to hold a session, or none; resolves once it does. */
  onSession(state: TunnelState): Promise<void>
  onPath(): void
  onEchoed(): void
}

/** Control packets of one dial take this many round trips. */
const TRIPS = 6
/** ms */
const ROUTER_DELAY = 20
const HOST_ROUTES = { curHopLimit: 64, managed: false, other: false, routerLifetime: 1800, mtu: undefined }
const PREFIX = {
  prefix: { address: '2001:db8:a::', length: 64 },
  onLink: true,
  autonomous: true,
  validLifetime: 3600,
  preferredLifetime: 3600,
}

/** The NAT of a carrier, and the LNS, remember a dial by the port that it comes from. */
interface Flow {
  readonly ignored: boolean
  lastSent: number
  forgotten: boolean
}

export class SupervisedTunnel implements WorldTunnel {
  readonly traits: TunnelTraits
  readonly supervisor: Supervisor
  reachable = true
  lost: readonly Family[] = []
  readonly #house: House
  readonly #config: TunnelConfig
  readonly #machine: Machine
  readonly #tuns = new MemoryTuns()
  readonly #lns: SimLns
  readonly #memory = new Memory(new MemoryFiles())
  #state: TunnelState = { session: undefined, held: undefined }
  readonly #sessions = new Set<string>()
  readonly #flows = new Map<number, Flow>()
  #surroundings: Surroundings
  #idle = () => {}

  constructor(traits: TunnelTraits, house: House, seed: number) {
    this.traits = traits
    this.#house = house
    const config = house.config.tunnels.find(({ name }) => name === traits.name)
    if (!config) throw new Error(`no tunnel ${traits.name}`)
    this.#config = config
    this.#surroundings = surroundingsOf(house.config, house.facts())
    const { clock, random, status, log } = house
    const network = new Network(seed, { delay: 0 }, house.time)
    network.between = (from, to) => this.#between(from, to)
    this.#lns = new SimLns(network, seed, {
      change: (usual) => this.#lnsOptions(usual),
      onEvent: (event) => this.#lnsTold(event),
    })
    this.#machine = new Machine(network)
    for (const { name, address, modem, link } of house.lines) {
      this.#machine.add(name, modem === undefined ? [address] : [modem, address])
      this.#machine.setUp(name, link)
    }
    this.#machine.icmp = (options) => this.#router(options)
    this.#memory.login(traits.name, config.username)
    const files = new MemoryFiles()
    this.supervisor = new Supervisor(
      {
        tunnel: config,
        hostName: 'client.example',
        onSession: (session) => this.#onSession(session),
        surroundings: () => this.#surroundings,
        onPath: () => house.onPath(),
        onEchoed: ({ rttMs }) => {
          if (rttMs !== undefined) house.onEchoed()
        },
      },
      {
        clock,
        datagrams: this.#machine,
        gates: [],
        digests,
        entropy: (octets) => Uint8Array.from({ length: octets }, () => Math.floor(random() * 256)),
        log,
        refusals: { refusedAddresses: () => new Map(), onWritten: () => () => {} },
        devices: new Devices(this.#tuns, this.#tuns),
        names: new Names(new SimResolver(network), files, clock),
        memory: this.#memory,
        status,
      },
    )
  }

  get up(): boolean {
    return this.supervisor.path.session === 'up'
  }

  get held(): boolean {
    return this.#sessions.size > 0
  }

  get carrier(): Line | undefined {
    const socket = this.#tuns.devices.get(this.#config.device)?.session?.socket
    return socket && this.#lineOf(socket.local.host)
  }

  get carries(): boolean {
    return this.up && this.held && this.reachable && this.carrier !== undefined && alive(this.carrier)
  }

  serves(family: Family): boolean {
    return !this.lost.includes(family) && (family === 4 || this.traits.six)
  }

  gets(family: Family): boolean {
    return this.carries && this.serves(family)
  }

  get delivers(): boolean {
    const line = this.carrier
    return this.held && this.reachable && line?.link === true && line.receives && !line.lost.includes(4)
  }

  get promising(): boolean {
    const usable = this.traits.carriers.filter(({ link, cutOff }) => link && !cutOff)
    return this.reachable && this.traits.failing === 0 && usable.some((line) => alive(line))
  }

  factsChanged(): void {
    for (const { name, link } of this.#house.lines) this.#machine.setUp(name, link)
    const { config, facts, cutOff } = this.#house
    this.#surroundings = surroundingsOf(config, facts())
    const carriers = carriersOf(this.#config, config, facts(), cutOff())
    this.supervisor.setCarriers(carriers.map((uplink) => carrierOf(uplink, false, () => [])))
  }

  weather(): void {}

  kick(): void {
    this.#lns.command({ type: 'dropSessions' })
  }

  async #onSession(session: TunnelSession | undefined): Promise<void> {
    this.#state = nextState(this.#state, session)
    await this.#house.onSession(this.#state)
    if (this.#state.held) this.#memory.remember(this.traits.name, this.#state.held)
  }

  // ---- the network

  #lineOf(address: string): Line | undefined {
    return this.#house.lines.find((line) => line.address === address)
  }

  /** What befalls a datagram that is sent now. */
  #between(from: Address, to: Address): Path {
    const out = to.host === LNS_ADDRESS.host
    const line = this.#lineOf(out ? from.host : to.host)
    if (!line) return { delay: 0, loss: 1 }
    const { link, sends, receives, rtt, bloat } = line
    const passes = link && (out ? sends : receives) && !line.lost.includes(4) && this.reachable
    const known = this.#remembered(line, out ? from.port : to.port, out)
    const slow = out || this.held ? 0 : (this.traits.sluggish / TRIPS) * rtt
    const loss = passes && known ? line.loss : 1
    return { delay: rtt / 2 + bloat / 4 + slow, jitter: bloat / 4, loss }
  }

  #remembered({ mapping }: Line, port: number, out: boolean): boolean {
    const { time, random } = this.#house
    const flow = this.#flows.get(port) ?? {
      ignored: random() < this.traits.failing,
      lastSent: time.now,
      forgotten: false,
    }
    this.#flows.set(port, flow)
    if (time.now - flow.lastSent > mapping) flow.forgotten = true
    if (out) flow.lastSent = time.now
    return !flow.ignored && !flow.forgotten
  }

  /** The router inside answers solicitations. */
  #router({ onMessage }: IcmpOptions): IcmpSocket {
    let open = true
    const { time } = this.#house
    const advertisement = encodeRouterAdvertisement({ ...HOST_ROUTES, prefixes: [PREFIX], rdnss: [] })
    return {
      send: () => {
        time.after(ROUTER_DELAY, () => {
          if (open && this.traits.six && this.held && this.reachable && this.carrier && alive(this.carrier))
            onMessage('fe80::1', advertisement, 255)
        })
      },
      close: () => {
        open = false
      },
    }
  }

  // ---- the LNS

  #lnsOptions(usual: LnsOptions): LnsOptions {
    const assigned = { address: this.traits.address, ownAddress: '203.0.113.1', dns: [] }
    const echoInterval = millis(1_000)
    const ppp = { ...usual.ppp, echoInterval, echoFailures: LNS_PATIENCE / echoInterval }
    return {
      ...usual,
      ppp: { ...ppp, ipv6: this.traits.six, assign: () => assigned },
      oneSessionPerUser: true,
    }
  }

  #lnsTold(event: LnsEvent): void {
    const key = `${event.peer.host} ${event.peer.port}`
    if (event.type === 'networkOpened') this.#sessions.add(key)
    else if (event.type === 'sessionClosed' || event.type === 'tunnelClosed') this.#sessions.delete(key)
    const { idleLimit } = this.traits
    if (idleLimit === undefined) return
    this.#idle()
    if (!this.held)
      this.#idle = this.#house.time.after(idleLimit, () => this.#lns.command({ type: 'dropTunnels' }))
  }
}
