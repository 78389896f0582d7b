/** A router with lifeline on it, in virtual time: the real Supervisor and Session on simulated ports. */

import { Devices } from '../../src/app/kernel/devices.ts'
import { StatusStore } from '../../src/app/status-store.ts'
import type { Carrier } from '../../src/app/tunnel/attempt.ts'
import type { Gate } from '../../src/app/tunnel/gate.ts'
import { Memory } from '../../src/app/tunnel/memory.ts'
import { Names } from '../../src/app/tunnel/names.ts'
import { targets } from '../../src/app/tunnel/neighbourhood.ts'
import { Supervisor } from '../../src/app/tunnel/supervisor.ts'
import type { Config, TunnelConfig } from '../../src/core/config/types.ts'
import type { EventKind } from '../../src/core/status/event.ts'
import type { TunnelStatus } from '../../src/core/status/status.ts'
import { nextState, type TunnelSession, type TunnelState } from '../../src/core/system/session.ts'
import { surroundingsOf } from '../../src/core/system/surroundings.ts'
import { carriersOf, type UsableUplink } from '../../src/core/system/uplinks.ts'
import { configOf, tunnelOf, uplinkOf } from '../core/system/samples.ts'
import { ofKind } from '../events.ts'
import { MemoryFiles } from '../memory-files.ts'
import { MemoryLog } from '../memory-log.ts'
import { type MemoryTun, MemoryTuns } from '../memory-tuns.ts'
import { digests, LNS_ADDRESS } from './endpoints.ts'
import { Machine } from './machine.ts'
import type { Network } from './network.ts'
import { SimResolver } from './ports.ts'
import { seededEntropy } from './random.ts'

export const TUNNEL = 'aaisp'

export class SimRouter {
  readonly machine: Machine
  readonly tuns: MemoryTuns
  readonly resolver: SimResolver
  readonly files: MemoryFiles
  readonly log = new MemoryLog('warn')
  readonly status: StatusStore
  readonly supervisor: Supervisor
  readonly #config: Config
  readonly #tunnel: TunnelConfig
  readonly #devices: Devices
  readonly #memory: Memory
  #kernel: TunnelState
  #refused: ReadonlyMap<string, string> = new Map()
  readonly #onWritten = new Set<() => void>()

  /**
   * alice over `fibre`, and over `lte` if that is not there. It has neither yet: `machine.add('fibre', ['192.0.2.2'])`
   * gives it one. `gates`: what every dial waits for. `batches`: its data paths carry packets in batches of so many ms; left out, one by one.
   */
  constructor(
    network: Network,
    seed: number,
    changes: Partial<TunnelConfig> = {},
    files: MemoryFiles = new MemoryFiles(),
    { gates = [], batches }: { gates?: readonly Gate[] | undefined; batches?: number | undefined } = {},
  ) {
    const tunnel = tunnelOf(TUNNEL, { servers: [LNS_ADDRESS], uplinks: ['fibre', 'lte'], ...changes })
    const { clock } = network
    this.#tunnel = tunnel
    this.#config = configOf(
      [tunnel],
      tunnel.uplinks.map((name) => uplinkOf(name, name)),
    )
    this.machine = new Machine(network)
    this.tuns = new MemoryTuns({}, batches === undefined ? undefined : { clock, span: batches })
    this.machine.icmp = (options) => this.tuns.openIcmp(options)
    this.resolver = new SimResolver(network)
    this.files = files
    this.status = new StatusStore(clock, 'simulated')
    this.status.configure({ node: 'sim', tunnels: [tunnel], uplinks: this.#config.uplinks })
    this.#devices = new Devices(this.tuns, this.tuns)
    this.#memory = new Memory(files)
    this.#kernel = { session: undefined, held: this.#memory.last(tunnel.name) }
    const names = new Names(this.resolver, files, clock)
    this.supervisor = new Supervisor(
      {
        tunnel,
        hostName: 'client.example',
        onSession: (session) => this.#onSession(session),
        surroundings: () =>
          surroundingsOf(this.#config, this.machine.facts, {
            targets: targets(this.#config, names),
            resolvers: new Map(),
          }),
      },
      {
        clock,
        datagrams: this.machine,
        digests,
        entropy: seededEntropy(seed ^ 0x5eed),
        log: this.log,
        gates,
        refusals: {
          refusedAddresses: () => this.#refused,
          onWritten: (run) => {
            this.#onWritten.add(run)
            return () => this.#onWritten.delete(run)
          },
        },
        devices: this.#devices,
        names,
        memory: this.#memory,
        status: this.status,
      },
    )
    this.machine.onChange = () => this.#linksChanged()
    this.#linksChanged()
  }

  get shown(): TunnelStatus {
    const shown = this.status.status().tunnel[this.#tunnel.name]
    if (!shown) throw new Error('the tunnel has no status')
    return shown
  }

  /** IPv4 is open and the kernel holds it. */
  get up(): boolean {
    return this.shown.state === 'up' && this.shown.ipv4.address !== null
  }

  get device(): MemoryTun {
    const device = this.tuns.devices.get(this.#tunnel.device)
    if (!device) throw new Error('no device yet')
    return device
  }

  /** Events of a kind, oldest first. */
  events<Kind extends EventKind>(kind: Kind) {
    return ofKind(this.status.events, kind)
  }

  /** What the failures said so far, by code. */
  get failures(): unknown[] {
    return this.events('failed').map(({ code }) => code)
  }

  /** The kernel does not take these addresses, each with a predicate that says why. */
  refuse(addresses: Readonly<Record<string, string>>): void {
    this.#refused = new Map(Object.entries(addresses))
    for (const run of [...this.#onWritten]) run()
  }

  /** As SIGTERM: hangs up, then nothing is sent any more. */
  async stop(): Promise<void> {
    await this.supervisor.down()
    this.supervisor.release()
  }

  /** How often the kernel was told of a session, or of none. */
  told = 0

  /** As the kernel was last told of it. */
  get session(): TunnelSession | undefined {
    return this.#kernel.session
  }

  async #onSession(session: TunnelSession | undefined): Promise<void> {
    this.told++
    this.#kernel = nextState(this.#kernel, session)
    const open = session?.ipv4 !== undefined || session?.ipv6 !== undefined
    this.#devices.open(this.#tunnel.device).setCarrier(open)
    await Promise.resolve()
    if (this.#kernel.held) this.#memory.remember(this.#tunnel.name, this.#kernel.held)
  }

  #linksChanged(): void {
    const carriers = carriersOf(this.#tunnel, this.#config, this.machine.facts)
    this.supervisor.setCarriers(carriers.map(carrierOf))
  }
}

/** As the daemon makes them. */
function carrierOf(uplink: UsableUplink): Carrier {
  const families = uplink.ways.map(({ family }) => family).join('')
  const id = `${uplink.name}#${uplink.link.index}/${families}`
  return { name: uplink.name, id, uplink, guarded: false, resolvers: () => ['192.0.2.53'] }
}

/** A router whose fibre has an address, dialling. */
export function startRouter(
  network: Network,
  seed: number,
  changes: Partial<TunnelConfig> = {},
  address = '192.0.2.2',
): SimRouter {
  const router = new SimRouter(network, seed, changes)
  router.machine.add('fibre', [address])
  router.supervisor.want('session')
  return router
}
