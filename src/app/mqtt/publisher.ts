import { decodeUtf8 } from '../../core/bytes.ts'
import { formatBrokerUrl } from '../../core/config/mqtt-kinds.ts'
import type { Config, MqttConfig } from '../../core/config/types.ts'
import { equal } from '../../core/equal.ts'
import { type CommandRequest, readCommand } from '../../core/homeassistant/command.ts'
import { type Announced, announcedBy, discoveryOf } from '../../core/homeassistant/discovery.ts'
import type { DiscoveryView } from '../../core/homeassistant/entities.ts'
import { EventTranslator, PATH_CHANGES } from '../../core/homeassistant/events.ts'
import {
  birthTopics,
  defaultClientId,
  discoveryTopic,
  objectIdOf,
  type Topics,
} from '../../core/homeassistant/topics.ts'
import { BrokerError } from '../../core/mqtt/failure.ts'
import type { StatusEvent } from '../../core/status/event.ts'
import type { Status } from '../../core/status/status.ts'
import { after, seconds } from '../../core/time.ts'
import type { BrokerConnection, BrokerMessage } from '../brokers.ts'
import { type CommandTarget, runCommand } from '../control/run-command.ts'
import type { Cancel, Clock, Counters, Log, StateFiles } from '../ports.ts'
import { EventQueue } from './events.ts'
import { BrokerLink, type LinkPorts } from './link.ts'
import { BrokerMemory, type Remembered } from './remembered.ts'
import { SETTLING, States } from './states.ts'
import { Stats } from './stats.ts'
import { discoveryView, type Origin, statesOf, topicsFor } from './view.ts'

/** What publishing needs of the system and of the rest of the app. */
export interface PublisherPorts extends LinkPorts, Origin {
  readonly status: StatusReader
  readonly files: StateFiles
  readonly target: CommandTarget
  readonly counters: Counters
}

/** The status store, as those see it who only read. */
export interface StatusReader {
  status(): Status
  watch(watcher: () => void): Cancel
  follow(listener: (event: StatusEvent) => void): Cancel
}

/** Home Assistant has started when it says so, and may then be busy: seconds until it is told of us again. */
const BIRTH_DELAY = { least: 1, spread: 4 }

/** Tells one broker the state of things, and Home Assistant through it which entities there are. */
export class Publisher {
  readonly #broker: MqttConfig
  readonly #ports: PublisherPorts
  readonly #log: Log
  readonly #clock: Clock
  readonly #topics: Topics
  readonly #link: BrokerLink
  readonly #memory: BrokerMemory
  readonly #translator = new EventTranslator()
  readonly #events: EventQueue
  readonly #states: States
  readonly #stats: Stats
  readonly #unsubscribe: readonly Cancel[]
  /** Topics that the broker refused, and retained commands: told once for each connection. */
  readonly #complained = new Set<string>()
  /** Ours until the end, even if the status store has another by then. */
  readonly #node: string
  #config: Config
  #connection: BrokerConnection | undefined
  /** What decided on the last announcement of this connection, and the last announcement of all. */
  #announced: DiscoveryView | undefined
  #announcement: string | undefined
  /** Paths that a state at the broker may name: they stay options until it has been replaced. */
  #kept: ReadonlySet<string> = new Set()
  #switches = 0
  /** Topics to be emptied, while the states of this connection wait for the announcement to be worked on. */
  #untold: readonly string[] | undefined
  /** Topics that are no more are remembered until the broker has nothing there. */
  #leaving = false
  #path: string | null
  #cancelBirth: Cancel = () => {}
  #cancelFollowUp: Cancel = () => {}

  constructor(broker: MqttConfig, config: Config, ports: PublisherPorts) {
    const { status, clock } = ports
    const { node } = status.status()
    this.#broker = broker
    this.#node = node
    this.#config = config
    this.#ports = ports
    this.#clock = clock
    this.#log = ports.log.with({ mqtt: broker.name })
    this.#topics = topicsFor(broker, node)
    this.#memory = new BrokerMemory(ports.files, broker.name)
    this.#path = status.status().internet.path
    this.#events = new EventQueue(() => clock.wall().toISOString())
    this.#states = new States(
      clock,
      () => this.#payloads(),
      () => this.#delivered(),
    )
    this.#stats = new Stats(clock, broker.statsInterval, this.#topics, ports.counters, () => status.status())
    const options = {
      ...broker,
      clientId: broker.clientId ?? defaultClientId(node, ports.machine.mark),
      will: { topic: this.#topics.status, payload: 'offline', qos: 1, retain: true } as const,
    }
    this.#link = new BrokerLink(
      options,
      { ...ports, log: this.#log },
      {
        onOpen: (connection) => this.#opened(connection),
        onMessage: (topic, payload, retained) => this.#received(topic, payload, retained),
        onLost: () => this.#closed(),
      },
    )
    this.#unsubscribe = [status.follow((event) => this.#happened(event)), status.watch(() => this.#changed())]
  }

