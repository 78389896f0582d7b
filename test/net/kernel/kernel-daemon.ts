/** Drives daemon.ts in a namespace, and looks at what the kernel holds there. */
import { fileURLToPath } from 'node:url'
import type { FlushScope } from '../../../src/app/kernel/conntrack.ts'
import type { Address } from '../../../src/core/endpoint.ts'
import type { ActiveRoute } from '../../../src/core/failover/types.ts'
import type { GuardedPort } from '../../../src/core/firewall/guard.ts'
import type { TunnelSession } from '../../../src/core/system/session.ts'
import type { Namespace, StartOptions } from '../namespace.ts'
import type { Process } from '../process.ts'
import type { Endpoint } from './carry.ts'

export type DaemonCommand =
  | { readonly do: 'configure'; readonly config: unknown }
  | { readonly do: 'show' | 'remember'; readonly tunnel: string; readonly session?: DictatedSession }
  | { readonly do: 'route'; readonly active: ActiveRoute }
  /** Attaches a data path to the device, from a port of ours to one of the far end's. */
  | { readonly do: 'carry'; readonly tunnel: string; readonly from: Endpoint; readonly to: Address }
  | { readonly do: 'flush'; readonly address: string; readonly scope: FlushScope }
  | { readonly do: 'guard'; readonly port: GuardedPort }
  | { readonly do: 'clear' }

/** A session whose interface identifier is in hexadecimal. */
export interface DictatedSession extends Omit<TunnelSession, 'ipv4' | 'ipv6'> {
  readonly ipv4?: TunnelSession['ipv4']
  readonly ipv6?: {
    readonly interfaceId: string
    readonly addresses: readonly {
      readonly address: string
      readonly length: number
      readonly deprecated: boolean
    }[]
  }
}

export class KernelDaemon {
  readonly process: Process
  /** ms that the last command took, inside the process. */
  took = 0
  #asked = 0

  constructor(namespace: Namespace, options: StartOptions = {}) {
    const program = fileURLToPath(new URL('daemon.ts', import.meta.url))
    this.process = namespace.start('kernel daemon', [process.execPath, '--import', 'tsx', program], options)
  }

  /** Kills it as a crash would; the namespace and everything in it stays. */
  async kill(): Promise<void> {
    if (!this.process.running) return
    for (const pid of [this.process.pid, -this.process.pid]) process.kill(pid, 'SIGKILL')
    await this.process.exited
  }

  /** Sends a command and resolves with what failed, in words. */
  async ask(command: DaemonCommand): Promise<string[]> {
    this.process.write(`${JSON.stringify(command)}\n`)
    const [, failures = '[]', took] = await this.process.waitForOutput(
      new RegExp(`^done ${++this.#asked} (\\[.*\\]) in (\\S+) ms`, 'm'),
    )
    this.took = Number(took)
    return JSON.parse(failures)
  }
}

/** Everything that lifeline may touch, without counters, handles and times. */
export async function snapshot(namespace: Namespace): Promise<unknown> {
  const nft = await namespace.run(['nft', '-j', 'list', 'ruleset'])
  const [links, addresses] = await Promise.all([
    namespace.show<{ ifname: string }[]>('-d', 'link'),
    namespace.show('address'),
  ])
  return {
    links,
    addresses: withoutTimes(addresses),
    routes: await namespace.show('-4', 'route', 'show', 'table', 'all'),
    routes6: withoutTimes(await namespace.show('-6', 'route', 'show', 'table', 'all')),
    rules: await namespace.show('-4', 'rule'),
    rules6: await namespace.show('-6', 'rule'),
    nft: JSON.parse(nft.stdout).nftables.filter((item: object) => !('metainfo' in item)),
  }
}

function withoutTimes(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, item) => (/life_time|expires|age/.test(key) ? undefined : item)),
  )
}
