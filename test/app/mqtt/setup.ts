/** A publisher with everything around it in memory. */
import { Publishers } from '../../../src/app/mqtt/publishers.ts'
import type { Log, Machine, StateFiles } from '../../../src/app/ports.ts'
import { StatusStore } from '../../../src/app/status-store.ts'
import type { Config } from '../../../src/core/config/types.ts'
import { err, ok } from '../../../src/core/result.ts'
import type { DeviceTraffic } from '../../../src/core/system/device-traffic.ts'
import { mustRead } from '../../core/config/reading.ts'
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

export interface Line {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export class MemoryFiles implements StateFiles {
  readonly files = new Map<string, string>()
  writes = 0

  read(name: string): string | undefined {
    return this.files.get(name)
  }

  write(name: string, text: string): void {
    if (this.files.get(name) === text) return
    this.files.set(name, text)
    this.writes += 1
  }

  async settled(): Promise<void> {}
}

export class Setup {
  readonly time = new VirtualClock({ wallOffset: Date.UTC(2026, 0, 1) })
  readonly broker = new FakeBroker(this.time)
  readonly files = new MemoryFiles()
  readonly log: Line[] = []
  readonly status = new StatusStore(this.time, '0.1.0')
  readonly commands: string[] = []
  /** What commands answer. */
  refusal: string | undefined
  /** What the devices have counted. */
  readonly traffic = new Map<string, DeviceTraffic>()
  readonly publishers: Publishers

  constructor(seed = 1) {
    this.publishers = new Publishers({
      brokers: this.broker,
      clock: this.time,
      log: recorder(this.log),
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

  said(level: string): string[] {
    return this.log
      .filter((line) => line.level === level)
      .map(({ message, fields }) => {
        const { cause } = fields
        return cause === undefined ? message : `${message}: ${String(cause)}`
      })
  }
}

function recorder(lines: Line[], fixed: Readonly<Record<string, unknown>> = {}): Log {
  const at =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      lines.push({ level, message, fields: { ...fixed, ...fields } })
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => recorder(lines, { ...fixed, ...fields }),
  }
}