  start(): void {
    if (this.#broker.acceptAnyCertificate)
      this.#log.warn('the certificate of the broker is not verified (accept_any_certificate 1)')
    this.#link.start()
  }

  /** Another configuration, in which this broker is the same. */
  reconfigure(config: Config): void {
    this.#config = config
    this.#announce()
  }

  /** Says that we are offline and goes. */
  async stop(): Promise<void> {
    for (const cancel of this.#unsubscribe) cancel()
    this.#closed()
    await this.#link.stop((connection) => {
      const offline = { topic: this.#topics.status, payload: 'offline', qos: 1, retain: true } as const
      // Not awaited: the goodbye waits for it, and not for ever.
      connection.publish(offline).catch(() => {})
    })
  }

  // ---- the connection

  #opened(connection: BrokerConnection): void {
    this.#connection = connection
    this.#complained.clear()
    this.#announced = undefined
    void this.#publish(connection, { topic: this.#topics.status, payload: 'online', qos: 1, retain: true })
    const before = this.#remembered
    this.#kept = new Set([...this.#kept, ...before.paths])
    const states = this.#payloads()
    const gone = before.retained.filter((topic) => topic !== this.#topics.status && !states.has(topic))
    this.#takeBack(connection, before)
    const isNews = this.#announce(gone)
    if (!this.#broker.discovery) this.#remember(gone)
    this.#subscribe(connection)
    // What is told before the entities are what they are to be would be told to those of before.
    this.#untold = gone
    if (!isNews) this.#tell(connection)
  }

  #tell(connection: BrokerConnection): void {
    const gone = this.#untold ?? []
    this.#untold = undefined
    const message = (retain: boolean, qos: 0 | 1) => (topic: string, payload: string) =>
      this.#publish(connection, { topic, payload, qos, retain })
    const state = message(true, 1)
    this.#states.open((topic, payload) => {
      if (topic === this.#topics.state) this.#kept = new Set([...this.#kept, ...namedPaths(payload)])
      return state(topic, payload)
    }, gone)
    this.#stats.open(message(false, 0))
    this.#events.open((payload) => message(false, 1)(this.#topics.event, payload))
  }

