import { concat, fromHex, toHex } from '../bytes.ts'
import { formatIp } from './address.ts'

/** RFC 4291 section 2.5.6: fe80::/10 and 54 zero bits before the interface identifier. */
const LINK_LOCAL_PREFIX = fromHex('fe80 0000 0000 0000')

/** The link-local address of an interface identifier of 8 octets. */
export function linkLocal(interfaceId: Uint8Array): string {
  return formatIp(concat(LINK_LOCAL_PREFIX, interfaceId))
}

/** An interface identifier of 8 octets as four groups, such as `0:0:0:1`. */
export function formatInterfaceId(interfaceId: Uint8Array): string {
  const groups = toHex(interfaceId).match(/.{4}/g) ?? []
  return groups.map((group) => group.replace(/^0{1,3}/, '')).join(':')
}
