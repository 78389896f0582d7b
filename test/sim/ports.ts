import type { Resolution, Resolver } from '../../src/app/ports.ts'
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
