/** Who has which address in the lab of failover. What both labs have is in the other list. */
import type { Pair } from '../addresses.ts'

/** What the line's login gets, over fibre and in the tunnel alike. */
export const shared = { ipv4: '203.0.113.10', prefix: '2001:db8:2::/56' } as const
/** The provider's end of the fibre line. */
export const bras = { ipv4: '192.0.2.254', ipv6: '2001:db8:192::fe' } as const
/** The carrier's private network, as 4G routers see it, and the carrier itself in the internet. */
export const cell = { router: '100.64.1.2', gateway: '100.64.1.1', carrier: '198.18.0.2' } as const
/** The internet's end of the carrier's link. */
export const internetAtCarrier = '198.18.0.1'

/** What answers echoes everywhere, and the resolvers of provider and carrier: all live on the one host of the internet. */
export const anycast: readonly Pair[] = [
  { ipv4: '1.1.1.1', ipv6: '2606:4700:4700::1111' },
  { ipv4: '8.8.8.8', ipv6: '2001:4860:4860::8888' },
]
export const resolver = { ipv4: '198.51.100.53', ipv6: '2001:db8:feed::53' } as const
