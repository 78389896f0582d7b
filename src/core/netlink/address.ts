/** Addresses of links: RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR with `struct ifaddrmsg` (rtnetlink(7)). */
import { concat, u8 } from '../bytes.ts'
import { type Family, formatIp, parseIp } from '../ip/address.ts'
import { type Attributes, attribute, attributeU32, decodeAttributes, u32Of } from './attribute.ts'
import { host32, host32Bytes } from './host-order.ts'
import {
  encodeMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
} from './message.ts'

/** linux/rtnetlink.h */
export const RTM_NEWADDR = 20
/** linux/rtnetlink.h */
export const RTM_DELADDR = 21
/** linux/rtnetlink.h */
export const RTM_GETADDR = 22

/** An address on a link. */
export interface LinkAddress {
  readonly family: Family
  /** Index of the link. */
  readonly link: number
  readonly address: string
  /** Length of its prefix, or of the peer's where there is one. */
  readonly length: number
  /** The other end of a point-to-point link. */
  readonly peer: string | undefined
  readonly scope: Scope
  /** It is not to be used for new connections (preferred lifetime 0). */
  readonly deprecated: boolean
  /** It cannot be used yet or at all: duplicate detection runs or has failed. */
  readonly tentative: boolean
  /** Without the connected route that the kernel otherwise adds to main (IFA_F_NOPREFIXROUTE). */
  readonly noPrefixRoute: boolean
}

/** What to put on a link; lifetimes are for ever, or `deprecated`. IPv6 addresses skip duplicate detection. */
export interface NewAddress {
  readonly family: Family
  readonly link: number
  readonly address: string
  readonly length: number
  readonly peer: string | undefined
  readonly deprecated: boolean
  readonly noPrefixRoute: boolean
}

/** How far an address or a route is valid (RT_SCOPE_*, linux/rtnetlink.h). */
export type Scope = 'global' | 'site' | 'link' | 'host' | 'nowhere'

const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_CACHEINFO = 6
const IFA_FLAGS = 8

const IFA_F_NODAD = 0x02
const IFA_F_DADFAILED = 0x08
const IFA_F_DEPRECATED = 0x20
const IFA_F_TENTATIVE = 0x40
const IFA_F_NOPREFIXROUTE = 0x200

const IFADDRMSG = 8
const FOREVER = 0xffffffff

/** The body of an RTM_NEWADDR or RTM_DELADDR; undefined if it is short or not of IPv4 or IPv6. Never throws. */
export function decodeAddress(body: Uint8Array): LinkAddress | undefined {
  if (body.length < IFADDRMSG) return undefined
  const family = familyOf(u8(body, 0))
  if (family === undefined) return undefined
  const attributes = decodeAttributes(body.subarray(IFADDRMSG))
  const remote = addressOf(attributes, IFA_ADDRESS, family)
  const local = addressOf(attributes, IFA_LOCAL, family) ?? remote
  if (local === undefined) return undefined
  const flags = u32Of(attributes.get(IFA_FLAGS)) ?? u8(body, 2)
  return {
    family,
    link: host32(body, 4),
    address: local,
    length: u8(body, 1),
    peer: remote === local ? undefined : remote,
    scope: scopeOf(u8(body, 3)),
    deprecated: (flags & IFA_F_DEPRECATED) !== 0 || preferredOf(attributes) === 0,
    tentative: (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) !== 0,
    noPrefixRoute: (flags & IFA_F_NOPREFIXROUTE) !== 0,
  }
}

/** Asks for all addresses of a family. */
export function encodeAddressDump(family: Family): Uint8Array {
  return encodeMessage(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, ifaddrmsg(family, 0, 0, 0))
}

/** Adds the address, or gives one that is there already these properties. */
export function encodeNewAddress(wanted: NewAddress): Uint8Array {
  const flags = (wanted.family === 6 ? IFA_F_NODAD : 0) | (wanted.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0)
  const preferred = wanted.deprecated ? 0 : FOREVER
  return encodeMessage(
    RTM_NEWADDR,
    NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
    ifaddrmsg(wanted.family, wanted.length, isLinkLocal6(wanted.address) ? RT_SCOPE_LINK : 0, wanted.link),
    ...addressAttributes(wanted),
    attributeU32(IFA_FLAGS, flags),
    attribute(IFA_CACHEINFO, concat(host32Bytes(preferred), host32Bytes(FOREVER), new Uint8Array(8))),
  )
}

/** Asks to take an address off a link. */
export function encodeAddressRemoval(
  address: Pick<LinkAddress, 'family' | 'link' | 'address' | 'length' | 'peer'>,
): Uint8Array {
  return encodeMessage(
    RTM_DELADDR,
    NLM_F_REQUEST | NLM_F_ACK,
    ifaddrmsg(address.family, address.length, 0, address.link),
    ...addressAttributes(address),
  )
}

/** AF_INET and AF_INET6 of Linux as the numbers people use. */
export function familyOf(addressFamily: number): Family | undefined {
  return addressFamily === 2 ? 4 : addressFamily === 10 ? 6 : undefined
}

/** AF_INET or AF_INET6 (sys/socket.h). */
export function addressFamilyOf(family: Family): number {
  return family === 4 ? 2 : 10
}

/** The literal address in an attribute; undefined if absent or of the wrong length. */
export function addressOf(attributes: Attributes, type: number, family: Family): string | undefined {
  const value = attributes.get(type)
  return value === undefined || value.length !== (family === 4 ? 4 : 16) ? undefined : formatIp(value)
}

/** Octets of an address that is already validated; anything else is our own bug. */
export function addressBytes(address: string): Uint8Array {
  const bytes = parseIp(address)
  if (bytes === undefined) throw new Error(`not an address: ${address}`)
  return bytes
}

const RT_SCOPE_LINK = 253

/** The scope of a number of RT_SCOPE_*; one that has no name is as wide as `site`. */
export function scopeOf(scope: number): Scope {
  switch (scope) {
    case 0:
      return 'global'
    case RT_SCOPE_LINK:
      return 'link'
    case 254:
      return 'host'
    case 255:
      return 'nowhere'
    default:
      return 'site'
  }
}

/** Seconds; the first field of `struct ifa_cacheinfo`. */
function preferredOf(attributes: Attributes): number | undefined {
  return u32Of(attributes.get(IFA_CACHEINFO))
}

function addressAttributes({ address, peer }: Pick<NewAddress, 'address' | 'peer'>): Uint8Array[] {
  const local = addressBytes(address)
  return [
    attribute(IFA_LOCAL, local),
    attribute(IFA_ADDRESS, peer === undefined ? local : addressBytes(peer)),
  ]
}

function isLinkLocal6(address: string): boolean {
  return /^fe[89ab]/i.test(address)
}

function ifaddrmsg(family: Family, length: number, scope: number, link: number): Uint8Array {
  return concat(Uint8Array.of(addressFamilyOf(family), length, 0, scope), host32Bytes(link))
}
