/** What a `firewall` section allows, and what happens to the rest. */
import type { FirewallConfig } from '../config/types.ts'
import { allowed, allowedThrough, devices } from './packets.ts'
import type { Chain } from './ruleset.ts'
import type { FirewallPath } from './types.ts'

/** Replies pass in every direction; what belongs to no connection and is no beginning of one does not. */
export const KNOWN_FLOWS = 'ct state vmap { established : accept, related : accept, invalid : drop }'

/** In the kernel's log. */
export const LOG_PREFIX = 'lifeline drop: '

/** A `firewall` section with the paths that it covers. */
export interface CoveredPaths {
  readonly section: FirewallConfig
  readonly paths: readonly FirewallPath[]
}

/** The sections that cover any path, with those paths. */
export function coveredPaths(paths: readonly FirewallPath[]): CoveredPaths[] {
  const sections = new Set(paths.flatMap(({ filter }) => (typeof filter === 'string' ? [] : [filter])))
  return [...sections].map((section) => ({
    section,
    paths: paths.filter(({ filter }) => filter === section),
  }))
}

/** For packets to this machine, from the internet into the LAN, and from the LAN out. */
export function sectionChains({ section, paths }: CoveredPaths): Chain[] {
  const { name, allow, allowForward, lan } = section
  const refuse = `goto refuse_${name}`
  const uplinks = paths.filter(({ kind }) => kind === 'uplink').map(({ device }) => device)
  const strangers = lan.length === 0 ? refuse : `iifname != ${devices(lan)} ${refuse}`
  return [
    { name: `refuse_${name}`, rules: refusal(section) },
    {
      name: `in_${name}`,
      rules: [
        KNOWN_FLOWS,
        'jump icmp_in',
        'jump redirected',
        ...(uplinks.length === 0 ? [] : dhcp(uplinks)),
        ...allow.flatMap(allowed).map((match) => `${match} accept`),
        refuse,
      ],
    },
    {
      name: `through_${name}`,
      rules: [
        KNOWN_FLOWS,
        'jump icmp_through',
        'jump redirected',
        ...allowForward.flatMap(allowedThrough).map((match) => `${match} accept`),
        refuse,
      ],
    },
    {
      name: `out_${name}`,
      rules: [
        KNOWN_FLOWS,
        strangers,
        // Whose answers would not come back to the device that the packet came from has a forged sender (RFC 2827).
        ...(lan.length === 0 ? [] : [`fib saddr . iif oif missing ${refuse}`]),
      ],
    },
  ]
}

/** The jumps to the chains of a section. */
export function intoSection({
  section: { name },
  paths,
}: CoveredPaths): Record<'input' | 'forward', string[]> {
  const outside = devices(paths.map(({ device }) => device))
  return {
    input: [`iifname ${outside} goto in_${name}`],
    forward: [`iifname ${outside} goto through_${name}`, `oifname ${outside} goto out_${name}`],
  }
}

function refusal({ policy }: FirewallConfig): string[] {
  const log = `limit rate 5/second burst 10 packets log prefix "${LOG_PREFIX}"`
  if (policy === 'drop') return [log, 'counter drop']
  return [log, 'meta l4proto tcp counter reject with tcp reset', 'counter reject with icmpx port-unreachable']
}

/** Answers to multicast requests, and renewals that come late: conntrack does not know them. */
function dhcp(uplinks: readonly string[]): string[] {
  return [
    `iifname ${devices(uplinks)} meta nfproto ipv4 udp sport 67 udp dport 68 accept`,
    `iifname ${devices(uplinks)} ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept`,
  ]
}
