/** The house of the README: fibre as PPPoE, the same line's login as a tunnel over 4G, and plain 4G. */
import { fromHex } from '../../../src/core/bytes.ts'
import type { Config } from '../../../src/core/config/types.ts'
import type { Facts } from '../../../src/core/system/facts.ts'
import type { TunnelSession } from '../../../src/core/system/session.ts'
import { FAILOVER } from '../config/defaults.ts'
import { addressOn, configOf, defaultOver, linkOf, tunnelOf, uplinkOf } from './samples.ts'

export function failoverConfig(changes: Partial<Config> = {}): Config {
  const tunnel = tunnelOf('aaisp', { ip6prefixes: [{ address: '2001:db8:2::', length: 56 }] })
  const uplinks = [uplinkOf('fibre', 'pppoe-aaisp'), uplinkOf('lte', 'wan-4g', { metered: true })]
  return {
    ...configOf([tunnel], uplinks),
    failover: { ...FAILOVER, paths: ['fibre', 'aaisp', 'lte'] },
    ...changes,
  }
}

/** pppoe-aaisp (index 3) has the public address and no IPv6 one, wan-4g (4) is behind NAT, br-lan (5) is the LAN. */
export const HOME: Facts = {
  links: [
    linkOf(1, 'lo', { loopback: true }),
    linkOf(3, 'pppoe-aaisp', { noArp: true, mtu: 1492 }),
    linkOf(4, 'wan-4g'),
    linkOf(5, 'br-lan'),
  ],
  addresses: [
    addressOn(3, '203.0.113.10/32'),
    addressOn(4, '10.64.0.2/24'),
    addressOn(5, '192.168.1.1/24'),
    addressOn(5, '2001:db8:2::1/64'),
  ],
  routes: [
    defaultOver(3, undefined),
    defaultOver(4, '10.64.0.1', { metric: 700 }),
    defaultOver(3, undefined, { family: 6 }),
  ],
  rules: [],
  ipv6: true,
  managed: [],
}

/** The session over 4G, with the address of the line. */
export const AAISP: TunnelSession = {
  mtu: 1462,
  ipv4: { address: '203.0.113.10', peer: '203.0.113.1' },
  ipv6: { interfaceId: fromHex('020a 0000 0000 00aa'), addresses: [] },
  underlay: { device: 'wan-4g', server: '198.51.100.1' },
}
