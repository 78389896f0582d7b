import { Driver } from '../../src/app/driver.ts'
import type { Cancel } from '../../src/app/ports.ts'
import type { Address } from '../../src/core/endpoint.ts'
import { type LnsCommand, type LnsEvent, type LnsOptions, LnsServer } from '../../src/core/lns/server.ts'
import { LNS_ADDRESS, lnsOptions } from './endpoints.ts'
import type { Network } from './network.ts'

export interface SimLnsOptions {
  readonly address?: Address
  /** The port that its answers come from, where it goes on to listen (RFC 2661 section 8.1). */
  readonly answerPort?: number
  readonly change?: (options: LnsOptions) => LnsOptions
  readonly onEvent?: (event: LnsEvent) => void
}

/** An LNS that can crash and come back without any memory. */
export class SimLns {
  readonly events: LnsEvent[] = []
  readonly address: Address
  readonly #network: Network
  readonly #options: SimLnsOptions
  #seed: number
  #server: LnsServer
  #driver: Driver<LnsCommand, LnsEvent>
  #unbind: Cancel[] = []

  constructor(network: Network, seed: number, options: SimLnsOptions = {}) {
    this.#network = network
    this.#options = options
    this.#seed = seed
    this.address = options.address ?? LNS_ADDRESS
    ;({ server: this.#server, driver: this.#driver } = this.#start())
  }

  /** Peers that it holds a control connection with, or lingers for. */
  get peers(): number {
    return this.#server.peers
  }

  /** Network protocols that came up, sessions that ended and the like so far. */
  count(type: LnsEvent['type']): number {
    return this.events.filter((event) => event.type === type).length
  }

  command(command: LnsCommand): void {
    this.#driver.command(command)
  }

  /** Gone from one instant to the next: nothing is sent, nothing answered. */
  crash(): void {
    for (const unbind of this.#unbind.splice(0)) unbind()
    this.#driver.stop()
  }

  restart(): void {
    this.crash()
    this.#seed += 1000
    ;({ server: this.#server, driver: this.#driver } = this.#start())
  }

  #start() {
    const { answerPort = this.address.port, change = (same) => same, onEvent } = this.#options
    const server = new LnsServer(change(lnsOptions(this.#seed)))
    const answering = { ...this.address, port: answerPort }
    const driver: Driver<LnsCommand, LnsEvent> = new Driver(
      server,
      this.#network.clock,
      (bytes, to) => this.#network.send(answering, to, bytes),
      (event) => {
        this.events.push(event)
        onEvent?.(event)
      },
    )
    for (const address of new Set([this.address, answering])) {
      this.#unbind.push(this.#network.bind(address, (from, bytes) => driver.receive(from, bytes)))
    }
    return { server, driver }
  }
}