  /** What an announcement is followed by, when Home Assistant has worked on it. */
  #followUp(connection: BrokerConnection): void {
    this.#cancelFollowUp()
    this.#cancelFollowUp = this.#clock.alarm(after(this.#clock.now(), SETTLING), () => {
      if (this.#untold !== undefined) return this.#tell(connection)
      this.#states.repeat()
      this.#stats.now()
    })
  }

  #closed(): void {
    this.#connection = undefined
    this.#cancelBirth()
    this.#cancelFollowUp()
    this.#untold = undefined
    this.#states.close()
    this.#stats.close()
    this.#events.close()
  }

  /** False where the connection ended first. A refusal counts as done: asking again would change nothing. */
  async #publish(connection: BrokerConnection, message: BrokerMessage): Promise<boolean> {
    try {
      await connection.publish(message)
      return true
    } catch (error) {
      return this.#refused(message.topic, error)
    }
  }

  #refused(topic: string, error: unknown): boolean {
    if (!(error instanceof BrokerError)) {
      // A bug of ours, which must cost this message and not the tunnels.
      this.#log.error('MQTT failed', { topic, cause: error })
      return true
    }
    const { code } = error.failure
    if (code !== 'not_allowed' && code !== 'not_taken') return false
    if (!this.#complained.has(topic)) this.#log.warn(error.message)
    this.#complained.add(topic)
    return true
  }

  #subscribe(connection: BrokerConnection): void {
    const { commands, discovery, discoveryPrefix } = this.#broker
    const filters = [
      ...(commands.length > 0 ? [this.#topics.commandFilter] : []),
      ...(discovery ? birthTopics(discoveryPrefix) : []),
    ]
    for (const filter of filters)
      connection.subscribe(filter).catch((error: unknown) => this.#refused(filter, error))
  }

  // ---- what is told

  #payloads(): ReadonlyMap<string, string> {
    return statesOf(this.#topics, this.#config, this.#ports.status.status(), this.#switches)
  }

  #happened(event: StatusEvent): void {
    if (PATH_CHANGES.includes(event.event)) this.#switches += 1
    const payload = this.#translator.translate(event)
    if (payload !== undefined) this.#events.push(payload)
  }

  #changed(): void {
    // An option comes before the state that needs it.
    this.#announce()
    this.#states.changed()
    const { path } = this.#ports.status.status().internet
    if (path !== this.#path) {
      this.#path = path
      this.#link.hurry()
    }
  }

  /** The broker has a state: what only an older one needed can go. */
  #delivered(): void {
    if (this.#states.delivered(this.#topics.state)) {
      this.#kept = new Set(namedPaths(this.#payloads().get(this.#topics.state) ?? '{}'))
      this.#announce()
    }
    if (this.#leaving && this.#states.leaving().length === 0) this.#remember()
  }

  /**
   * Announces the entities, where they are not what was announced on this connection; true if that is news to Home
   * Assistant. `gone` are topics that are yet to be emptied.
   */
  #announce(gone: readonly string[] = this.#states.leaving()): boolean {
    const connection = this.#connection
    if (connection === undefined || !this.#broker.discovery) return false
    const status = this.#ports.status.status()
    const view = discoveryView(this.#broker, this.#node, this.#config, status, this.#ports, this.#kept)
    if (equal(view, this.#announced)) return false
    this.#announced = view
    const before = this.#remembered
    const topic = this.#discoveryTopic
    const discovery = discoveryOf(view, before.discoveryTopic === topic ? before.announced : {})
    const payload = JSON.stringify(discovery)
    const isNews = payload !== this.#announcement
    this.#announcement = payload
    void this.#publish(connection, { topic, payload, qos: 1, retain: true })
    this.#remember(gone, announcedBy(discovery), view.paths)
    if (isNews) this.#states.holdBack()
    this.#followUp(connection)
    return isNews
  }

  get #discoveryTopic(): string {
    return discoveryTopic(this.#broker.discoveryPrefix, objectIdOf(this.#node))
  }

  get #remembered(): Remembered {
    return this.#memory.read(formatBrokerUrl(this.#broker.url))
  }

  #remember(leaving: readonly string[] = [], announced?: Announced, paths?: readonly string[]): void {
    const { discovery } = this.#broker
    const before = this.#remembered
    this.#leaving = leaving.length > 0
    this.#memory.write({
      broker: before.broker,
      discoveryTopic: discovery ? this.#discoveryTopic : undefined,
      announced: announced ?? (discovery ? before.announced : {}),
      paths: paths ?? (discovery ? before.paths : []),
      retained: [this.#topics.status, ...this.#payloads().keys(), ...leaving],
    })
  }

  /** Removes the device that an earlier configuration announced elsewhere. Its topics are emptied after that. */
  #takeBack(connection: BrokerConnection, { discoveryTopic: topic }: Remembered): void {
    if (topic === undefined || (topic === this.#discoveryTopic && this.#broker.discovery)) return
    void this.#publish(connection, { topic, payload: '', qos: 1, retain: true })
  }

  // ---- what is heard

  #received(topic: string, payload: Uint8Array, retained: boolean): void {
    if (birthTopics(this.#broker.discoveryPrefix).includes(topic)) {
      // A retained one is older than this connection, on which all has just been told.
      if (!retained && decodeUtf8(payload) === 'online') this.#greet()
    } else if (this.#topics.commandOf(topic) !== undefined) this.#command(topic, payload, retained)
  }

  #greet(): void {
    const delay = BIRTH_DELAY.least + BIRTH_DELAY.spread * this.#ports.random()
    this.#cancelBirth()
    this.#cancelBirth = this.#clock.alarm(after(this.#clock.now(), seconds(delay)), () => {
      this.#announced = undefined
      this.#announce()
    })
  }

  #command(topic: string, payload: Uint8Array, retained: boolean): void {
    if (retained) {
      if (!this.#complained.has(topic)) this.#log.warn('a retained command is never obeyed', { topic })
      this.#complained.add(topic)
      return
    }
    const tunnels = Object.keys(this.#ports.status.status().tunnel)
    const names = { tunnels, paths: this.#ports.target.paths() }
    const read = readCommand(this.#topics, topic, payload, this.#broker.commands, names)
    if (read.ok) void this.#obey(read.value)
    else this.#answer('command_refused', { ...read.error })
  }

  async #obey(request: CommandRequest): Promise<void> {
    const { command, arguments: values } = request
    this.#log.info('command', { command, ...values })
    try {
      const outcome = await runCommand(this.#ports.target, command, values)
      if (outcome.ok) this.#answer('command_done', { command, ...values, ...outcome.value })
      else this.#answer('command_refused', { command, ...values, message: outcome.error.message })
    } catch (error) {
      this.#log.error('command failed', { command, cause: error })
      this.#answer('command_refused', { command, ...values, message: 'it failed: see the log of lifeline' })
    }
  }

  #answer(event_type: string, fields: Readonly<Record<string, unknown>>): void {
    if (event_type === 'command_refused') this.#log.warn('command refused', fields)
    this.#events.push({ event_type, at: this.#clock.wall().toISOString(), ...fields })
  }
}

/** What of a state is an option of an entity. */
function namedPaths(payload: string): string[] {
  const { path, mode } = JSON.parse(payload)
  return [path, mode].filter((name) => typeof name === 'string')
}
