/** Netlink sockets: requests with their answers, and the messages of multicast groups. */

import { host16, host16Bytes, host32Bytes } from '../../core/netlink/host-order.ts'
import {
  decodeAcknowledgement,
  decodeMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLMSG_NOOP,
  splitMessages,
} from '../../core/netlink/message.ts'
import { after, type Millis, millis } from '../../core/time.ts'
import {
  type Cancel,
  type Clock,
  type Netlink,
  type NetlinkArrival,
  type NetlinkSocket,
  type NetlinkSocketOptions,
  type NetlinkSockets,
  type Netlinks,
  SystemError,
} from '../ports.ts'

type NetlinkOptions = Parameters<Netlinks['open']>[0]

/** Where the header (`struct nlmsghdr`) has them, in octets. */
const LENGTH = 0
const FLAGS = 6
const SEQUENCE = 8

/** Requests whose answers are outstanding: more would not fit into the socket's buffer. */
const UNDER_WAY = 64

/** A dump that keeps being torn by changes is taken as it is after so many attempts. */
const DUMP_ATTEMPTS = 5

/** Without a word from the kernel for so long, the answer to the oldest request counts as lost. */
const PATIENCE = millis(10_000)

/** Requests of the kernel, each with its answers, over sockets that know nothing of messages. */
export class NetlinkRequests implements Netlinks {
  readonly #sockets: NetlinkSockets
  readonly #clock: Clock
  readonly #patience: Millis

  /** `patience`: a request that has no answer for so long is rejected with ETIMEDOUT. */
  constructor(sockets: NetlinkSockets, clock: Clock, patience = PATIENCE) {
    this.#sockets = sockets
    this.#clock = clock
    this.#patience = patience
  }

