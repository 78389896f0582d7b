/** One running `lifeline run`, seen as its user sees it: through its command line, its log, and signals. */
import { existsSync } from 'node:fs'
import type { StatusEvent } from '../../src/core/status/event.ts'
import type { Status, TunnelStatus } from '../../src/core/status/status.ts'
import { ask, follow } from './control.ts'
import type { Namespace } from './namespace.ts'
import type { Outcome, Process } from './process.ts'
import { PROGRAM } from './router.ts'
import { waitFor } from './wait.ts'

export interface LifelineFiles {
  readonly file: string
  readonly socket: string
  /** When it was started, on the clock of `performance.now()`. */
  readonly startedAt: number
  /** Writes another configuration into `file`. */
  write(config: Readonly<Record<string, unknown>> | string): void
}

export class Lifeline {
  readonly process: Process
  readonly file: string
  readonly socket: string
  readonly startedAt: number
  readonly #namespace: Namespace
  readonly #write: LifelineFiles['write']

  constructor(namespace: Namespace, process: Process, files: LifelineFiles) {
    this.process = process
    this.file = files.file
    this.socket = files.socket
    this.startedAt = files.startedAt
    this.#namespace = namespace
    this.#write = files.write
  }

  get log(): string {
    return this.process.output
  }

  /** Runs a command of its command line against it. */
  cli(...words: readonly string[]): Promise<Outcome> {
    return this.#namespace.run([PROGRAM, ...words, '--socket', this.socket], { mayFail: true })
  }

  /** What it says about itself, or undefined while it does not answer. */
  async status(): Promise<Status | undefined> {
    try {
      return (await ask(this.socket, 'status')) as Status
    } catch {
      return undefined
    }
  }

  /** The events since its start. */
  async events(): Promise<readonly StatusEvent[]> {
    const { events } = (await ask(this.socket, 'events')) as { events: StatusEvent[] }
    return events
  }

  /** Tells about its events from its start on, until it ends or `signal` is aborted. */
  async follow(onEvent: (event: StatusEvent) => void, signal: AbortSignal): Promise<void> {
    await waitFor('the control socket', () => existsSync(this.socket), { every: 5 })
    await follow(this.socket, onEvent, signal)
  }

  /** Waits until a tunnel's status is as wanted, and returns it. */
  async waitForTunnel(
    name: string,
    wanted: string,
    fits: (tunnel: TunnelStatus) => boolean,
    within = 60_000,
  ): Promise<TunnelStatus> {
    let seen: TunnelStatus | undefined
    return waitFor(
      `tunnel ${name} ${wanted}`,
      async () => {
        if (!this.process.running) throw new Error(`lifeline has ended\n${this.log.slice(-3000)}`)
        seen = (await this.status())?.tunnel[name]
        return seen !== undefined && fits(seen) && seen
      },
      { within, every: 25, explain: () => `${JSON.stringify(seen, null, 2)}\n${this.log.slice(-5000)}` },
    )
  }

  waitForUp(name: string, within?: number): Promise<TunnelStatus> {
    return this.waitForTunnel(name, 'to be up', ({ state }) => state === 'up', within)
  }

  /** Waits until an attempt has failed and the reason is known. */
  waitForError(name: string, within?: number): Promise<TunnelStatus> {
    return this.waitForTunnel(name, 'to fail', ({ last_error: error }) => error !== null, within)
  }

  /** Writes another configuration and sends SIGHUP. */
  reload(config: Readonly<Record<string, unknown>> | string): void {
    this.#write(config)
    this.process.signal('SIGHUP')
  }

  /** Ends it in good order; returns its exit code. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    return this.process.stop(signal)
  }

  async kill9(): Promise<void> {
    await this.process.stop('SIGKILL')
  }
}
