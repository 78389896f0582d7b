/** Brokers, through the package `mqtt`, which is loaded with the first connection: it costs memory. */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import type MqttClient from 'mqtt/lib/client'
import type { BrokerConnection, BrokerMessage, BrokerOptions, Brokers } from '../app/brokers.ts'
import type { AbortSignal } from '../core/abort.ts'
import { BrokerError, type BrokerFailure, connectionRefusal, messageRefusal } from '../core/mqtt/failure.ts'
import { brokerText, failureOfMqtt, failureOfSocket } from './mqtt-failure.ts'
import { secureContext } from './mqtt-tls.ts'

/** ms until the broker must have let us in. */
const CONNECT_TIMEOUT = 20_000
/** Seconds of silence after which the broker is asked whether it is there. */
const KEEPALIVE = 30
/** ms that an acknowledgement may take. */
const PATIENCE = 15_000
/** ms that a goodbye may take. */
const GOODBYE = 1_000
/** Octets that may arrive without making a packet. Commands are short. */
const MAX_PACKET = 65_536

/** Connects to brokers with the client that is loaded once one is configured. */
export const brokers: Brokers = {
  async connect(options, signal) {
    signal.throwIfAborted()
    const secure = options.url.tls ? secureContext(options) : undefined
    const Client = await loadClient()
    signal.throwIfAborted()
    const socket = openSocket(options, secure)
    const client = new Client(() => socket, clientOptions(options))
    return new Connection(client, socket, options).established(signal)
  },
}

/** Only the client, without what the package has for WebSockets and proxies: the sockets are ours. */
async function loadClient(): Promise<typeof MqttClient> {
  const loaded = await import('mqtt/lib/client')
  // It is CommonJS with a default of its own, which is that of the namespace, or one below, as the loader goes.
  const outer = loaded.default as typeof MqttClient & { readonly default?: typeof MqttClient }
  return outer.default ?? outer
}

function openSocket(
  { url, serverName, acceptAnyCertificate }: BrokerOptions,
  secure?: SecureContext,
): Socket {
  const { host, port } = url
  const socket =
    secure === undefined
      ? connectTcp({ host, port })
      : connectTls({
          host,
          port,
          secureContext: secure,
          // RFC 6066 section 3: literal addresses are no server names.
          servername: serverName ?? (isIP(host) === 0 ? host : ''),
          rejectUnauthorized: !acceptAnyCertificate,
        })
  return socket.setNoDelay(true)
}

function clientOptions({ username, password, clientId, protocol, will }: BrokerOptions) {
  return {
    clientId,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password.reveal()) }),
    ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload) } }),
    protocolVersion: protocol === '5' ? (5 as const) : (4 as const),
    ...(protocol === '5' ? { properties: { maximumPacketSize: MAX_PACKET } } : {}),
    clean: true,
    keepalive: KEEPALIVE,
    connectTimeout: CONNECT_TIMEOUT,
    // Whoever uses a connection decides about the next one.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // These two save 19 MB.
    writeCache: false,
    timerVariant: 'native' as const,
    log: () => {},
  }
}

/** What waits for an answer of the broker, by when. */
interface Pending {
  readonly due: number
  readonly reject: (error: BrokerError) => void
}

class Connection implements BrokerConnection {
  readonly #client: MqttClient
  readonly #socket: Socket
  readonly #options: BrokerOptions
  readonly #pending = new Set<Pending>()
  /** Before the broker has let us in. */
  #opening: { resolve(connection: Connection): void; reject(reason: unknown): void } | undefined
  #ended = false
  #failure: BrokerFailure = { code: 'closed' }
  #patience: NodeJS.Timeout | undefined
  /** TLS stands. */
  #secured = false
  #unparsed = 0

