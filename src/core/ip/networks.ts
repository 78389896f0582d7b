/** Networks that are not the internet's, by what they are set aside for. RFC 6890 and IANA's registries list them. */
import { type Prefix, parseIp, prefixContains } from './address.ts'

/** RFC 1918 section 3: private networks of IPv4. */
export const PRIVATE: readonly Prefix[] = [
  { address: '10.0.0.0', length: 8 },
  { address: '172.16.0.0', length: 12 },
  { address: '192.168.0.0', length: 16 },
]

/** RFC 6598 section 7: between provider and customer. */
export const SHARED: Prefix = { address: '100.64.0.0', length: 10 }

/** RFC 4193 section 3.1: private networks of IPv6. */
export const UNIQUE_LOCAL: Prefix = { address: 'fc00::', length: 7 }

/** RFC 3927 section 2.1: addresses of one link of IPv4. */
export const LINK_LOCAL_IPV4: Prefix = { address: '169.254.0.0', length: 16 }

/** RFC 4291 section 2.5.6: addresses of one link of IPv6. */
export const LINK_LOCAL_IPV6: Prefix = { address: 'fe80::', length: 10 }

/** RFC 1122 section 3.2.1.3 (a): "this host on this network". */
export const THIS_NETWORK: Prefix = { address: '0.0.0.0', length: 8 }

/** RFC 1122 section 3.2.1.3 (g), RFC 4291 section 2.5.3: a host within itself. */
export const LOOPBACK: readonly Prefix[] = [
  { address: '127.0.0.0', length: 8 },
  { address: '::1', length: 128 },
]

/** RFC 1112 section 4, RFC 4291 section 2.7: groups of hosts. */
export const MULTICAST: readonly Prefix[] = [
  { address: '224.0.0.0', length: 4 },
  { address: 'ff00::', length: 8 },
]

/** RFC 1112 section 4: class E, which the kernels of most hosts neither send nor take. */
export const RESERVED: Prefix = { address: '240.0.0.0', length: 4 }

/** RFC 4291 section 2.5.5: IPv4 in IPv6, loopback, and what else was never given to anybody. */
export const EMBEDDED: Prefix = { address: '::', length: 16 }

/** RFC 6052 section 2.1, RFC 8215: what a NAT64 makes of hosts of IPv4. They can be sent to, and nobody bears them. */
export const NAT64: Prefix = { address: '64:ff9b::', length: 32 }

/** Where hosts are that the internet cannot address: behind routers that translate, or behind a provider that does. */
export const SECLUDED: readonly Prefix[] = [...PRIVATE, SHARED, UNIQUE_LOCAL]

/** fe80::/10 or 169.254.0.0/16. */
export function isLinkLocal(address: string): boolean {
  return liesInAny([LINK_LOCAL_IPV6, LINK_LOCAL_IPV4], address)
}

/** ::1 or 127.0.0.0/8. */
export function isLoopback(address: string): boolean {
  return liesInAny(LOOPBACK, address)
}

/** ff00::/8 or 224.0.0.0/4. */
export function isMulticast(address: string): boolean {
  return liesInAny(MULTICAST, address)
}

/** `::` or 0.0.0.0. */
export function isUnspecified(address: string): boolean {
  return parseIp(address)?.every((octet) => octet === 0) ?? false
}

/** Whether an address lies in one of the networks. */
export function liesInAny(networks: readonly Prefix[], address: string): boolean {
  return networks.some((network) => prefixContains(network, address))
}
