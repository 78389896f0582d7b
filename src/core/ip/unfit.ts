/** Addresses that say by themselves that no host of the internet or of a private network can have them. */
import { prefixContains } from './address.ts'
import {
  EMBEDDED,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  NAT64,
  RESERVED,
  THIS_NETWORK,
} from './networks.ts'

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