  constructor(client: MqttClient, socket: Socket, options: BrokerOptions) {
    this.#client = client
    this.#socket = socket
    this.#options = options
    socket.on('data', (chunk) => this.#received(chunk))
    socket.on('error', (error) => this.#socketError(error))
    socket.on('secureConnect', () => {
      this.#secured = true
    })
    client.on('packetreceive', () => {
      this.#unparsed = 0
    })
    client.on('error', (error) => this.#clientError(error))
    client.on('disconnect', ({ reasonCode = 0 }) => this.#fail(this.#sentAway(reasonCode)))
    client.on('close', () => this.#fail(this.#opening ? this.#closedEarly() : this.#failure))
    client.on('message', (topic, payload, { retain }) => options.onMessage(topic, payload, retain))
    client.on('connect', () => {
      this.#opening?.resolve(this)
      this.#opening = undefined
    })
  }

  /** Resolves once the broker has let us in. */
  established(signal: AbortSignal): Promise<Connection> {
    const aborted = () => this.#end(signal.reason)
    const opened = new Promise<Connection>((resolve, reject) => {
      this.#opening = { resolve, reject }
    })
    signal.addEventListener('abort', aborted)
    return opened.finally(() => signal.removeEventListener('abort', aborted))
  }

  publish({ topic, payload, qos, retain }: BrokerMessage): Promise<void> {
    return this.#asked((done) =>
      this.#client.publish(topic, payload, { qos, retain }, (error) => {
        const reason = error && 'code' in error ? error.code : undefined
        if (typeof reason === 'number') done(messageRefusal(reason, topic))
        else done(error ? this.#failure : undefined)
      }),
    )
  }

  subscribe(filter: string): Promise<void> {
    // Retain As Published (MQTT 5 section 3.8.3.1) shows retained commands even to those who subscribed before.
    return this.#asked((done) =>
      this.#client.subscribe(filter, { qos: 1, rap: true }, (error, _granted, packet) => {
        const reason = packet?.granted.map(Number).find((code) => code >= 0x80)
        if (reason !== undefined) done(messageRefusal(reason, filter))
        else done(error ? this.#failure : undefined)
      }),
    )
  }

  close(): Promise<void> {
    if (this.#ended) return Promise.resolve()
    this.#ended = true
    clearTimeout(this.#patience)
    this.#rejectPending({ code: 'closed' })
    return new Promise((resolve) => {
      const gone = () => {
        clearTimeout(alarm)
        this.#socket.destroy()
        resolve()
      }
      const alarm = setTimeout(gone, GOODBYE)
      this.#client.end(false, gone)
    })
  }

  /** Begins something that the broker answers; it has `PATIENCE` ms to do so. */
  #asked(begin: (done: (failure?: BrokerFailure) => void) => void): Promise<void> {
    if (this.#ended) return Promise.reject(new BrokerError(this.#failure))
    return new Promise((resolve, reject) => {
      const pending = { due: performance.now() + PATIENCE, reject }
      this.#pending.add(pending)
      this.#watch()
      begin((failure) => {
        if (!this.#pending.delete(pending)) return
        if (failure === undefined) resolve()
        else reject(new BrokerError(failure))
      })
    })
  }

  /** Lets the connection go when the oldest of what waits has waited too long. */
  #watch(): void {
    const [oldest] = this.#pending
    if (this.#patience !== undefined || oldest === undefined) return
    const look = () => {
      this.#patience = undefined
      const [oldest] = this.#pending
      if (oldest !== undefined && performance.now() >= oldest.due)
        this.#fail({ code: 'silent', seconds: PATIENCE / 1000 })
      else this.#watch()
    }
    this.#patience = setTimeout(look, Math.max(0, oldest.due - performance.now()) + 1)
    this.#patience.unref()
  }

  #received(chunk: Buffer): void {
    // RFC 8446 section 5.1: a TLS alert, in answer to a CONNECT in the clear.
    if (this.#opening && this.#unparsed === 0 && chunk[0] === 0x15 && !this.#options.url.tls)
      this.#fail({ code: 'tls_needed', broker: brokerText(this.#options.url) })
    this.#unparsed += chunk.length
    if (this.#unparsed > 2 * MAX_PACKET) this.#fail({ code: 'nonsense', cause: 'a packet has no end' })
  }

  #clientError(error: Error & { readonly code?: unknown }): void {
    const { code } = error
    if (this.#opening && typeof code === 'number') this.#fail(connectionRefusal(code, this.#options.clientId))
    else if (typeof code === 'string') this.#socketError(error)
    else this.#fail(failureOfMqtt(error, this.#options))
  }

  #socketError(error: Error): void {
    const failure = failureOfSocket(error, this.#options, this.#opening ? 'opening' : 'open')
    this.#fail(failure.code === 'closed_early' ? this.#closedEarly() : failure)
  }

  #sentAway(reason: number): BrokerFailure {
    // MQTT 5 section 3.14.2.1
    return reason === 0x8e
      ? { code: 'taken_over', clientId: this.#options.clientId }
      : { code: 'closed_by_broker', reason }
  }

  #closedEarly(): BrokerFailure {
    const { url } = this.#options
    if (url.tls && !this.#secured) return { code: 'tls_not_spoken', broker: brokerText(url) }
    if (!url.tls && url.port === 8883) return { code: 'tls_needed', broker: brokerText(url) }
    return { code: 'closed_early' }
  }

  #fail(failure: BrokerFailure): void {
    if (this.#ended) return
    this.#failure = failure
    this.#end(new BrokerError(failure))
  }

  /** The connection is over, for a reason of the network or of ours. */
  #end(reason: unknown): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#patience)
    this.#socket.destroy()
    this.#client.end(true)
    this.#rejectPending(this.#failure)
    if (this.#opening) this.#opening.reject(reason)
    else this.#options.onClose(this.#failure)
    this.#opening = undefined
  }

  #rejectPending(failure: BrokerFailure): void {
    for (const { reject } of this.#pending) reject(new BrokerError(failure))
    this.#pending.clear()
  }
}
