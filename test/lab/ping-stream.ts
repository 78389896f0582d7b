/** A ping that goes on in the background, ten a second. */
import type { Namespace } from '../net/namespace.ts'
import type { Process } from '../net/process.ts'
import type { Pong } from './story.ts'

const INTERVAL_SECONDS = 0.1
/** ms between two looks at what it said. */
const LOOK = 50
/** A ping without an answer counts as lost once so many later ones were sent. */
const GRACE = 3

export class PingStream {
  readonly #process: Process
  readonly #timer: NodeJS.Timeout
  #pongs: Pong[] = []

  constructor(from: Namespace, source: string, to: string, onChange: (pongs: readonly Pong[]) => void) {
    // -O says at each ping whether the one before was answered.
    const command = ['ping', '-n', '-O', '-i', `${INTERVAL_SECONDS}`, '-I', source, to]
    this.#process = from.start('ping', command)
    this.#timer = setInterval(() => {
      this.#pongs = read(this.#process.output)
      onChange(this.#pongs)
    }, LOOK)
  }

  get sent(): number {
    return this.#pongs.length
  }

  get answered(): number {
    return this.#times().length
  }

  get lost(): number {
    return this.sent - this.answered
  }

  /** ms. */
  get fastest(): number {
    return Math.min(...this.#times())
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#process.signal('SIGKILL')
  }

  #times(): number[] {
    return this.#pongs.filter((pong) => pong !== undefined)
  }
}

/** An answer for each ping that was sent; the last few that may still be under way are left out. */
function read(output: string): Pong[] {
  const pongs: Pong[] = []
  let answered = 0
  for (const [, seq, time] of output.matchAll(/icmp_seq=(\d+)(?:.*time[=<]([\d.]+) ms)?/g)) {
    const index = Number(seq) - 1
    if (time === undefined) continue
    pongs[index] = Number(time)
    answered = Math.max(answered, index + 1)
  }
  const sent = Math.max(answered, highest(output) - GRACE)
  return Array.from({ length: sent }, (_, index) => pongs[index])
}

function highest(output: string): number {
  return Math.max(0, ...[...output.matchAll(/icmp_seq=(\d+)/g)].map(([, seq]) => Number(seq)))
}
