/** A publisher with everything around it in memory. */
import { Publishers } from '../../../src/app/mqtt/publishers.ts'
import type { Machine } from '../../../src/app/ports.ts'
import { StatusStore } from '../../../src/app/status-store.ts'
import type { Config } from '../../../src/core/config/types.ts'
import { err, ok } from '../../../src/core/result.ts'
import type { DeviceTraffic } from '../../../src/core/system/device-traffic.ts'
import { mustRead } from '../../core/config/reading.ts'
import { MemoryFiles } from '../../memory-files.ts'
import { type Level, MemoryLog } from '../../memory-log.ts'
import { seededRandom } from '../../sim/random.ts'
import { VirtualClock } from '../../virtual-clock.ts'
import { FakeBroker } from './broker.ts'

export const TUNNEL = { server: 'lns.example', username: 'alice', password: 'wonderland' }
export const HOME = { url: 'mqtt://ha.lan', stats_interval: 30 }

export function configOf(content: object): Config {
  return mustRead('json', JSON.stringify({ lifeline: { main: { node: 'router' } }, ...content })).config
}

export const MACHINE: Machine = {
  mark: 'c0ffee',
  identity: () => ({ mac: '02:00:5e:00:53:01', page: undefined }),
}

export class Setup {
  readonly time = new VirtualClock({ wallOffset: Date.UTC(2026, 0, 1) })
  readonly broker = new FakeBroker(this.time)
  readonly files: MemoryFiles
  readonly log = new MemoryLog()
  readonly status = new StatusStore(this.time, '0.1.0')
  readonly commands: string[] = []
  /** What commands answer. */
  refusal: string | undefined
  /** What the devices have counted. */
  readonly traffic = new Map<string, DeviceTraffic>()
  readonly publishers: Publishers

  constructor(seed = 1, files = new MemoryFiles()) {
    this.files = files
    this.publishers = new Publishers({
      brokers: this.broker,
      clock: this.time,
      log: this.log,
      random: seededRandom(seed),
      status: this.status,
      files: this.files,
      machine: MACHINE,
      counters: { read: () => this.traffic, bootId: 'boot' },
      homepage: undefined,
    })
  }

  configure(content: object = { mqtt: { home: HOME }, tunnel: { aaisp: TUNNEL } }): void {
    const config = configOf(content)
    const { lifeline, tunnels, uplinks } = config
    this.status.configure({ node: lifeline.node ?? 'host', tunnels, uplinks })
    const command = (name: string) => (tunnel: string) => {
      this.commands.push(`${name} ${tunnel}`)
      return this.refusal === undefined
        ? ok(undefined)
        : err({ code: 'refused' as const, message: this.refusal })
    }
    this.publishers.configure(config, {
      up: command('up'),
      down: command('down'),
      reconnect: command('reconnect'),
      use: command('use'),
      drill: async (path) => {
        this.commands.push(`drill ${path ?? 'the active path'}`)
        return ok({ path: 'fibre', to: 'lte', outage_ms: 300, return_ms: 40, standby: null })
      },
      paths: () => ['fibre', 'lte'],
    })
  }

  /** Configured, connected and at rest. */
  async begin(content?: object): Promise<void> {
    this.configure(content)
    await this.time.pass(3000)
  }

  said(level: Level): string[] {
    return this.log.entries
      .filter((line) => line.level === level)
      .map(({ message, fields }) => {
        const { cause } = fields
        return cause === undefined ? message : `${message}: ${String(cause)}`
      })
  }
}
