/** Port forwards, and the address that the LAN shows. Before other programs' chains, so that theirs find it done. */
import type { PortProtocol, RedirectConfig } from '../config/types.ts'
import { isHost } from '../ip/prefix.ts'
import { addresses, destinationPorts, devices, leavesWith, ports, quoted } from './packets.ts'
import type { Chain } from './ruleset.ts'
import type { FirewallInput, FirewallPath, OwnedPrefix, TwinAddress } from './types.ts'

/** `redirected` accepts what a redirect has sent on: it is there even if there is no redirect. */
export function natChains({ paths, redirects, owned, twins }: FirewallInput): Chain[] {
  const enabled = redirects.filter((redirect) => redirect.enabled)
  const outside = devices(paths.map(({ device }) => device))
  const translated = paths.flatMap((path) => sourceRules(path, owned, twins))
  return [
    {
      name: 'redirected',
      rules: enabled.map(
        ({ protocols, destIp, destPort }) =>
          `ip daddr ${destIp} ${destinationPorts(protocols, [destPort])} ct status dnat accept`,
      ),
    },
    ...(enabled.length === 0 || paths.length === 0
      ? []
      : [
          {
            name: 'redirects',
            hook: { type: 'nat', hook: 'prerouting', priority: 'dstnat - 10' },
            rules: [
              `iifname != ${outside} accept`,
              // What is for others only passes through.
              'fib daddr type != local accept',
              ...enabled.flatMap(redirectRules),
            ],
          } as const,
        ]),
    ...(translated.length === 0
      ? []
      : [
          {
            name: 'sources',
            hook: { type: 'nat', hook: 'postrouting', priority: 'srcnat - 10' },
            rules: translated,
          } as const,
        ]),
  ]
}

/**
 * A static address by name, since masquerading forgets connections whose outgoing device changes. Addresses that are
 * the path's own, or routed to it, stay.
 */
function sourceRules(
  { device, snat }: FirewallPath,
  owned: readonly OwnedPrefix[],
  twins: readonly TwinAddress[],
): string[] {
  if (snat === undefined) return []
  const out = `oifname ${quoted(device)}`
  const routed = owned
    .filter(({ prefix, devices: some }) => some.includes(device) && !isHost(prefix))
    .filter(({ prefix }) => !prefix.address.includes(':'))
    .map(({ prefix }) => prefix)
  return [
    `${out} fib saddr . oif type local accept`,
    ...twins.filter((twin) => twin.device === device).map((twin) => `${leavesWith(twin)} accept`),
    ...addresses('saddr', routed).map((match) => `${out} ${match} accept`),
    `${out} meta nfproto ipv4 ${snat === 'masquerade' ? 'masquerade' : `snat ip to ${snat}`}`,
  ]
}

function redirectRules({ protocols, srcDport, srcIps, destIp, destPort }: RedirectConfig): string[] {
  const senders = srcIps.length === 0 ? [''] : addresses('saddr', srcIps).map((match) => `${match} `)
  return senders.flatMap((sender) =>
    protocols.map((protocol) => {
      const match = `${sender}${destinationPorts([protocol], [srcDport])}`
      return `${match} dnat ip to ${destIp}${destination(protocol, srcDport, destPort)}`
    }),
  )
}

/** nft would spread a range over another at random: each port has its own. */
function destination(
  protocol: PortProtocol,
  from: RedirectConfig['srcDport'],
  to: RedirectConfig['destPort'],
): string {
  if (from.first === to.first && from.last === to.last) return ''
  if (to.first === to.last) return `:${ports(to)}`
  const length = from.last - from.first + 1
  const pairs = Array.from({ length }, (_, i) => `${from.first + i} : ${to.first + i}`)
  return ` : ${protocol} dport map { ${pairs.join(', ')} }`
}
