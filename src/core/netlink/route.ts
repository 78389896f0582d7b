/** Routes: RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE with `struct rtmsg` (rtnetlink(7)). */
import { concat, u8 } from '../bytes.ts'
import { type Family, formatIp, type Prefix } from '../ip/address.ts'
import { addressBytes, addressFamilyOf, addressOf, familyOf } from './address.ts'
import { type Attributes, align, attribute, attributeU32, decodeAttributes, u32Of } from './attribute.ts'
import { host16, host32, host32Bytes } from './host-order.ts'
import {
  encodeMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
} from './message.ts'

/** linux/rtnetlink.h */
export const RTM_NEWROUTE = 24
/** linux/rtnetlink.h */
export const RTM_DELROUTE = 25
/** linux/rtnetlink.h */
export const RTM_GETROUTE = 26

/** RT_TABLE_MAIN (linux/rtnetlink.h): whoever configures the machine owns it. */
export const TABLE_MAIN = 254
/** RT_TABLE_LOCAL (linux/rtnetlink.h): the kernel's own. */
export const TABLE_LOCAL = 255

/** What happens to a packet that the route is for (RTN_*, linux/rtnetlink.h). */
export type RouteType = 'unicast' | 'blackhole' | 'unreachable' | 'prohibit' | 'throw' | 'local' | 'other'

/** Where a unicast route leads. */
export interface Nexthop {
  /** Index of the link. */
  readonly link: number
  /** Literal address, of IPv6 also in an IPv4 route (RTA_VIA); undefined if the link needs none. */
  readonly gateway: string | undefined
  /** The gateway counts as a neighbour although no connected route says so. */
  readonly onlink: boolean
}

/** A route of the kernel, by what tells it from others and what it does. */
export interface Route {
  readonly family: Family
  /** 1..2^32-1 */
  readonly table: number
  /** Its host bits are zero. Length 0 is a default route. */
  readonly destination: Prefix
  readonly type: RouteType
  /** Who made it (rtm_protocol). */
  readonly protocol: number
  /** The smaller one wins. */
  readonly metric: number
  /** The source address that the route prefers. */
  readonly source: string | undefined
  /** Several for a multipath route, none where the type is not unicast. */
  readonly nexthops: readonly Nexthop[]
}

const TYPES: readonly (RouteType | undefined)[] = [
  undefined,
  'unicast',
  'local',
  undefined,
  undefined,
  undefined,
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
]

const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTA_PRIORITY = 6
const RTA_PREFSRC = 7
const RTA_MULTIPATH = 9
const RTA_TABLE = 15
const RTA_VIA = 18

const RTNH_F_ONLINK = 4
const RTM_F_CLONED = 0x200
const RT_SCOPE_LINK = 253
const RT_SCOPE_NOWHERE = 255
const RT_TABLE_COMPAT = 252

const RTMSG = 12
const RTNEXTHOP = 8

/** The body of an RTM_NEWROUTE or RTM_DELROUTE; undefined if short, foreign or a cached clone. Never throws. */
export function decodeRoute(body: Uint8Array): Route | undefined {
  if (body.length < RTMSG) return undefined
  const family = familyOf(u8(body, 0))
  if (family === undefined || (host32(body, 8) & RTM_F_CLONED) !== 0) return undefined
  const attributes = decodeAttributes(body.subarray(RTMSG))
  const type = TYPES[u8(body, 7)] ?? 'other'
  return {
    family,
    table: u32Of(attributes.get(RTA_TABLE)) ?? u8(body, 4),
    destination: {
      address: addressOf(attributes, RTA_DST, family) ?? (family === 4 ? '0.0.0.0' : '::'),
      length: u8(body, 1),
    },
    type,
    protocol: u8(body, 5),
    metric: u32Of(attributes.get(RTA_PRIORITY)) ?? 0,
    source: addressOf(attributes, RTA_PREFSRC, family),
    nexthops: type === 'unicast' ? decodeNexthops(attributes, family, host32(body, 8)) : [],
  }
}

