/** Tracked connections: IPCTNL_MSG_CT_GET and IPCTNL_MSG_CT_DELETE (linux/netfilter/nfnetlink_conntrack.h). */
import { concat, u8, u16 } from '../bytes.ts'
import type { Family } from '../ip/address.ts'
import { addressBytes, addressFamilyOf, addressOf, familyOf } from './address.ts'
import {
  type Attributes,
  attribute,
  attributeNested,
  attributeU32,
  decodeAttributes,
  u8Of,
  u32Of,
} from './attribute.ts'
import { decodeMessage, encodeMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from './message.ts'

const NFNL_SUBSYS_CTNETLINK = 1
const IPCTNL_MSG_CT_NEW = (NFNL_SUBSYS_CTNETLINK << 8) | 0
const IPCTNL_MSG_CT_GET = (NFNL_SUBSYS_CTNETLINK << 8) | 1
const IPCTNL_MSG_CT_DELETE = (NFNL_SUBSYS_CTNETLINK << 8) | 2

const CTA_TUPLE_ORIG = 1
const CTA_TUPLE_REPLY = 2
const CTA_MARK = 8
const CTA_ID = 12
const CTA_ZONE = 18
const CTA_FILTER = 25

const CTA_TUPLE_IP = 1
const CTA_TUPLE_PROTO = 2
/** Source and destination follow each other: 1 and 2 for IPv4, 3 and 4 for IPv6. */
const CTA_IP_V4_SRC = 1
const CTA_IP_V6_SRC = 3
const CTA_PROTO_NUM = 1
const CTA_PROTO_SRC_PORT = 2
const CTA_PROTO_DST_PORT = 3

/** Which fields of a tuple a filter compares: bits 0 and 1 are the addresses (nf_conntrack_netlink.c). */
const CTA_FILTER_ORIG_FLAGS = 1
const CTA_FILTER_REPLY_FLAGS = 2
const FILTER_DESTINATION = 1 << 1

/** `struct nfgenmsg` */
const HEADER = 4

/** What packets of one direction look like when conntrack sees them. */
export interface Tuple {
  readonly source: string
  readonly destination: string
  /** IP protocol number. */
  readonly protocol: number
  /** Of protocols that have ports. */
  readonly sourcePort: number | undefined
  readonly destinationPort: number | undefined
}

/** A connection that the kernel tracks, by the addresses of its both directions. */
export interface Connection {
  readonly family: Family
  /** The direction of the first packet, before any translation. */
  readonly original: Tuple
  /** What the answers are addressed to: where they differ from the original's reverse, addresses were translated. */
  readonly reply: Tuple
  readonly mark: number
  /** The attributes by which the kernel finds this very connection again. */
  readonly handle: Uint8Array
}

/**
 * Asks for the connections whose packets of one direction go to `destination`. Kernels before 5.8 do not know the filter
 * and tell all: the answers have to be compared again.
 */
export function encodeConnectionDump(direction: 'original' | 'reply', destination: string): Uint8Array {
  const isOriginal = direction === 'original'
  const family: Family = destination.includes(':') ? 6 : 4
  const field = (family === 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC) + 1
  const address = attributeNested(CTA_TUPLE_IP, attribute(field, addressBytes(destination)))
  return encodeMessage(
    IPCTNL_MSG_CT_GET,
    NLM_F_REQUEST | NLM_F_DUMP,
    nfgenmsg(family),
    attributeNested(isOriginal ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY, address),
    attributeNested(
      CTA_FILTER,
      attributeU32(CTA_FILTER_ORIG_FLAGS, isOriginal ? FILTER_DESTINATION : 0),
      attributeU32(CTA_FILTER_REPLY_FLAGS, isOriginal ? 0 : FILTER_DESTINATION),
    ),
  )
}

/** Forgets one connection; ENOENT if it has ended meanwhile. */
export function encodeConnectionRemoval({ family, handle }: Connection): Uint8Array {
  return encodeMessage(IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, nfgenmsg(family), handle)
}

/** One message of the answer to a dump; undefined if it is about no connection or cut short. Never throws. */
export function decodeConnection(bytes: Uint8Array): Connection | undefined {
  const message = decodeMessage(bytes)
  if (message?.type !== IPCTNL_MSG_CT_NEW || message.body.length < HEADER) return undefined
  const family = familyOf(u8(message.body, 0))
  if (family === undefined) return undefined
  const attributes = decodeAttributes(message.body.subarray(HEADER))
  const originalBytes = attributes.get(CTA_TUPLE_ORIG)
  const original = decodeTuple(originalBytes, family)
  const reply = decodeTuple(attributes.get(CTA_TUPLE_REPLY), family)
  if (originalBytes === undefined || original === undefined || reply === undefined) return undefined
  return {
    family,
    original,
    reply,
    mark: bigEndian32(attributes, CTA_MARK),
    handle: concat(
      attributeNested(CTA_TUPLE_ORIG, originalBytes),
      ...[CTA_ID, CTA_ZONE].flatMap((type) => {
        const value = attributes.get(type)
        return value === undefined ? [] : [attribute(type, value)]
      }),
    ),
  }
}

function decodeTuple(bytes: Uint8Array | undefined, family: Family): Tuple | undefined {
  if (bytes === undefined) return undefined
  const tuple = decodeAttributes(bytes)
  const addresses = decodeAttributes(tuple.get(CTA_TUPLE_IP) ?? new Uint8Array())
  const protocol = decodeAttributes(tuple.get(CTA_TUPLE_PROTO) ?? new Uint8Array())
  const first = family === 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC
  const source = addressOf(addresses, first, family)
  const destination = addressOf(addresses, first + 1, family)
  const number = u8Of(protocol.get(CTA_PROTO_NUM))
  if (source === undefined || destination === undefined || number === undefined) return undefined
  return {
    source,
    destination,
    protocol: number,
    sourcePort: port(protocol, CTA_PROTO_SRC_PORT),
    destinationPort: port(protocol, CTA_PROTO_DST_PORT),
  }
}

/** In network order, as everything about packets in nfnetlink. */
function port(protocol: Attributes, type: number): number | undefined {
  const value = protocol.get(type)
  return value === undefined || value.length < 2 ? undefined : u16(value, 0)
}

function bigEndian32(attributes: Attributes, type: number): number {
  const value = attributes.get(type)
  if (value === undefined || value.length < 4) return 0
  return u32Of(Uint8Array.from(value.subarray(0, 4)).reverse()) ?? 0
}

function nfgenmsg(family: Family): Uint8Array {
  return Uint8Array.of(addressFamilyOf(family), 0, 0, 0)
}
