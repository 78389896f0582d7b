/** How long a host of the LAN was without the internet: the longest time between two answers to its pings. */
import type { Namespace } from '../namespace.ts'
import type { Process } from '../process.ts'

/** ms between two pings. */
export const INTERVAL = 10

export class PingWatch {
  readonly #process: Process

  constructor(from: Namespace, to: string, options: readonly string[] = []) {
    const command = ['ping', '-n', '-D', '-i', `${INTERVAL / 1000}`, ...options, to]
    this.#process = from.start('ping', command)
  }

  /** When answers came, in ms since 1970, in their order. */
  get answers(): number[] {
    return [...this.#process.output.matchAll(/^\[(\d+\.\d+)\] \d+ bytes from/gm)].map(
      ([, time]) => Number(time) * 1000,
    )
  }

  /** Which pings were answered, counted from 1, in the order of the answers. */
  get numbers(): number[] {
    return [...this.#process.output.matchAll(/ bytes from .*icmp_seq=(\d+)/g)].map(([, number]) =>
      Number(number),
    )
  }

  /** The longest time without an answer that ends between two moments (ms since 1970), or has not ended by the later. */
  outage(from: number, until = Date.now()): Gap {
    const times = this.answers
    const before = times.filter((time) => time < from).at(-1) ?? from
    const inside = [before, ...times.filter((time) => time >= from && time <= until), until]
    const gaps = inside.slice(1).map((time, index) => ({ from: inside[index] ?? time, until: time }))
    return gaps.reduce((longest, gap) => (lengthOf(gap) > lengthOf(longest) ? gap : longest), {
      from,
      until: from,
    })
  }

  stop(): void {
    this.#process.signal('SIGKILL')
  }
}

/** Moments in ms since 1970. */
export interface Gap {
  readonly from: number
  readonly until: number
}

export function lengthOf({ from, until }: Gap): number {
  return until - from
}
