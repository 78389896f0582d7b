import { AbortController } from '../../core/abort.ts'
import { Backoff } from '../../core/client/backoff.ts'
import { BrokerError, type BrokerFailure } from '../../core/mqtt/failure.ts'
import { after } from '../../core/time.ts'
import type { BrokerConnection, BrokerOptions, Brokers } from '../brokers.ts'
import type { Cancel, Clock, Log } from '../ports.ts'

/** What a link to a broker needs of the system. */
export interface LinkPorts {
  readonly brokers: Brokers
  readonly clock: Clock
  readonly log: Log
  /** Gives numbers in [0, 1). */
  readonly random: () => number
}

/** What whoever has the link is told. */
export interface LinkHandlers {
  /** The broker let us in. */
  onOpen(connection: BrokerConnection): void
  onMessage(topic: string, payload: Uint8Array, retained: boolean): void
  /** The connection given to `onOpen` is over. */
  onLost(): void
}

type State =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting'; readonly abort: AbortController; readonly since: number }
  | { readonly name: 'open'; readonly connection: BrokerConnection; readonly since: number }
  | { readonly name: 'waiting'; readonly cancel: Cancel; readonly since: number }

/**
 * ms that a connection must have lasted for back-off to begin anew. Longer than any step of it, or two clients of one id,
 * each of which lives until the other comes back, would begin anew for ever.
 */
const STABLE = 120_000
/** ms to wait at least where somebody else seems to come in under our client id. */
const CONTESTED = 30_000
/** ms between two looks at the clock, while it is what keeps us out. */
const CLOCK_LOOK = 1_000
/** ms by which the wall clock must move against the monotonic one to count as set. */
const CLOCK_STEP = 2_000
/** ms that lie at least between two attempts that somebody hurries. */
const HURRY = 1_000

/** Keeps a connection to one broker for ever, with back-off, and costs nothing but lines in the log while there is none. */
export class BrokerLink {
  readonly #options: Omit<BrokerOptions, 'onMessage' | 'onClose'>
  readonly #ports: LinkPorts
  readonly #handlers: LinkHandlers
  readonly #backoff: Backoff
  #state: State = { name: 'idle' }
  /** What the log said last, so that a broker that is away for a night does not fill it. */
  #told: string | undefined
  /** Connections in a row that did not last. */
  #shortLived = 0

  constructor(
    options: Omit<BrokerOptions, 'onMessage' | 'onClose'>,
    ports: LinkPorts,
    handlers: LinkHandlers,
  ) {
    this.#options = options
    this.#ports = ports
    this.#handlers = handlers
    this.#backoff = new Backoff(ports.random)
  }

  start(): void {
    if (this.#state.name === 'idle') this.#connect()
  }

  /** The network has changed: an attempt that waits for its turn comes now. */
  hurry(): void {
    const state = this.#state
    if (state.name !== 'waiting' || this.#ports.clock.now() - state.since < HURRY) return
    state.cancel()
    this.#connect()
  }

  /** Ends for good; `farewell` is published first where there is a connection. Takes a second at most. */
  async stop(farewell: (connection: BrokerConnection) => void): Promise<void> {
    const state = this.#state
    this.#state = { name: 'idle' }
    if (state.name === 'waiting') state.cancel()
    if (state.name === 'connecting') state.abort.abort()
    if (state.name !== 'open') return
    farewell(state.connection)
    await state.connection.close()
  }

  #connect(): void {
    const { brokers, clock } = this.#ports
    const abort = new AbortController()
    const connecting: State = { name: 'connecting', abort, since: clock.now() }
    this.#state = connecting
    const options: BrokerOptions = {
      ...this.#options,
      onMessage: (...message) => this.#handlers.onMessage(...message),
      onClose: (failure) => this.#lost(failure),
    }
    brokers.connect(options, abort.signal).then(
      (connection) => {
        if (this.#state === connecting) this.#opened(connection)
        else void connection.close()
      },
      (error: unknown) => {
        if (this.#state !== connecting) return
        if (error instanceof BrokerError) this.#wait(error.failure)
        else {
          // A bug of ours must not end the publishing for good.
          this.#ports.log.error('MQTT failed', { cause: error })
          this.#wait({ code: 'lost', cause: 'an error of lifeline itself, see the log' })
        }
      },
    )
  }

  #opened(connection: BrokerConnection): void {
    this.#state = { name: 'open', connection, since: this.#ports.clock.now() }
    this.#ports.log[this.#shortLived > 0 ? 'debug' : 'info']('connected to the broker')
    this.#handlers.onOpen(connection)
  }

  #lost(failure: BrokerFailure): void {
    const state = this.#state
    if (state.name !== 'open') return
    if (this.#ports.clock.now() - state.since >= STABLE) {
      this.#backoff.reset()
      this.#shortLived = 0
      this.#told = undefined
    } else this.#shortLived += 1
    this.#handlers.onLost()
    this.#wait(failure)
  }

  #wait(failure: BrokerFailure): void {
    const { clock, log } = this.#ports
    const { message } = new BrokerError(failure)
    const contested = this.#contested(failure)
    // A broker of MQTT 3.1.1 just closes the connection when another client of that id comes.
    const client_id = contested || this.#shortLived > 0 ? { client_id: this.#options.clientId } : {}
    log[message === this.#told ? 'debug' : 'warn']('no connection to the broker', {
      cause: message,
      ...client_id,
    })
    this.#told = message
    const now = clock.now()
    const at = after(now, Math.max(this.#backoff.next(), contested ? CONTESTED : 0))
    const again = clock.alarm(at, () => this.#connect())
    const settled = failure.code === 'clock_not_set' ? this.#whenClockIsSet() : () => {}
    const cancel = () => {
      again()
      settled()
    }
    this.#state = { name: 'waiting', cancel, since: now }
  }

  /** Whoever comes back at once throws the other one out, who does the same. */
  #contested({ code }: BrokerFailure): boolean {
    return code === 'taken_over' || (this.#shortLived > 1 && (code === 'closed' || code === 'lost'))
  }

  /** Connects as soon as the wall clock has been set. */
  #whenClockIsSet(): Cancel {
    const { clock } = this.#ports
    const offset = () => clock.wall().getTime() - clock.now()
    const before = offset()
    let cancel: Cancel = () => {}
    const look = () => {
      if (Math.abs(offset() - before) < CLOCK_STEP) arm()
      else if (this.#state.name === 'waiting') {
        this.#state.cancel()
        this.#backoff.reset()
        this.#connect()
      }
    }
    const arm = () => {
      cancel = clock.alarm(after(clock.now(), CLOCK_LOOK), look)
    }
    arm()
    return () => cancel()
  }
}
