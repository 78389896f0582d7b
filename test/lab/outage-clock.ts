/** A ping from the LAN every 10 ms, and what it shows: since when nothing is answered, and how long it was not. */
import type { Namespace } from '../net/namespace.ts'
import type { Process } from '../net/process.ts'

const INTERVAL_SECONDS = 0.01
/** ms without an answer that count as an outage; a round trip over 4G and the whims of a busy machine do not. */
const OUTAGE = 150

/** Times between answers. Instants are ms since 1970. */
export class Gaps {
  #last: number
  #longest = 0

  /** `begin`: when the first ping left; what has not been answered since then is a gap too. */
  constructor(begin: number) {
    this.#last = begin
  }

  answered(at: number): void {
    this.#longest = Math.max(this.#longest, at - this.#last)
    this.#last = at
  }

  /** ms since the last answer, if that is long ago. */
  running(now: number): number | undefined {
    const since = now - this.#last
    return since > OUTAGE ? since : undefined
  }

  /** ms of the longest time without an answer that ended since the last call of `reset`, or goes on. */
  longest(now: number): number {
    return Math.max(this.#longest, this.running(now) ?? 0)
  }

  reset(): void {
    this.#longest = 0
  }
}

export class OutageClock {
  readonly #process: Process
  readonly #gaps = new Gaps(Date.now())
  #rest = ''

  constructor(from: Namespace, to: string) {
    this.#process = from.start('ping', ['ping', '-n', '-D', '-i', `${INTERVAL_SECONDS}`, to])
    this.#process.onOutput = (text) => this.#read(text)
  }

  /** ms since the last answer, if that is long ago. */
  get running(): number | undefined {
    return this.#gaps.running(Date.now())
  }

  /** ms of the longest time without an answer since the last call of `reset`, one that still goes on included. */
  get longest(): number {
    return this.#gaps.longest(Date.now())
  }

  reset(): void {
    this.#gaps.reset()
  }

  stop(): void {
    this.#process.signal('SIGKILL')
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const at = Number(/^\[(\d+\.\d+)\] \d+ bytes from/.exec(line)?.[1]) * 1000
      if (!Number.isNaN(at)) this.#gaps.answered(at)
    }
  }
}