/** Asks for all routes of a family, of every table. */
export function encodeRouteDump(family: Family): Uint8Array {
  const header = concat(Uint8Array.of(addressFamilyOf(family)), new Uint8Array(RTMSG - 1))
  return encodeMessage(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, header)
}

/** Adds the route, in place of one with the same table, destination and metric. */
export function encodeNewRoute(route: Route): Uint8Array {
  return encodeRoute(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route)
}

/** Asks to remove this route, and none that only resembles it. */
export function encodeRouteRemoval(route: Route): Uint8Array {
  return encodeRoute(RTM_DELROUTE, 0, route)
}

function encodeRoute(message: number, flags: number, route: Route): Uint8Array {
  const { family, table, destination, type, protocol, metric, source } = route
  const nexthop = route.nexthops[0]
  const header = Uint8Array.of(
    addressFamilyOf(family),
    destination.length,
    0,
    0,
    table < 256 ? table : RT_TABLE_COMPAT,
    protocol,
    scopeFor(message, route),
    TYPES.indexOf(type),
  )
  return encodeMessage(
    message,
    NLM_F_REQUEST | NLM_F_ACK | flags,
    header,
    host32Bytes(nexthop?.onlink ? RTNH_F_ONLINK : 0),
    ...(destination.length === 0 ? [] : [attribute(RTA_DST, addressBytes(destination.address))]),
    attributeU32(RTA_TABLE, table),
    ...(metric === 0 ? [] : [attributeU32(RTA_PRIORITY, metric)]),
    ...(source === undefined ? [] : [attribute(RTA_PREFSRC, addressBytes(source))]),
    ...(nexthop === undefined ? [] : [attributeU32(RTA_OIF, nexthop.link), ...gateway(nexthop, family)]),
  )
}

/** IPv4 wants to know whether neighbours or gateways are reached; a removal matches any scope; IPv6 has none. */
function scopeFor(message: number, { family, type, nexthops }: Route): number {
  if (message === RTM_DELROUTE) return RT_SCOPE_NOWHERE
  return family === 4 && type === 'unicast' && nexthops[0]?.gateway === undefined ? RT_SCOPE_LINK : 0
}

function gateway({ gateway }: Nexthop, family: Family): Uint8Array[] {
  if (gateway === undefined) return []
  const bytes = addressBytes(gateway)
  if (bytes.length === (family === 4 ? 4 : 16)) return [attribute(RTA_GATEWAY, bytes)]
  return [attribute(RTA_VIA, concat(Uint8Array.of(addressFamilyOf(family === 4 ? 6 : 4), 0), bytes))]
}

function decodeNexthops(attributes: Attributes, family: Family, flags: number): Nexthop[] {
  const multipath = attributes.get(RTA_MULTIPATH)
  if (multipath !== undefined) return decodeMultipath(multipath, family)
  const link = u32Of(attributes.get(RTA_OIF))
  if (link === undefined) return []
  return [{ link, gateway: gatewayOf(attributes, family), onlink: (flags & RTNH_F_ONLINK) !== 0 }]
}

function decodeMultipath(bytes: Uint8Array, family: Family): Nexthop[] {
  const nexthops: Nexthop[] = []
  let offset = 0
  while (offset + RTNEXTHOP <= bytes.length) {
    const length = host16(bytes, offset)
    if (length < RTNEXTHOP || offset + length > bytes.length) break
    const attributes = decodeAttributes(bytes.subarray(offset + RTNEXTHOP, offset + length))
    nexthops.push({
      link: host32(bytes, offset + 4),
      gateway: gatewayOf(attributes, family),
      onlink: (u8(bytes, offset + 2) & RTNH_F_ONLINK) !== 0,
    })
    offset += align(length)
  }
  return nexthops
}

function gatewayOf(attributes: Attributes, family: Family): string | undefined {
  const via = attributes.get(RTA_VIA)
  if (via === undefined) return addressOf(attributes, RTA_GATEWAY, family)
  const address = via.subarray(2)
  return address.length === 4 || address.length === 16 ? formatIp(address) : undefined
}
