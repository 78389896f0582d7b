/** Netlink messages (`struct nlmsghdr`): framing, acknowledgements with their extended text, and numbering. */
import { concat } from '../bytes.ts'
import { align, decodeAttributes, textOf } from './attribute.ts'
import { host16, host16Bytes, host32, host32Bytes } from './host-order.ts'

/** A netlink message without its header of 16 octets. */
export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly port: number
  readonly body: Uint8Array
}

/** What NLMSG_ERROR or NLMSG_DONE say: errno 0 is success, otherwise positive; `text` are the kernel's words, if any. */
export interface Acknowledgement {
  readonly errno: number
  readonly text: string | undefined
}

/** Octets of `struct nlmsghdr` (linux/netlink.h). */
export const HEADER_LENGTH = 16

/** linux/netlink.h: nothing. */
export const NLMSG_NOOP = 1
/** linux/netlink.h: a refusal, or with 0 an acknowledgement. */
export const NLMSG_ERROR = 2
/** linux/netlink.h: the end of a dump. */
export const NLMSG_DONE = 3

/** Flags of requests (netlink(7)). */
export const NLM_F_REQUEST = 0x1
/** linux/netlink.h: a part of a dump. */
export const NLM_F_MULTI = 0x2
/** linux/netlink.h: an acknowledgement is wanted. */
export const NLM_F_ACK = 0x4
/** linux/netlink.h: something changed during the dump. */
export const NLM_F_DUMP_INTR = 0x10
/** linux/netlink.h: all of a kind (NLM_F_ROOT and NLM_F_MATCH). */
export const NLM_F_DUMP = 0x300
/** linux/netlink.h: takes the place of one that is there. */
export const NLM_F_REPLACE = 0x100
/** linux/netlink.h: refused where there is one. */
export const NLM_F_EXCL = 0x200
/** linux/netlink.h: made where there is none. */
export const NLM_F_CREATE = 0x400

/** In an acknowledgement: the request is not repeated behind the errno; attributes follow. */
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200
const NLMSGERR_ATTR_MSG = 1

/** A whole message. The sequence number is set by `withSequence`; the port is 0, the kernel knows the sender. */
export function encodeMessage(type: number, flags: number, ...body: readonly Uint8Array[]): Uint8Array {
  const length = HEADER_LENGTH + body.reduce((sum, part) => sum + part.length, 0)
  return concat(host32Bytes(length), host16Bytes(type), host16Bytes(flags), new Uint8Array(8), ...body)
}

/** The message under another sequence number (32 bits). */
export function withSequence(message: Uint8Array, sequence: number): Uint8Array {
  const numbered = message.slice()
  numbered.set(host32Bytes(sequence), 8)
  return numbered
}

/** The whole messages in one datagram, header included; what is cut short at its end is left out. Never throws. */
export function splitMessages(datagram: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = []
  let offset = 0
  while (offset + HEADER_LENGTH <= datagram.length) {
    const length = host32(datagram, offset)
    if (length < HEADER_LENGTH || offset + length > datagram.length) break
    messages.push(datagram.subarray(offset, offset + length))
    offset += align(length)
  }
  return messages
}

/** One whole message; undefined if it is shorter than its header or than it claims. Never throws. */
export function decodeMessage(message: Uint8Array): NetlinkMessage | undefined {
  if (message.length < HEADER_LENGTH) return undefined
  const length = host32(message, 0)
  if (length < HEADER_LENGTH || length > message.length) return undefined
  return {
    type: host16(message, 4),
    flags: host16(message, 6),
    sequence: host32(message, 8),
    port: host32(message, 12),
    body: message.subarray(HEADER_LENGTH, length),
  }
}

/** What an NLMSG_ERROR or the NLMSG_DONE of a dump says; undefined for messages of any other type. */
export function decodeAcknowledgement(message: NetlinkMessage): Acknowledgement | undefined {
  if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) return undefined
  const errno = message.body.length < 4 ? 0 : 0 - (host32(message.body, 0) | 0)
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return { errno, text: undefined }
  const attributes = decodeAttributes(message.body.subarray(attributesOffset(message)))
  return { errno, text: textOf(attributes.get(NLMSGERR_ATTR_MSG)) }
}

/** An error repeats the header of the request, and its body too unless capped; a done message only has the errno. */
function attributesOffset({ type, flags, body }: NetlinkMessage): number {
  if (type === NLMSG_DONE) return 4
  const repeated = (flags & NLM_F_CAPPED) !== 0 ? HEADER_LENGTH : Math.max(HEADER_LENGTH, host32(body, 4))
  return 4 + align(repeated)
}
