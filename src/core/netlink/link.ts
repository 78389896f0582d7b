/** Links: RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK with `struct ifinfomsg` (rtnetlink(7)). */
import { concat } from '../bytes.ts'
import { attributeText, attributeU32, decodeAttributes, textOf, u32Of } from './attribute.ts'
import { host16, host32, host32Bytes } from './host-order.ts'
import { encodeMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from './message.ts'

/** linux/rtnetlink.h */
export const RTM_NEWLINK = 16
/** linux/rtnetlink.h */
export const RTM_DELLINK = 17
/** linux/rtnetlink.h */
export const RTM_GETLINK = 18

/** A network device. */
export interface Link {
  readonly index: number
  readonly name: string
  /** The administrator wants it up (IFF_UP). */
  readonly up: boolean
  /** It is up and has a carrier (IFF_LOWER_UP). */
  readonly carrier: boolean
  readonly loopback: boolean
  /** It resolves no neighbours (IFF_NOARP), so that routes over it need no gateway: PPP, TUN, many modems. */
  readonly noArp: boolean
  /** Octets. */
  readonly mtu: number
  /** `tun`, `veth`, `bridge`; undefined for hardware. */
  readonly kind: string | undefined
  readonly alias: string | undefined
}

/** What may be set on a link; left out stays as it is. */
export interface LinkChange {
  readonly mtu?: number
  readonly up?: boolean
  readonly alias?: string
}

const IFF_UP = 0x1
const IFF_LOOPBACK = 0x8
const IFF_NOARP = 0x80
const IFF_LOWER_UP = 0x10000

const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_LINKINFO = 18
const IFLA_IFALIAS = 20
const IFLA_INFO_KIND = 1

const IFINFOMSG = 16

/** The body of an RTM_NEWLINK or RTM_DELLINK; undefined if it is short or nameless. Never throws. */
export function decodeLink(body: Uint8Array): Link | undefined {
  if (body.length < IFINFOMSG) return undefined
  const attributes = decodeAttributes(body.subarray(IFINFOMSG))
  const name = textOf(attributes.get(IFLA_IFNAME))
  if (name === undefined) return undefined
  const flags = host32(body, 8)
  const info = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array())
  return {
    index: host32(body, 4),
    name,
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    noArp: (flags & IFF_NOARP) !== 0,
    mtu: u32Of(attributes.get(IFLA_MTU)) ?? 0,
    kind: textOf(info.get(IFLA_INFO_KIND)),
    alias: textOf(attributes.get(IFLA_IFALIAS)) || undefined,
  }
}

/** Messages of bridge ports and of wireless extensions carry the same types: only AF_UNSPEC speaks of the link itself. */
export function isAboutLink(body: Uint8Array): boolean {
  return body.length >= IFINFOMSG && (host16(body, 0) & 0xff) === 0
}

/** Asks for all links. */
export function encodeLinkDump(): Uint8Array {
  return encodeMessage(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, ifinfomsg(0))
}

/** Asks for one link by its name (at most 15 octets); ENODEV if there is none. */
export function encodeLinkQuery(name: string): Uint8Array {
  return encodeMessage(RTM_GETLINK, NLM_F_REQUEST, ifinfomsg(0), attributeText(IFLA_IFNAME, name))
}

/** Asks to change what is named of a link, and nothing else. */
export function encodeLinkChange(index: number, change: LinkChange): Uint8Array {
  return encodeMessage(
    RTM_NEWLINK,
    NLM_F_REQUEST | NLM_F_ACK,
    change.up === undefined ? ifinfomsg(index) : ifinfomsg(index, change.up ? IFF_UP : 0, IFF_UP),
    ...(change.mtu === undefined ? [] : [attributeU32(IFLA_MTU, change.mtu)]),
    ...(change.alias === undefined ? [] : [attributeText(IFLA_IFALIAS, change.alias)]),
  )
}

/** Asks to remove a link. */
export function encodeLinkRemoval(index: number): Uint8Array {
  return encodeMessage(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, ifinfomsg(index))
}

function ifinfomsg(index: number, flags = 0, change = 0): Uint8Array {
  return concat(new Uint8Array(4), host32Bytes(index), host32Bytes(flags), host32Bytes(change))
}
