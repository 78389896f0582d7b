/** The router: the only host that runs the program under test. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Lifeline } from './lifeline.ts'
import type { Namespace } from './namespace.ts'
import { type PingOptions, type PingResult, ping } from './ping.ts'
import type { Outcome } from './process.ts'

/** The built program; never the sources. */
export const PROGRAM = resolve('dist/lifeline')

export interface LifelineOptions {
  /** A JSON configuration; `state_dir` is filled in if it names none. Or the text of a UCI file. */
  readonly config: Readonly<Record<string, unknown>> | string
  readonly env?: Readonly<Record<string, string>>
  /** Folders or files laid over others, for it only. */
  readonly mounts?: Readonly<Record<string, string>>
}

export class Router {
  readonly namespace: Namespace
  readonly #resolvConf: string
  readonly #running = new Set<Lifeline>()
  #count = 0

  constructor(namespace: Namespace, resolvers: readonly string[]) {
    this.namespace = namespace
    this.#resolvConf = join(namespace.folder, 'resolv.conf')
    for (const folder of ['run', 'lib', 'cache']) mkdirSync(join(namespace.folder, folder))
    this.setResolvers(resolvers)
  }

  /** Puts these into the resolv.conf that lifeline sees. */
  setResolvers(resolvers: readonly string[]): void {
    writeFileSync(this.#resolvConf, resolvers.map((resolver) => `nameserver ${resolver}\n`).join(''))
  }

  /** A file with a secret, to be named in a configuration. */
  secretFile(name: string, text: string): string {
    const file = join(this.namespace.folder, name)
    writeFileSync(file, `${text}\n`, { mode: 0o600 })
    return file
  }

  /** Where state is kept unless the configuration says otherwise: all daemons of this network share it. */
  get stateFolder(): string {
    return join(this.namespace.folder, 'state')
  }

  /** What its daemons see as /var/cache. */
  get cacheFolder(): string {
    return join(this.namespace.folder, 'cache')
  }

  /** Starts `lifeline run` and returns at once. It sees folders of its own in place of /run, /var/lib and /var/cache. */
  lifeline({ config, env = {}, mounts = {} }: LifelineOptions): Lifeline {
    const { folder } = this.namespace
    const number = this.#count++
    const file = join(folder, typeof config === 'string' ? `lifeline-${number}` : `lifeline-${number}.json`)
    const socket = join(folder, `control-${number}.sock`)
    writeConfig(file, config, this.stateFolder)
    const startedAt = performance.now()
    const process = this.namespace.start('lifeline', [PROGRAM, 'run', '-c', file, '--socket', socket], {
      env,
      mounts: {
        ...mounts,
        '/etc/resolv.conf': this.#resolvConf,
        '/var/lib': join(folder, 'lib'),
        '/var/cache': this.cacheFolder,
        '/run': join(folder, 'run'),
      },
    })
    const lifeline = new Lifeline(this.namespace, process, {
      file,
      socket,
      startedAt,
      write: (changed) => writeConfig(file, changed, this.stateFolder),
    })
    this.#running.add(lifeline)
    return lifeline
  }

  /** Runs `lifeline check` on a configuration file. */
  check(file: string): Promise<Outcome> {
    return this.namespace.run([PROGRAM, 'check', '-c', file], { mayFail: true })
  }

  ping(to: string, options?: PingOptions): Promise<PingResult> {
    return ping(this.namespace, to, options)
  }

  /** Ends every lifeline that still runs, at once. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((lifeline) => lifeline.kill9()))
    this.#running.clear()
  }
}

function writeConfig(file: string, config: LifelineOptions['config'], stateFolder: string): void {
  writeFileSync(file, typeof config === 'string' ? config : completed(config, stateFolder), { mode: 0o600 })
}

function completed(config: Readonly<Record<string, unknown>>, stateFolder: string): string {
  const { main = {}, ...others } = (config.lifeline ?? {}) as Record<string, Record<string, unknown>>
  const lifeline = { main: { state_dir: stateFolder, log_level: 'debug', ...main }, ...others }
  return JSON.stringify({ ...config, lifeline }, null, 2)
}
