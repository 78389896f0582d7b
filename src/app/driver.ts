import type { Address, ProtocolEndpoint } from '../core/endpoint.ts'
import type { Millis } from '../core/time.ts'
import type { Cancel, Clock } from './ports.ts'

/**
 * The one loop between a sans-IO endpoint and the world: give it an input, drain what it wants to send and tell, arm
 * its one alarm anew. Handlers of events may give further commands: those are queued, never nested.
 */
export class Driver<Command, Event> {
  readonly #endpoint: ProtocolEndpoint<Command, Event>
  readonly #clock: Clock
  readonly #transmit: (bytes: Uint8Array, to: Address) => void
  readonly #handle: (event: Event) => void
  readonly #commands: Command[] = []
  #draining = false
  #stopped = false
  #armedFor: number | undefined
  #cancel: Cancel | undefined

  constructor(
    endpoint: ProtocolEndpoint<Command, Event>,
    clock: Clock,
    transmit: (bytes: Uint8Array, to: Address) => void,
    handle: (event: Event) => void,
  ) {
    this.#endpoint = endpoint
    this.#clock = clock
    this.#transmit = transmit
    this.#handle = handle
  }

  receive(from: Address, bytes: Uint8Array): void {
    if (this.#stopped) return
    this.#endpoint.receive(this.#clock.now(), from, bytes)
    this.#drain()
  }

  command(command: Command): void {
    this.#commands.push(command)
    this.#drain()
  }

  /** When the endpoint has something to do by itself; undefined if it waits for others. */
  get deadline(): Millis | undefined {
    return this.#endpoint.pollTimeout()
  }

  /** Nothing is sent, told or timed any more. */
  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    try {
      while (!this.#stopped && this.#step()) {}
    } finally {
      this.#draining = false
    }
    if (!this.#stopped) this.#arm()
  }

  /** Transmits go first: what is on the wire earlier is answered earlier. */
  #step(): boolean {
    const command = this.#commands.shift()
    if (command !== undefined) {
      this.#endpoint.command(this.#clock.now(), command)
      return true
    }
    const transmit = this.#endpoint.pollTransmit()
    if (transmit !== undefined) {
      this.#transmit(transmit.bytes, transmit.to)
      return true
    }
    const event = this.#endpoint.pollEvent()
    if (event === undefined) return false
    this.#handle(event)
    return true
  }

  #arm(): void {
    const deadline = this.#endpoint.pollTimeout()
    if (deadline === this.#armedFor) return
    this.#cancel?.()
    this.#cancel = undefined
    this.#armedFor = deadline
    if (deadline === undefined) return
    this.#cancel = this.#clock.alarm(deadline, () => {
      this.#armedFor = undefined
      this.#endpoint.timeout(this.#clock.now())
      this.#drain()
    })
  }
}
