import { type SystemDns, SystemError } from '../app/ports.ts'
import { below } from '../core/path.ts'
import { programPath, runProgram } from './run-program.ts'
import { systemProbe } from './system-probe.ts'

/** Where the services that manage resolvers are looked for, and how long each may take. */
export interface SystemDnsOptions {
  /** Where the files of the system are. */
  readonly root: string
  /** Folders with programs, separated by colons. */
  readonly path: string
  /** ms for each program. */
  readonly timeLimit: number
}

/** While systemd-resolved runs, and beyond: it is the program's answer that counts. */
const RESOLVED_FOLDER = 'run/systemd/resolve'

type Service = 'resolvectl' | 'resolvconf'

/** systemd-resolved where it runs, else resolvconf (Debian's or openresolv), which most other systems can have. */
export class ProgramDns implements SystemDns {
  readonly #options: SystemDnsOptions
  /** Which service took an offer. */
  readonly #taken = new Map<string, Service>()

  constructor(options: Partial<SystemDnsOptions> = {}) {
    this.#options = { root: '/', path: programPath(), timeLimit: 5000, ...options }
  }

  async offer(device: string, servers: readonly string[]): Promise<void> {
    const [service] = this.#services()
    if (service === undefined) throw nobody(servers)
    this.#taken.set(device, service)
    if (service === 'resolvectl') {
      await this.#run(service, ['dns', device, ...servers])
      await this.#run(service, ['default-route', device, 'yes'])
    } else {
      const text = servers.map((server) => `nameserver ${server}\n`).join('')
      await this.#run(service, ['-a', entryOf(device)], text)
    }
  }

  async withdraw(device: string): Promise<void> {
    const taken = this.#taken.get(device)
    for (const service of taken === undefined ? this.#services() : [taken]) {
      if (service === 'resolvconf') await this.#run(service, ['-d', entryOf(device)])
      // It forgets a device that is gone.
      else if (this.#exists(`sys/class/net/${device}`)) await this.#run(service, ['revert', device])
    }
    this.#taken.delete(device)
  }

  /** Those that are there, the better one first. */
  #services(): Service[] {
    const installed = (name: string) =>
      this.#options.path.split(':').some((folder) => systemProbe.exists(below(folder, name)))
    const resolved = this.#exists(RESOLVED_FOLDER) && installed('resolvectl')
    return [
      ...(resolved ? (['resolvectl'] as const) : []),
      ...(installed('resolvconf') ? (['resolvconf'] as const) : []),
    ]
  }

  #exists(path: string): boolean {
    return systemProbe.exists(below(this.#options.root, path))
  }

  async #run(service: Service, args: readonly string[], input = ''): Promise<void> {
    const { path, timeLimit } = this.#options
    await runProgram(service, args, { input, path, timeLimit })
  }
}

/** resolvconf(8) sorts by the device, and knows by the rest who it is. */
function entryOf(device: string): string {
  return `${device}.lifeline`
}

function nobody(servers: readonly string[]): SystemError {
  return new SystemError(
    'ENOENT',
    `neither systemd-resolved nor resolvconf is there to take the resolvers ${servers.join(' and ')}: install one of them, or set option peerdns 0 and name resolvers in /etc/resolv.conf yourself`,
  )
}
