/**
 * The filter that every tunnel has without a word of configuration: nothing but replies and ICMP gets in, nothing but
 * replies and ICMP errors gets through, and TCP segments fit.
 */
import { type Chain, quoted, replaceTable } from './ruleset.ts'

/** What the firewall has to know about a tunnel. */
export interface FirewallTunnel {
  /** Matches `[a-z0-9_]+`; chains are named after it. */
  readonly name: string
  readonly device: string
  /** Octets. */
  readonly mtu: number
  readonly firewall: 'default' | 'none'
}

/** Octets of the IP and TCP headers without options (RFC 9293 section 3.7.1). */
const TCP4_HEADERS = 40
const TCP6_HEADERS = 60

/** The nft script for these tunnels. Devices need not exist. */
export function firewallText(tunnels: readonly FirewallTunnel[]): string {
  const guarded = tunnels.filter(({ firewall }) => firewall === 'default')
  const sharedChains = guarded.length === 0 ? [] : [ICMP_ERRORS, ICMP_IN]
  return replaceTable([
    ...sharedChains,
    ...guarded.flatMap(({ name }) => [
      { name: `input_${name}`, rules: [...KNOWN_FLOWS, 'jump icmp_in', 'counter drop'] },
      { name: `forward_${name}`, rules: [...KNOWN_FLOWS, 'jump icmp_errors', 'counter drop'] },
    ]),
    base(
      'input',
      'filter',
      guarded.map(({ name, device }) => `iifname ${quoted(device)} goto input_${name}`),
    ),
    base(
      'forward',
      'filter',
      guarded.map(({ name, device }) => `iifname ${quoted(device)} goto forward_${name}`),
    ),
    { ...base('forward', 'mangle', tunnels.flatMap(clamp)), name: 'clamp' },
  ])
}

const KNOWN_FLOWS = ['ct state vmap { established : accept, related : accept, invalid : drop }'] as const

/** Conntrack knows the errors of flows that it knows; of the others, those that RFC 4890 section 4.3.1 keeps. */
const ICMP_ERRORS: Chain = {
  name: 'icmp_errors',
  rules: [
    'icmp type { destination-unreachable, time-exceeded, parameter-problem } limit rate 1000/second accept',
    'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } limit rate 1000/second accept',
  ],
}

/** RFC 4890 section 4.4: echo, neighbour discovery of this link only, and multicast listeners. */
const ICMP_IN: Chain = {
  name: 'icmp_in',
  rules: [
    'jump icmp_errors',
    'icmp type echo-request limit rate 1000/second accept',
    'icmpv6 type echo-request limit rate 1000/second accept',
    'icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept',
    'icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } ip6 saddr fe80::/10 accept',
  ],
}

function base(hook: 'input' | 'forward', priority: string, rules: readonly string[]): Chain {
  return { name: hook, hook: { type: 'filter', hook, priority }, rules }
}

/** Both ways, so that neither end sends what the tunnel would drop. nft never raises a size. */
function clamp({ device, mtu }: FirewallTunnel): string[] {
  return ['iifname', 'oifname'].flatMap((direction) => [
    `${direction} ${quoted(device)} meta nfproto ipv4 tcp flags & (syn | rst) == syn tcp option maxseg size set ${mtu - TCP4_HEADERS}`,
    `${direction} ${quoted(device)} meta nfproto ipv6 tcp flags & (syn | rst) == syn tcp option maxseg size set ${mtu - TCP6_HEADERS}`,
  ])
}
