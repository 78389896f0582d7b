/** The smaller ports of the app in memory: resolver, state files, log. Machine and SimTuns are the others. */
import type { Log, Resolution, Resolver, StateFiles } from '../../src/app/ports.ts'
import { SystemError } from '../../src/app/ports.ts'
import { ipFamily } from '../../src/core/ip/address.ts'
import { millis } from '../../src/core/time.ts'
import type { Network } from './network.ts'

/** Answers from a table; a name's value may be an errno instead, or `silent`. */
export class SimResolver implements Resolver {
  readonly names = new Map<string, readonly string[] | string>()
  /** Until an answer comes, in ms. */
  delay = 20
  asked = 0
  readonly #network: Network

  constructor(network: Network) {
    this.#network = network
  }

  resolve(name: string, _via: unknown, signal: AbortSignal): Promise<Resolution> {
    this.asked++
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      const answer = ipFamily(name) === undefined ? this.names.get(name) : [name]
      if (answer === 'silent') return
      this.#network.schedule(this.#network.now + this.delay, () => {
        if (answer === undefined) reject(new SystemError('ENOTFOUND', `no name ${name}`))
        else if (typeof answer === 'string') reject(new SystemError(answer, `cannot ask for ${name}`))
        else resolve({ addresses: answer, ttl: millis(60_000) })
      })
    })
  }
}

export class MemoryFiles implements StateFiles {
  readonly texts = new Map<string, string>()
  /** How often something was written that differed. */
  writes = 0

  read(name: string): string | undefined {
    return this.texts.get(name)
  }

  write(name: string, text: string): void {
    if (this.texts.get(name) === text) return
    this.writes++
    this.texts.set(name, text)
  }

  async settled(): Promise<void> {}
}

/** Keeps errors and warnings, which a test may want to be none. */
export class MemoryLog implements Log {
  readonly complaints: string[] = []
  debug(): void {}
  info(): void {}

  warn(message: string): void {
    this.complaints.push(message)
  }

  error(message: string): void {
    this.complaints.push(message)
  }

  with(): Log {
    return this
  }
}
