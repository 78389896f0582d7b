/** Netlink sockets: requests with their answers, and the messages of multicast groups. */
import { endianness } from 'node:os'
import { type Netlink, type Netlinks, SystemError } from '../app/ports.ts'
import { type Addon, type Arrival, checked, errnoName, type Handle, loadAddon } from './native.ts'

type NetlinkOptions = Parameters<Netlinks['open']>[0]

/** <linux/netlink.h> */
const NETLINK_ROUTE = 0
const NETLINK_NETFILTER = 12
const NLMSG_NOOP = 1
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_ACK = 4
const NLM_F_DUMP_INTR = 0x10
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200
const NLMSGERR_ATTR_MSG = 1
const HEADER = 16

/** NLM_F_ROOT and NLM_F_MATCH. */
const NLM_F_DUMP = 0x300

/** Requests whose answers are outstanding: more would not fit into the socket's buffer. */
const UNDER_WAY = 64

/** A dump that keeps being torn by changes is taken as it is after so many attempts. */
const DUMP_ATTEMPTS = 5

/** ms without a word from the kernel after which the answer to the oldest request counts as lost. */
const PATIENCE = 10_000

/** Netlink speaks the byte order of the machine. */
const LITTLE = endianness() === 'LE'

export class NativeNetlinks implements Netlinks {
  readonly #addon: Addon = loadAddon()
  readonly #patience: number

  /** `patience`: ms after which a request that has no answer is rejected with ETIMEDOUT. */
  constructor(patience = PATIENCE) {
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
  #watch: NodeJS.Timeout | undefined
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
    this.#handle = checked(opened, `cannot open a netlink socket (${protocol})`)
  }

  request(message: Uint8Array): Promise<Uint8Array[]> {
    if (this.#closed) return Promise.reject(new SystemError('EBADF', 'the netlink socket is closed'))
    return new Promise((resolve, reject) => {
      const copy = Uint8Array.from(message)
      this.#queue.push({
        message: copy,
        isDump: (viewOf(copy).getUint16(6, LITTLE) & NLM_F_DUMP) === NLM_F_DUMP,
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
    clearTimeout(this.#watch)
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
    const view = viewOf(message)
    pending.answers = []
    pending.torn = false
    pending.attempts++
    this.#sequence = (this.#sequence + 1) >>> 0
    pending.sequence = this.#sequence
    view.setUint32(0, message.length, LITTLE)
    view.setUint16(6, view.getUint16(6, LITTLE) | NLM_F_ACK, LITTLE)
    view.setUint32(8, this.#sequence, LITTLE)
    const result = this.#addon.sendNetlink(this.#handle, message)
    if (result < 0) this.#refuse(pending, errnoName(-result))
  }

  #arrived(arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) {
      if (this.#closed) return
      if (arrival.error !== undefined) this.#fail(errnoName(arrival.error))
      else for (const message of splitMessages(arrival.bytes)) this.#answered(message)
    }
    this.#watchOldest()
  }

  /** A full buffer swallows answers, and tells of it once, ahead of those that it still holds. */
  #watchOldest(): void {
    clearTimeout(this.#watch)
    if (this.#closed || this.#queue.length === 0) return
    this.#watch = setTimeout(() => this.#fail('ETIMEDOUT', 'the kernel did not answer'), this.#patience)
  }

  #answered(message: Uint8Array): void {
    const view = viewOf(message)
    const first = this.#takeFirst(view.getUint32(8, LITTLE))
    if (first === undefined) return
    if (view.getUint16(6, LITTLE) & NLM_F_DUMP_INTR) first.torn = true
    switch (view.getUint16(4, LITTLE)) {
      case NLMSG_NOOP:
        return
      case NLMSG_DONE:
      case NLMSG_ERROR: {
        const errno = message.length >= HEADER + 4 ? -view.getInt32(HEADER, LITTLE) : 0
        if (errno > 0) this.#fail(errnoName(errno), kernelWords(message))
        else if (first.torn && first.attempts < DUMP_ATTEMPTS) this.#send(first)
        else {
          this.#queue.shift()
          first.resolve(first.answers)
          this.#sendAll()
        }
        return
      }
      default:
        first.answers.push(message)
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
    this.#handle = checked(opened, `cannot listen to netlink groups ${groups.join(', ')} (${protocol})`)
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

/** One datagram holds several messages, each padded to a multiple of 4. */
function splitMessages(datagram: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = []
  const view = viewOf(datagram)
  for (let offset = 0; offset + HEADER <= datagram.length; ) {
    const length = view.getUint32(offset, LITTLE)
    if (length < HEADER || offset + length > datagram.length) break
    messages.push(datagram.subarray(offset, offset + length))
    offset += (length + 3) & ~3
  }
  return messages
}

/** The text that the kernel adds to a refusal (NLMSGERR_ATTR_MSG), if any. */
function kernelWords(message: Uint8Array): string | undefined {
  const view = viewOf(message)
  const flags = view.getUint16(6, LITTLE)
  if (view.getUint16(4, LITTLE) !== NLMSG_ERROR || !(flags & NLM_F_ACK_TLVS)) return undefined
  if (message.length < HEADER + 4 + HEADER) return undefined
  const echoed = flags & NLM_F_CAPPED ? HEADER : view.getUint32(HEADER + 4, LITTLE)
  for (let offset = HEADER + 4 + echoed; offset + 4 <= message.length; ) {
    const length = view.getUint16(offset, LITTLE)
    if (length < 4 || offset + length > message.length) break
    if (view.getUint16(offset + 2, LITTLE) === NLMSGERR_ATTR_MSG)
      return new TextDecoder().decode(message.subarray(offset + 4, offset + length - 1))
    offset += (length + 3) & ~3
  }
  return undefined
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
