/** TCP segments that fit every path with the address of the connection, since it may move to another one. */
import { quoted } from './packets.ts'
import type { Chain } from './ruleset.ts'
import type { FirewallPath } from './types.ts'

/** Octets of the IP and TCP headers without options (RFC 9293 section 3.7.1). */
const TCP4_HEADERS = 40
const TCP6_HEADERS = 60

const SYN = 'tcp flags & (syn | rst) == syn'

/** Both ways, so that neither end sends what a tunnel would drop in silence; nft never raises a size. */
export function clampChains(paths: readonly FirewallPath[]): Chain[] {
  return [
    {
      name: 'clamp_in',
      hook: { type: 'filter', hook: 'prerouting', priority: 'mangle' },
      rules: paths.flatMap(({ device, mtu }) =>
        typeof mtu === 'number' ? clamp(`iifname ${quoted(device)}`, mtu) : [],
      ),
    },
    {
      name: 'clamp_out',
      hook: { type: 'filter', hook: 'postrouting', priority: 'mangle' },
      rules: paths.flatMap(({ device, mtu }) => {
        const out = `oifname ${quoted(device)}`
        if (mtu === 'route') return [`${out} ${SYN} tcp option maxseg size set rt mtu`]
        return mtu === undefined ? [] : clamp(out, mtu)
      }),
    },
  ]
}

function clamp(match: string, mtu: number): string[] {
  return [
    `${match} meta nfproto ipv4 ${SYN} tcp option maxseg size set ${mtu - TCP4_HEADERS}`,
    `${match} meta nfproto ipv6 ${SYN} tcp option maxseg size set ${mtu - TCP6_HEADERS}`,
  ]
}
