/** What does not leave: forged senders, private networks, and what a path cannot carry. */
import { formatPrefix } from '../ip/address.ts'
import { LINK_LOCAL_IPV4, PRIVATE, SHARED, UNIQUE_LOCAL } from '../ip/networks.ts'
import { isHost } from '../ip/prefix.ts'
import { addresses, devices, leavesWith, oneOf, quoted } from './packets.ts'
import type { Chain } from './ruleset.ts'
import type { FirewallInput, OwnedPrefix } from './types.ts'

const PRIVATE_IPV4 = oneOf(PRIVATE.map(formatPrefix))
/** The same, and addresses between provider and customer and of a link alone. */
const UNROUTABLE = oneOf([...PRIVATE, SHARED, LINK_LOCAL_IPV4].map(formatPrefix).sort())
/** RFC 4861 section 4, RFC 2710 section 3, RFC 3810 section 5: what a host says of itself to its link. */
const LINK_MESSAGES =
  '{ nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld-listener-done, mld2-listener-report }'

/** At the very end, when source addresses are those that the internet would see. */
export function leavingChains({ paths, owned, asked, twins }: FirewallInput): Chain[] {
  const covered = paths.filter(({ filter }) => typeof filter !== 'string')
  if (covered.length === 0) return []
  const untranslated = covered.filter(({ snat }) => snat === undefined).map(({ device }) => device)
  return [
    {
      name: 'private_network',
      rules: [
        // Our own address there is private: so is the network that the provider, or another router, has there.
        `ip saddr ${UNROUTABLE} fib saddr . oif type local return`,
        ...twins.map((twin) => `${leavesWith(twin)} return`),
        ...(asked.length === 0 ? [] : [`ip daddr ${oneOf(asked)} return`]),
        // Resolvers of providers often have private addresses.
        'meta l4proto { tcp, udp } th dport 53 return',
        'counter drop',
      ],
    },
    {
      name: 'leaving',
      hook: { type: 'filter', hook: 'postrouting', priority: 'srcnat + 10' },
      rules: [
        `oifname != ${devices(covered.map(({ device }) => device))} accept`,
        `ip daddr ${PRIVATE_IPV4} jump private_network`,
        ...owned.flatMap(ownersOnly),
        ...(untranslated.length === 0 ? [] : [`oifname ${devices(untranslated)} accept`]),
        ...twins.map((twin) => `${leavesWith(twin)} accept`),
        // The address of another path: of a connection that was there before a switch.
        'meta nfproto ipv4 fib saddr type local fib saddr . oif type != local counter drop',
        `ip saddr ${UNROUTABLE} fib saddr . oif type != local counter drop`,
        `ip6 saddr ${formatPrefix(UNIQUE_LOCAL)} fib saddr . oif type != local counter drop`,
      ],
    },
  ]
}

/** For packets that are forwarded: they are refused by the way that they take, whatever made them take it. */
export function refusedOnTheWay({ paths, owned }: FirewallInput): string[] {
  const prefixes = owned.filter(({ prefix }) => prefix.address.includes(':') && !isHost(prefix))
  return [
    ...refusedFamilies(paths),
    ...prefixes.flatMap(({ prefix, devices: owners }) => {
      const strangers = paths.map(({ device }) => device).filter((device) => !owners.includes(device))
      // RFC 4443 section 3.1, code 5: the host tries another source address, or IPv4, at once (RFC 7084, L-14).
      return strangers.length === 0
        ? []
        : [
            `oifname ${devices(strangers)} ip6 saddr ${formatPrefix(prefix)} counter reject with icmpv6 policy-fail`,
          ]
    }),
  ]
}

/** A session that lacks a family: what is sent there all the same is told so. */
export function refusedFamilies(paths: FirewallInput['paths']): string[] {
  return paths.flatMap(({ device, uncarried }) =>
    uncarried.map((family) =>
      family === 4
        ? `oifname ${quoted(device)} meta nfproto ipv4 counter reject with icmp net-unreachable`
        : `oifname ${quoted(device)} meta nfproto ipv6 counter reject with icmpv6 no-route`,
    ),
  )
}

/**
 * The same for what this machine sends itself, except what speaks with the link alone: solicitations, reports and what
 * goes to a neighbour's link-local address. Without it a family that is lacking could never arrive (RFC 4890 section 4.4).
 */
export function refusedFromHere(paths: FirewallInput['paths']): string[] {
  const lacking6 = paths.filter(({ uncarried }) => uncarried.includes(6)).map(({ device }) => device)
  if (lacking6.length === 0) return refusedFamilies(paths)
  const ofTheLink = `oifname ${devices(lacking6)}`
  return [
    `${ofTheLink} icmpv6 type ${LINK_MESSAGES} accept`,
    `${ofTheLink} ip6 daddr { fe80::/10, ff02::/16 } accept`,
    ...refusedFamilies(paths),
  ]
}

/**
 * There is nobody on a tunnel's link who could go another way. The setting `send_redirects` of a device counts only where
 * that of all devices is off, and the kernel writes a redirect before filters see the packet that it is about.
 */
export function redirectsOfOurs(paths: FirewallInput['paths']): string[] {
  const tunnels = paths.filter(({ kind }) => kind === 'tunnel').map(({ device }) => device)
  return tunnels.length === 0
    ? []
    : [
        `icmp type redirect oifname ${devices(tunnels)} drop`,
        `icmpv6 type nd-redirect oifname ${devices(tunnels)} drop`,
      ]
}

function ownersOnly({ prefix, devices: owners }: OwnedPrefix): string[] {
  const [match = ''] = addresses('saddr', [prefix])
  return [`${match} oifname ${devices(owners)} accept`, `${match} counter drop`]
}
