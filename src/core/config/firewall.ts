/** `config firewall 'NAME'`: what may pass between the internet, this machine and the LAN. */

import { liesInAny, PRIVATE, SHARED } from '../ip/networks.ts'
import type { FailoverConfig } from './failover.ts'
import { allowRule, forwardRule } from './firewall-kinds.ts'
import { oneOf, sectionName, wordOr } from './kinds.ts'
import { address, deviceName } from './network-kinds.ts'
import { as, type Properties, propertiesOf } from './properties.ts'
import { type BuildContext, list, one, type Section, type Values } from './schema.ts'

const options = {
  /** Empty means every tunnel whose `firewall` is not none, and every uplink in `failover`. */
  path: as(
    'paths',
    list(sectionName, {
      doc: 'Names of the uplinks and tunnels that lead to the internet.',
      defaultText: 'every tunnel that has not `firewall none`, and every uplink of `failover`',
    }),
  ),
  allow: list(allowRule, {
    doc: "What this machine itself takes from the internet, such as `22/tcp`, `'25,443/tcp'`, `6000-6100/udp`, `53/tcpudp` or `esp`; with `from 192.0.2.0/24,2001:db8::/32` behind it only from there.",
  }),
  allow_forward: list(forwardRule, {
    doc: 'What a host of the LAN with a public address takes, such as `443/tcp=2001:db8::5`. For hosts behind NAT there is `redirect`.',
  }),
  lan: list(deviceName, {
    doc: 'Devices from which the internet may be used.',
  }),
  policy: one(oneOf('drop', 'reject'), {
    doc: 'What becomes of the rest, which is also logged: `reject` tells the sender.',
    default: 'drop',
  }),
  snat: one(wordOr('auto', wordOr('none', address(4))), {
    doc: 'The IPv4 address that the LAN shows: `auto` is the static address on all paths that share it and that of the device elsewhere; `none` leaves addresses as they are.',
    default: 'auto',
  }),
}

/** `config firewall 'NAME'`: what may pass between the internet, this machine and the LAN. */
export interface FirewallConfig extends Properties<typeof options> {
  readonly name: string
}

/** Section `firewall`: what may come in over the paths. */
export const firewall: Section<typeof options, FirewallConfig> = {
  type: 'firewall',
  doc: 'The firewall of machines that have no other for these paths (on OpenWrt zones do this). Replies, ICMP and ICMPv6 as RFC 4890 wants it pass; everything else has to be allowed. Without such a section nothing is taken from tunnels at all.',
  options,
  anonymousName: 'firewall',
  build(values: Values<typeof options>, context) {
    check(values, context)
    return { name: context.name, ...propertiesOf(options, values) }
  },
}

function check(values: Values<typeof options>, { report }: BuildContext): void {
  for (const [index, { destination }] of values.allow_forward.entries())
    if (liesInAny([...PRIVATE, SHARED], destination.address))
      report({
        severity: 'warning',
        option: 'allow_forward',
        index,
        reason: `nobody in the internet can address ${destination.address}; use 'redirect' for it`,
      })
}

/** The section that covers a path; without a list of paths one covers all tunnels, and the uplinks in `failover`. */
export function sectionOf(
  name: string,
  kind: 'tunnel' | 'uplink',
  config: { readonly firewalls: readonly FirewallConfig[]; readonly failover: FailoverConfig | undefined },
): FirewallConfig | undefined {
  return config.firewalls.find(({ paths }) =>
    paths.length > 0
      ? paths.includes(name)
      : kind === 'tunnel' || (config.failover?.paths.includes(name) ?? false),
  )
}
