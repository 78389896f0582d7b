/** Who has which address in the small internet. All from the documentation ranges, and 100.64.0.0/10 between isp and router. */

export const lns = { ipv4: '192.0.2.1', ipv6: '2001:db8:192::1' } as const
export const ispAtLns = { ipv4: '192.0.2.254', ipv6: '2001:db8:192::fe' } as const
export const internet = { ipv4: '198.51.100.2', ipv6: '2001:db8:feed::2' } as const
export const lnsAtInternet = { ipv4: '198.51.100.1', ipv6: '2001:db8:feed::1' } as const
export const routerAtLan = { ipv4: '192.168.1.1', ipv6: '2001:db8:2::1' } as const
export const lan = { ipv4: '192.168.1.2', ipv6: '2001:db8:2::2' } as const

/** The LNS's own address inside the tunnels, and what it tells clients. */
export const tunnel = {
  lns: '203.0.113.1',
  pool: '203.0.113.128/25',
  dns: ['198.51.100.53', '198.51.100.54'],
  ipv6Prefix: '2001:db8:1::',
  ipv6Dns: '2001:db8:feed::53',
} as const

/** Both ends of an uplink by its number: `router` is its own address, `isp` its gateway (and resolver). */
export function uplink(number: number): { router: Pair; isp: Pair } {
  return {
    router: { ipv4: `100.64.${number}.2`, ipv6: `2001:db8:a${number}::2` },
    isp: { ipv4: `100.64.${number}.1`, ipv6: `2001:db8:a${number}::1` },
  }
}

export interface Pair {
  readonly ipv4: string
  readonly ipv6: string
}
