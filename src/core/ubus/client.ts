/**
 * A client of ubusd, sans IO: calls the objects of others, serves ours, hears events and notifications, and does all of it
 * again when ubusd or the other side was restarted. Like every endpoint here it is drained after each input: `pollWrite`,
 * `pollEvent`, `pollTimeout`.
 */
import { after, type Millis } from '../time.ts'
import { PATIENCE, UbusConversation, type UbusOutput } from './conversation.ts'
import { encodeMessage, type UbusMessage, UbusType } from './message.ts'
import { UbusStatus } from './status.ts'
import { MessageReader } from './stream.ts'
import type { UbusCommand, UbusEvent, UbusRole, UbusTrouble } from './types.ts'

/** ms before another connection is tried: doubled each time, until ubusd greets. */
const FIRST_RETRY = 100
const LAST_RETRY = 5_000

type State =
  | { readonly kind: 'apart'; readonly retryAt: Millis }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'greeting'; readonly deadline: Millis; readonly reader: MessageReader }
  | { readonly kind: 'ready'; readonly reader: MessageReader; readonly conversation: UbusConversation }

/** One connection after the other to one ubusd. */
export class UbusClient {
  readonly #role: UbusRole
  #state: State
  #retry = FIRST_RETRY
  readonly #writes: Uint8Array[] = []
  readonly #events: UbusEvent[] = []
  readonly #output: UbusOutput = {
    write: (message) => this.#writes.push(encodeMessage(message)),
    tell: (event) => this.#events.push(event),
  }

  /** Wants a connection at once. */
  constructor(now: Millis, role: UbusRole) {
    this.#role = role
    this.#state = { kind: 'apart', retryAt: now }
    this.timeout(now)
  }

  /** The connection that was wanted is there. */
  connected(now: Millis): void {
    if (this.#state.kind !== 'connecting') return
    this.#state = { kind: 'greeting', deadline: after(now, PATIENCE), reader: new MessageReader() }
  }

  /** The connection has ended, or could not be had. */
  disconnected(now: Millis): void {
    if (this.#state.kind !== 'apart') this.#fallApart(now)
  }

  /** Octets from ubusd; they never throw. */
  receive(now: Millis, bytes: Uint8Array): void {
    const state = this.#state
    if (state.kind !== 'greeting' && state.kind !== 'ready') return
    const messages = state.reader.push(bytes)
    if (messages === undefined) this.#giveUp(now, 'nonsense')
    else for (const message of messages) this.#take(now, message)
  }

  /** What is wanted while there is no connection is answered at once, or lost. */
  command(now: Millis, command: UbusCommand): void {
    if (this.#state.kind === 'ready') this.#state.conversation.command(now, command)
    else if (command.kind === 'call')
      this.#events.push({
        kind: 'answered',
        number: command.number,
        status: UbusStatus.connectionFailed,
        data: [],
      })
  }

  /** The alarm rang. An early call does nothing. */
  timeout(now: Millis): void {
    const state = this.#state
    switch (state.kind) {
      case 'apart':
        if (now < state.retryAt) return
        this.#state = { kind: 'connecting' }
        this.#events.push({ kind: 'connectionWanted' })
        return
      case 'connecting':
        return
      case 'greeting':
        if (now >= state.deadline) this.#giveUp(now, 'silent')
        return
      case 'ready':
        if (!state.conversation.timeout(now)) this.#giveUp(now, 'silent')
    }
  }

  /** What is to be written to the connection, in order. */
  pollWrite(): Uint8Array | undefined {
    return this.#writes.shift()
  }

  pollEvent(): UbusEvent | undefined {
    return this.#events.shift()
  }

  /** The earliest deadline, if any. */
  pollTimeout(): Millis | undefined {
    const state = this.#state
    switch (state.kind) {
      case 'apart':
        return state.retryAt
      case 'connecting':
        return undefined
      case 'greeting':
        return state.deadline
      case 'ready':
        return state.conversation.pollTimeout()
    }
  }

  #take(now: Millis, message: UbusMessage): void {
    const state = this.#state
    if (state.kind === 'ready') state.conversation.take(now, message)
    if (state.kind !== 'greeting' || message.type !== UbusType.hello) return
    this.#retry = FIRST_RETRY
    this.#events.push({ kind: 'greeted' })
    const conversation = new UbusConversation(now, this.#role, this.#output)
    this.#state = { kind: 'ready', reader: state.reader, conversation }
  }

  #giveUp(now: Millis, cause: UbusTrouble): void {
    this.#events.push({ kind: 'connectionGivenUp', cause })
    this.#fallApart(now)
  }

  #fallApart(now: Millis): void {
    if (this.#state.kind === 'ready') this.#state.conversation.end()
    this.#state = { kind: 'apart', retryAt: after(now, this.#retry) }
    this.#retry = Math.min(this.#retry * 2, LAST_RETRY)
    this.#writes.length = 0
  }
}
