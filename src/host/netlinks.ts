/** Netlink sockets: requests with their answers, and the messages of multicast groups. */
import { type Cancel, type Netlink, type Netlinks, SystemError } from '../app/ports.ts'
import { le16, le16Bytes, le32Bytes } from '../core/netlink/attribute.ts'
import {
  decodeAcknowledgement,
  decodeMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLMSG_NOOP,
  splitMessages,
} from '../core/netlink/message.ts'
import { type Addon, type Arrival, checked, type Handle } from './native.ts'
import { later } from './timers.ts'

type NetlinkOptions = Parameters<Netlinks['open']>[0]

/** <linux/netlink.h> */
const NETLINK_ROUTE = 0
const NETLINK_NETFILTER = 12

/** Where the header (`struct nlmsghdr`) has them, in octets. */
const LENGTH = 0
const FLAGS = 6
const SEQUENCE = 8

/** Requests whose answers are outstanding: more would not fit into the socket's buffer. */
const UNDER_WAY = 64

/** A dump that keeps being torn by changes is taken as it is after so many attempts. */
const DUMP_ATTEMPTS = 5

/** ms without a word from the kernel after which the answer to the oldest request counts as lost. */
const PATIENCE = 10_000

/** Opens netlink sockets through the addon. */
export class NativeNetlinks implements Netlinks {
  readonly #addon: Addon
  readonly #patience: number

  /** `patience`: ms after which a request that has no answer is rejected with ETIMEDOUT. */
  constructor(addon: Addon, patience = PATIENCE) {
    this.#addon = addon
    this.#patience = patience
  }

  /** Groups get a socket of their own, so that their overrun cannot swallow an answer. */
  open(options: NetlinkOptions): Netlink {
    const listener = options.groups?.length ? new Listener(this.#addon, options) : undefined
    try {
      return new NativeNetlink(this.#addon, options.protocol, listener, this.#patience)
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
class NativeNetlink implements Netlink {
  readonly #addon: Addon
  readonly #handle: Handle<'netlink'>
  readonly #listener: Listener | undefined
  readonly #patience: number
  readonly #queue: Pending[] = []
  #sequence = 0
  #watch: Cancel = () => {}
  #closed = false

  constructor(
    addon: Addon,
    protocol: NetlinkOptions['protocol'],
    listener: Listener | undefined,
    patience: number,
  ) {
    this.#addon = addon
    this.#listener = listener
    this.#patience = patience
    const onArrivals = (arrivals: readonly Arrival[]) => this.#arrived(arrivals)
    const opened = addon.openNetlink(protocolNumber(protocol), [], onArrivals)
    this.#handle = checked(addon, opened, `cannot open a netlink socket (${protocol})`)
  }

  request(message: Uint8Array): Promise<Uint8Array[]> {
    if (this.#closed) return Promise.reject(new SystemError('EBADF', 'the netlink socket is closed'))
    return new Promise((resolve, reject) => {
      const copy = Uint8Array.from(message)
      this.#queue.push({
        message: copy,
        isDump: (le16(copy, FLAGS) & NLM_F_DUMP) === NLM_F_DUMP,
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
    this.#addon.close(this.#handle)
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
    message.set(le32Bytes(message.length), LENGTH)
    message.set(le16Bytes(le16(message, FLAGS) | NLM_F_ACK), FLAGS)
    message.set(le32Bytes(this.#sequence), SEQUENCE)
    const result = this.#addon.sendNetlink(this.#handle, message)
    if (result < 0) this.#refuse(pending, this.#addon.errnoName(-result))
  }

  #arrived(arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) {
      if (this.#closed) return
      if (arrival.error !== undefined) this.#fail(this.#addon.errnoName(arrival.error))
      else for (const message of splitMessages(arrival.bytes)) this.#answered(message)
    }
    this.#watchOldest()
  }

  /** A full buffer swallows answers, and tells of it once, however many they were. */
  #watchOldest(): void {
    this.#watch()
    if (this.#closed || this.#queue.length === 0) return
    this.#watch = later(this.#patience, () => this.#fail('ETIMEDOUT', 'the kernel did not answer'))
  }

  #answered(bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    const first = message && this.#takeFirst(message.sequence)
    if (message === undefined || first === undefined || message.type === NLMSG_NOOP) return
    if (message.flags & NLM_F_DUMP_INTR) first.torn = true
    const end = decodeAcknowledgement(message)
    if (end === undefined) first.answers.push(bytes)
    else if (end.errno > 0) this.#fail(this.#addon.errnoName(end.errno), end.text)
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
  readonly #addon: Addon
  readonly #handle: Handle<'netlink'>
  readonly #options: NetlinkOptions
  #closed = false

  constructor(addon: Addon, options: NetlinkOptions) {
    const { protocol, groups = [] } = options
    this.#addon = addon
    this.#options = options
    const onArrivals = (arrivals: readonly Arrival[]) => this.#arrived(arrivals)
    const opened = addon.openNetlink(protocolNumber(protocol), groups, onArrivals)
    this.#handle = checked(
      addon,
      opened,
      `cannot listen to netlink groups ${groups.join(', ')} (${protocol})`,
    )
  }

  close(): void {
    this.#closed = true
    this.#addon.close(this.#handle)
  }

  /** What came before an overrun is handed over before it. */
  #arrived(arrivals: readonly Arrival[]): void {
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

function protocolNumber(protocol: NetlinkOptions['protocol']): number {
  return protocol === 'route' ? NETLINK_ROUTE : NETLINK_NETFILTER
}
