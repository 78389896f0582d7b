import { AbortController } from '../../core/abort.ts'
import { decodeUtf8 } from '../../core/bytes.ts'
import { formatBrokerUrl } from '../../core/config/mqtt-kinds.ts'
import type { Config, MqttConfig } from '../../core/config/types.ts'
import { discoveryOf } from '../../core/homeassistant/discovery.ts'
import { birthTopics, defaultClientId, discoveryTopic, objectIdOf } from '../../core/homeassistant/topics.ts'
import { BrokerError } from '../../core/mqtt/failure.ts'
import { after, seconds } from '../../core/time.ts'
import type { BrokerConnection, Brokers } from '../brokers.ts'
import type { Finding } from '../doctor/finding.ts'
import type { Cancel, Clock } from '../ports.ts'
import { StatusStore } from '../status-store.ts'
import { discoveryView, type Origin, topicsFor } from './view.ts'

/** What a trial of a broker needs of the system. */
export interface TrialPorts extends Origin {
  readonly brokers: Brokers
  readonly clock: Clock
  readonly version: string
  /** The host's own name. */
  readonly hostName: string
}

/** Seconds until what we told ourselves must have come back. */
const PATIENCE = 5

/**
 * Does with each broker, or with the one of that name, what the daemon would do, and tells what is wrong in words. The
 * daemon may run meanwhile: the client id is another one, and nothing that the broker keeps is touched.
 */
export async function tryBrokers(
  config: Config,
  name: string | undefined,
  ports: TrialPorts,
  tell: (finding: Finding) => void,
): Promise<boolean> {
  const brokers = config.mqtt.filter((broker) => name === undefined || broker.name === name)
  if (brokers.length === 0) {
    const message = name === undefined ? 'there is no mqtt section' : `there is no mqtt section '${name}'`
    tell({ severity: 'problem', subject: 'configuration', message })
    return false
  }
  let healthy = true
  for (const broker of brokers) healthy = (await new Trial(broker, config, ports, tell).run()) && healthy
  return healthy
}

class Trial {
  readonly #broker: MqttConfig
  readonly #config: Config
  readonly #ports: TrialPorts
  readonly #tell: (finding: Finding) => void
  readonly #node: string
  #healthy = true
  #onMessage: (topic: string, payload: Uint8Array) => void = () => {}

  constructor(broker: MqttConfig, config: Config, ports: TrialPorts, tell: (finding: Finding) => void) {
    this.#broker = broker
    this.#config = config
    this.#ports = ports
    this.#tell = tell
    this.#node = config.lifeline.node ?? ports.hostName
  }

  async run(): Promise<boolean> {
    const { name, enabled } = this.#broker
    if (!enabled) this.#report('note', `mqtt ${name}`, 'the section is switched off (enabled 0)')
    const connection = await this.#connect()
    if (connection === undefined) return false
    await this.#readBack(connection)
    if (this.#broker.discovery) await this.#discovery(connection)
    if (this.#broker.commands.length > 0) await this.#commands(connection)
    await connection.close()
    return this.#healthy
  }

  async #connect(): Promise<BrokerConnection | undefined> {
    const { url, username, protocol, acceptAnyCertificate } = this.#broker
    const where = formatBrokerUrl(url)
    const clientId = `${this.#broker.clientId ?? defaultClientId(this.#node, this.#ports.machine.mark)}-test`
    try {
      const connection = await this.#ports.brokers.connect(
        {
          ...this.#broker,
          clientId,
          onMessage: (topic, payload) => this.#onMessage(topic, payload),
          onClose: (failure) => this.#report('problem', where, new BrokerError(failure).message),
        },
        new AbortController().signal,
      )
      const who = username === undefined ? 'without a user name' : `as ${username}`
      this.#report('ok', where, `connected ${who}, MQTT ${protocol}`)
      if (acceptAnyCertificate)
        this.#report('warning', where, 'its certificate was not verified', 'leave out accept_any_certificate')
      return connection
    } catch (error) {
      this.#report('problem', where, messageOf(error))
      return undefined
    }
  }

  /** Brokers that are asked by MQTT 3.1.1, and some by 5, forbid in silence: only what comes back was allowed. */
  async #readBack(connection: BrokerConnection): Promise<void> {
    const { base, test } = topicsFor(this.#broker, this.#node)
    const rule = `let it read and write ${base}/#`
    const nonce = `${this.#ports.clock.wall().toISOString()} ${this.#ports.clock.now()}`
    const back = new Promise<boolean>((resolve) => {
      let cancel: Cancel = () => {}
      this.#onMessage = (topic, payload) => {
        if (topic !== test || decodeUtf8(payload) !== nonce) return
        cancel()
        resolve(true)
      }
      const { clock } = this.#ports
      cancel = clock.alarm(after(clock.now(), seconds(PATIENCE)), () => resolve(false))
    })
    try {
      await connection.subscribe(test)
      await connection.publish({ topic: test, payload: nonce, qos: 1, retain: false })
    } catch (error) {
      this.#report('problem', `${base}/#`, messageOf(error), rule)
      return
    }
    if (await back) this.#report('ok', `${base}/#`, 'what was written was read back')
    else
      this.#report(
        'problem',
        `${base}/#`,
        'the broker took a message and did not give it back: its access rules (ACL) do not allow this base topic',
        rule,
      )
  }

  async #discovery(connection: BrokerConnection): Promise<void> {
    const { discoveryPrefix, protocol } = this.#broker
    const topic = discoveryTopic(discoveryPrefix, objectIdOf(this.#node))
    // Not retained, and what the daemon would say: Home Assistant may hear it, the one that is kept stays.
    const discovery = discoveryOf(
      discoveryView(this.#broker, this.#node, this.#config, this.#status(), this.#ports),
      {},
    )
    try {
      await connection.publish({ topic, payload: JSON.stringify(discovery), qos: 1, retain: false })
      if (protocol === '5') this.#report('ok', topic, 'the broker takes announcements for Home Assistant')
      else this.#report('note', topic, 'sent; whether it is allowed, a broker says only with protocol 5')
    } catch (error) {
      this.#report('problem', topic, messageOf(error), `let it write ${topic}`)
    }
    for (const birth of birthTopics(discoveryPrefix)) {
      try {
        await connection.subscribe(birth)
        this.#report('ok', birth, 'subscribed, to hear when Home Assistant starts')
      } catch (error) {
        this.#report('warning', birth, messageOf(error), `let it read ${birth}`)
      }
    }
  }

  async #commands(connection: BrokerConnection): Promise<void> {
    const { commandFilter } = topicsFor(this.#broker, this.#node)
    try {
      await connection.subscribe(commandFilter)
      this.#report('ok', commandFilter, `obeyed: ${this.#broker.commands.join(', ')}`)
    } catch (error) {
      this.#report('problem', commandFilter, messageOf(error), `let it read ${commandFilter}`)
    }
  }

  #status() {
    const { clock, version } = this.#ports
    const store = new StatusStore(clock, version)
    const { tunnels, uplinks } = this.#config
    store.configure({ node: this.#node, tunnels, uplinks })
    return store.status()
  }

  #report(severity: Finding['severity'], subject: string, message: string, advice?: string): void {
    if (severity === 'problem') this.#healthy = false
    this.#tell({ severity, subject, message, ...(advice === undefined ? {} : { advice }) })
  }
}

function messageOf(error: unknown): string {
  if (error instanceof BrokerError) return error.message
  throw error
}
