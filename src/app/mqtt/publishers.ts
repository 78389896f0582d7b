import { changedBrokers } from '../../core/config/changes.ts'
import type { Config, MqttConfig } from '../../core/config/types.ts'
import type { CommandTarget } from '../control/run-command.ts'
import { Publisher, type PublisherPorts } from './publisher.ts'

/** One publisher for each broker that is configured. */
export class Publishers {
  readonly #ports: Omit<PublisherPorts, 'target'>
  readonly #running = new Map<string, Publisher>()
  #config: Config | undefined
  #node = ''
  #target: CommandTarget | undefined

  constructor(ports: Omit<PublisherPorts, 'target'>) {
    this.#ports = ports
  }

  /** Takes over a configuration that the status store has taken over; brokers that are the same keep their connection. */
  configure(config: Config, target: CommandTarget): void {
    const { node } = this.#ports.status.status()
    const changed = this.#config === undefined ? [] : changedBrokers(this.#config, config)
    const renamed = node !== this.#node
    const same = (name: string) => !renamed && !changed.includes(name)
    const wanted = new Map(
      config.mqtt.filter(({ enabled }) => enabled).map((broker) => [broker.name, broker]),
    )
    this.#config = config
    this.#node = node
    this.#target = target
    for (const [name, publisher] of [...this.#running]) {
      if (wanted.has(name) && same(name)) publisher.reconfigure(config)
      else void this.#replace(name, publisher, wanted.get(name))
    }
    for (const [name, broker] of wanted) if (!this.#running.has(name)) this.#start(broker)
  }

  /** Says everywhere that we are offline. Takes a second at most. */
  async stop(): Promise<void> {
    const running = [...this.#running.values()]
    this.#running.clear()
    this.#config = undefined
    await Promise.all(running.map((publisher) => publisher.stop()))
  }

  async #replace(name: string, old: Publisher, next: MqttConfig | undefined): Promise<void> {
    if (next === undefined) this.#running.delete(name)
    await old.stop()
    // Two configurations may follow each other faster than a goodbye.
    if (next !== undefined && this.#running.get(name) === old) {
      const current = this.#config?.mqtt.find((broker) => broker.name === name && broker.enabled)
      if (current === undefined) this.#running.delete(name)
      else this.#start(current)
    }
  }

  #start(broker: MqttConfig): void {
    if (this.#config === undefined || this.#target === undefined) return
    const publisher = new Publisher(broker, this.#config, { ...this.#ports, target: this.#target })
    this.#running.set(broker.name, publisher)
    publisher.start()
  }
}
