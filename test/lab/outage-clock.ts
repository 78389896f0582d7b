/** A ping from the LAN every 10 ms, and what it shows: since when nothing is answered, and how long it was not. */
import type { Gap } from '../net/failover/outage.ts'
import type { Namespace } from '../net/namespace.ts'
import type { Process } from '../net/process.ts'

const INTERVAL_SECONDS = 0.01
/** ms without an answer that count as an outage; a round trip over 4G and the whims of a busy machine do not. */
const OUTAGE = 150

export class OutageClock {
  readonly #process: Process
  #rest = ''
  #last: number | undefined
  #longest: Gap | undefined

  constructor(from: Namespace, to: string) {
    this.#process = from.start('ping', ['ping', '-n', '-D', '-i', `${INTERVAL_SECONDS}`, to])
    this.#process.onOutput = (text) => this.#read(text)
  }

  /** ms since the last answer, if that is long ago. */
  get running(): number | undefined {
    const since = this.#last === undefined ? 0 : Date.now() - this.#last
    return since > OUTAGE ? since : undefined
  }

  /** ms of the longest time without an answer since the last call of `reset`, one that still goes on included. */
  get longest(): number {
    const { from = 0, until = 0 } = this.#longest ?? {}
    return Math.max(until - from, this.running ?? 0)
  }

  reset(): void {
    this.#longest = undefined
  }

  stop(): void {
    this.#process.signal('SIGKILL')
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const at = Number(/^\[(\d+\.\d+)\] \d+ bytes from/.exec(line)?.[1]) * 1000
      if (!Number.isNaN(at)) this.#answered(at)
    }
  }

  #answered(at: number): void {
    const gap = { from: this.#last ?? at, until: at }
    const { from, until } = this.#longest ?? gap
    if (gap.until - gap.from >= until - from) this.#longest = gap
    this.#last = at
  }
}
