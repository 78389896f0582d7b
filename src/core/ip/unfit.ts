/** Addresses that say by themselves that no host of the internet or of a private network can have them. */
import {
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  type Prefix,
  prefixContains,
} from './address.ts'

/** RFC 1122 section 3.2.1.3 (a): "this host on this network". */
const THIS_NETWORK: Prefix = { address: '0.0.0.0', length: 8 }
/** RFC 1112 section 4: class E, which the kernels of most hosts neither send nor take. */
const RESERVED: Prefix = { address: '240.0.0.0', length: 4 }
/** RFC 4291 section 2.5.5: IPv4 in IPv6, loopback, and what else was never given to anybody. */
const EMBEDDED: Prefix = { address: '::', length: 16 }
/** RFC 6052 section 2.1, RFC 8215: what a NAT64 makes of hosts of IPv4. They can be sent to, and nobody bears them. */
const NAT64: Prefix = { address: '64:ff9b::', length: 32 }

/**
 * Why nobody can have this literal address as one to be reached at, as a predicate: `is a loopback address`. Undefined
 * where nothing of the kind speaks against it.
 */
export function unfitByItself(address: string): string | undefined {
  if (isLinkLocal(address)) return 'is a link-local address'
  if (prefixContains(NAT64, address)) return 'stands for a host of IPv4 (64:ff9b::/32)'
  return unfitAnywhere(address)
}

/** The same for what need not be reached from beyond the link: servers, gateways and resolvers may be link-local. */
export function unfitAnywhere(address: string): string | undefined {
  if (isUnspecified(address)) return 'is the unspecified address'
  if (isLoopback(address)) return 'is a loopback address'
  if (isMulticast(address)) return 'is a multicast address'
  if (address === '255.255.255.255') return 'is the broadcast address'
  if (prefixContains(THIS_NETWORK, address)) return 'is an address of no host (0.0.0.0/8)'
  if (prefixContains(RESERVED, address)) return 'is a reserved address (240.0.0.0/4)'
  if (prefixContains(EMBEDDED, address)) return 'is a reserved address (::/16)'
  return undefined
}
