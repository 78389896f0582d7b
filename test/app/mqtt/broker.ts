/** A broker in virtual time: it keeps retained messages, acknowledges after a while, and can go away. */
import type { BrokerConnection, BrokerMessage, BrokerOptions, Brokers } from '../../../src/app/brokers.ts'
import type { Clock } from '../../../src/app/ports.ts'
import { BrokerError, type BrokerFailure } from '../../../src/core/mqtt/failure.ts'
import { after } from '../../../src/core/time.ts'

export interface Published extends BrokerMessage {
  /** ms of the monotonic clock. */
  readonly at: number
}

export class FakeBroker implements Brokers {
  /** What a connection is refused with; undefined lets it in. */
  refusal: BrokerFailure | undefined
  /** ms until an acknowledgement arrives; undefined: never. */
  latency: number | undefined = 1
  /** Topics that nobody may publish to. */
  forbidden: (topic: string) => boolean = () => false
  readonly retained = new Map<string, string>()
  readonly published: Published[] = []
  /** When each connection was tried. */
  readonly attempts: number[] = []
  readonly #clock: Clock
  #session: Session | undefined
  #keep = true

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Does not remember what was published, for long runs. */
  forget(): void {
    this.#keep = false
  }

  get connected(): boolean {
    return this.#session !== undefined
  }

  get options(): BrokerOptions | undefined {
    return this.#session?.options
  }

  async connect(options: BrokerOptions, signal: AbortSignal): Promise<BrokerConnection> {
    this.attempts.push(this.#clock.now())
    if (!this.#keep) this.attempts.length = 0
    await new Promise<void>((resolve) => this.#clock.alarm(after(this.#clock.now(), 2), resolve))
    signal.throwIfAborted()
    if (this.refusal !== undefined) throw new BrokerError(this.refusal)
    this.#session?.end({ code: 'taken_over', clientId: options.clientId })
    const session = new Session(options, this, this.#clock)
    this.#session = session
    return session
  }

  /** The connection breaks; the will is published. */
  drop(failure: BrokerFailure = { code: 'closed' }): void {
    const session = this.#session
    this.#session = undefined
    if (session === undefined) return
    if (session.options.will) this.take(session.options.will)
    session.end(failure)
  }

  /** Somebody else publishes something that we have subscribed to. */
  send(topic: string, payload: string, retained = false): void {
    this.#session?.options.onMessage(topic, new TextEncoder().encode(payload), retained)
  }

  subscriptions(): readonly string[] {
    return this.#session?.filters ?? []
  }

  take(message: BrokerMessage): void {
    if (this.#keep) this.published.push({ ...message, at: this.#clock.now() })
    if (!message.retain) return
    if (message.payload === '') this.retained.delete(message.topic)
    else this.retained.set(message.topic, message.payload)
  }

  left(session: Session): void {
    if (this.#session === session) this.#session = undefined
  }

  on(topic: string): readonly Published[] {
    return this.published.filter((message) => message.topic === topic)
  }

  /** The events so far, parsed. */
  events(topic = 'lifeline/router/event'): readonly Record<string, unknown>[] {
    return this.on(topic).map(({ payload }) => JSON.parse(payload))
  }
}

class Session implements BrokerConnection {
  readonly options: BrokerOptions
  readonly filters: string[] = []
  readonly #broker: FakeBroker
  readonly #clock: Clock
  readonly #pending = new Set<(error: BrokerError) => void>()
  #ended = false

  constructor(options: BrokerOptions, broker: FakeBroker, clock: Clock) {
    this.options = options
    this.#broker = broker
    this.#clock = clock
  }

  publish(message: BrokerMessage): Promise<void> {
    const { topic } = message
    if (this.#ended) return Promise.reject(new BrokerError({ code: 'closed' }))
    if (this.#broker.forbidden(topic)) return Promise.reject(new BrokerError({ code: 'not_allowed', topic }))
    this.#broker.take(message)
    const { latency } = this.#broker
    return new Promise((resolve, reject) => {
      this.#pending.add(reject)
      if (latency === undefined) return
      this.#clock.alarm(after(this.#clock.now(), latency), () => {
        if (this.#pending.delete(reject)) resolve()
      })
    })
  }

  async subscribe(filter: string): Promise<void> {
    this.filters.push(filter)
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#broker.left(this)
  }

  end(failure: BrokerFailure): void {
    this.#ended = true
    for (const reject of this.#pending) reject(new BrokerError(failure))
    this.#pending.clear()
    this.options.onClose(failure)
  }
}