  /** Groups get a socket of their own, so that their overrun cannot swallow an answer. */
  open(options: NetlinkOptions): Netlink {
    const { protocol, groups = [] } = options
    const listener = groups.length > 0 ? new Listener(this.#sockets, { ...options, groups }) : undefined
    try {
      return new RequestSocket(this.#sockets, this.#clock, this.#patience, protocol, listener)
    } catch (error) {
      listener?.close()
      throw error
    }
  }
}

/** A request under way, or waiting. */
interface Pending {
  readonly message: Uint8Array
  readonly isDump: boolean
  /** Undefined until it is sent. */
  sequence: number | undefined
  answers: Uint8Array[]
  /** Something changed during the dump: its answers may not fit together. */
  torn: boolean
  attempts: number
  readonly resolve: (answers: Uint8Array[]) => void
  readonly reject: (error: Error) => void
}

/**
 * Answers come in the order of the requests. The kernel serves one dump per socket at a time; other requests are sent at
 * once, and done when `request` returns: those that are made together take effect together.
 */
class RequestSocket implements Netlink {
  readonly #sockets: NetlinkSockets
  readonly #clock: Clock
  readonly #patience: Millis
  readonly #listener: Listener | undefined
  readonly #socket: NetlinkSocket
  readonly #queue: Pending[] = []
  #sequence = 0
  #watch: Cancel = () => {}
  #closed = false

  constructor(
    sockets: NetlinkSockets,
    clock: Clock,
    patience: Millis,
    protocol: NetlinkOptions['protocol'],
    listener: Listener | undefined,
  ) {
    this.#sockets = sockets
    this.#clock = clock
    this.#patience = patience
    this.#listener = listener
    const onArrivals = (arrivals: readonly NetlinkArrival[]) => this.#arrived(arrivals)
    this.#socket = sockets.open({ protocol, groups: [], onArrivals })
  }

  request(message: Uint8Array): Promise<Uint8Array[]> {
    if (this.#closed) return Promise.reject(new SystemError('EBADF', 'the netlink socket is closed'))
    return new Promise((resolve, reject) => {
      const copy = Uint8Array.from(message)
      this.#queue.push({
        message: copy,
        isDump: (host16(copy, FLAGS) & NLM_F_DUMP) === NLM_F_DUMP,
        sequence: undefined,
        answers: [],
        torn: false,
        attempts: 0,
        resolve,
        reject,
      })
      this.#sendAll()
    })
  }

  close(): void {
    this.#closed = true
    this.#watch()
    this.#listener?.close()
    this.#socket.close()
    const error = new SystemError('ECANCELED', 'the netlink socket was closed')
    for (const pending of this.#queue.splice(0)) pending.reject(error)
  }

  /** A dump is under way alone. */
  #sendAll(): void {
    this.#watchOldest()
    for (const [position, pending] of this.#queue.entries()) {
      if (position > 0 && pending.isDump) return
      if (position === UNDER_WAY) return
      if (pending.sequence === undefined) this.#send(pending)
      if (pending.isDump) return
    }
  }

  /** An acknowledgement is asked for, so that every request has an end that can be seen. */
  #send(pending: Pending): void {
    const { message } = pending
    pending.answers = []
    pending.torn = false
    pending.attempts++
    this.#sequence = (this.#sequence + 1) >>> 0
    pending.sequence = this.#sequence
    message.set(host32Bytes(message.length), LENGTH)
    message.set(host16Bytes(host16(message, FLAGS) | NLM_F_ACK), FLAGS)
    message.set(host32Bytes(this.#sequence), SEQUENCE)
    const refusal = this.#socket.send(message)
    if (refusal !== undefined) this.#refuse(pending, refusal)
  }

  #arrived(arrivals: readonly NetlinkArrival[]): void {
    for (const arrival of arrivals) {
      if (this.#closed) return
      if (arrival.error !== undefined) this.#fail(arrival.error)
      else for (const message of splitMessages(arrival.bytes)) this.#answered(message)
    }
    this.#watchOldest()
  }

  /** A full buffer swallows answers, and tells of it once, however many they were. */
  #watchOldest(): void {
    this.#watch()
    if (this.#closed || this.#queue.length === 0) return
    const lost = () => this.#fail('ETIMEDOUT', 'the kernel did not answer')
    this.#watch = this.#clock.alarm(after(this.#clock.now(), this.#patience), lost)
  }

  #answered(bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    const first = message && this.#takeFirst(message.sequence)
    if (message === undefined || first === undefined || message.type === NLMSG_NOOP) return
    if (message.flags & NLM_F_DUMP_INTR) first.torn = true
    const end = decodeAcknowledgement(message)
    if (end === undefined) first.answers.push(bytes)
    else if (end.errno > 0) this.#fail(this.#sockets.errnoName(end.errno), end.text)
    else if (first.torn && first.attempts < DUMP_ATTEMPTS) this.#send(first)
    else {
      this.#queue.shift()
      first.resolve(first.answers)
      this.#sendAll()
    }
  }

  /** The request of an answer; those before it will not get theirs any more. Undefined if nobody waits for it. */
  #takeFirst(sequence: number): Pending | undefined {
    const position = this.#queue.findIndex((pending) => pending.sequence === sequence)
    if (position < 0) return undefined
    const error = new SystemError('ENOBUFS', 'netlink: ENOBUFS: the answer was lost')
    for (const lost of this.#queue.splice(0, position)) lost.reject(error)
    return this.#queue[0]
  }

  /** What the kernel, or the socket, says is about the oldest request. */
  #fail(code: string, words?: string): void {
    const [first] = this.#queue
    if (first !== undefined) this.#refuse(first, code, words)
  }

  #refuse(pending: Pending, code: string, words?: string): void {
    const message = words === undefined ? `netlink: ${code}` : `netlink: ${code}: ${words}`
    this.#queue.splice(this.#queue.indexOf(pending), 1)
    pending.reject(new SystemError(code, message))
    this.#sendAll()
  }
}

class Listener {
  readonly #socket: NetlinkSocket
  readonly #options: NetlinkOptions
  #closed = false

  constructor(sockets: NetlinkSockets, options: NetlinkOptions & Pick<NetlinkSocketOptions, 'groups'>) {
    this.#options = options
    const { protocol, groups } = options
    const onArrivals = (arrivals: readonly NetlinkArrival[]) => this.#arrived(arrivals)
    this.#socket = sockets.open({ protocol, groups, onArrivals })
  }

  close(): void {
    this.#closed = true
    this.#socket.close()
  }

  /** What came before an overrun is handed over before it. */
  #arrived(arrivals: readonly NetlinkArrival[]): void {
    let messages: Uint8Array[] = []
    const flush = () => {
      if (messages.length > 0 && !this.#closed) this.#options.onMessages?.(messages)
      messages = []
    }
    for (const arrival of arrivals) {
      if (arrival.error === undefined) {
        messages.push(...splitMessages(arrival.bytes))
      } else {
        flush()
        if (!this.#closed) this.#options.onOverrun?.()
      }
    }
    flush()
  }
}
