import { AbortController } from '../core/abort.ts'
import { type HookEvent, hookEvent } from '../core/hooks.ts'
import { after } from '../core/time.ts'
import type { Cancel, Clock, HookRunner, Log } from './ports.ts'
import type { StatusStore } from './status-store.ts'

/** What hooks take: the events that they are told of, and who runs them. */
export interface HooksPorts {
  readonly status: Pick<StatusStore, 'status' | 'follow'>
  readonly runner: HookRunner
  readonly clock: Clock
  readonly log: Log
}

/** Events that wait while hooks run; more push the oldest out, since the newest say how things are. */
const MAX_WAITING = 32
/** ms between an event and its hooks: to start a program takes time, and what the event is about comes first. */
const HEAD_START = 100
/** ms that hooks get for the events of the end. */
const LAST_SPAN = 5000

/** Tells the hooks of the user what happens: one event at a time, in order. */
export class Hooks {
  readonly #ports: HooksPorts
  readonly #unfollow: Cancel
  readonly #aborting = new AbortController()
  #waiting: HookEvent[] = []
  #running: Promise<void> | undefined
  /** Ends the head start of what the hooks are about. */
  #begin: () => void = () => {}

  constructor(ports: HooksPorts) {
    this.#ports = ports
    this.#unfollow = ports.status.follow((event) => {
      const told = hookEvent(event, ports.status.status())
      if (told !== undefined) this.#add(told)
    })
  }

  /** Tells of nothing new; resolves when the hooks of what happened have ended, within 5 s or so. */
  async close(): Promise<void> {
    this.#unfollow()
    this.#begin()
    const { clock } = this.#ports
    const cancel = clock.alarm(after(clock.now(), LAST_SPAN), () => this.#aborting.abort())
    await this.#running
    cancel()
  }

  #add(event: HookEvent): void {
    this.#waiting.push(event)
    if (this.#waiting.length > MAX_WAITING) {
      const name = this.#waiting.shift()?.name
      this.#ports.log.warn('hooks are too slow: they are not told of an event', { event: name })
    }
    this.#running ??= this.#runAll()
  }

  async #runAll(): Promise<void> {
    const { clock, runner } = this.#ports
    const { signal } = this.#aborting
    await new Promise<void>((resolve) => {
      const cancel = clock.alarm(after(clock.now(), HEAD_START), resolve)
      this.#begin = () => {
        cancel()
        resolve()
      }
    })
    for (let event = this.#waiting.shift(); event && !signal.aborted; event = this.#waiting.shift())
      await runner.run(event, signal)
    this.#running = undefined
  }
}
