/** ICMP and ICMPv6 that no network works without (RFC 4890). */
import type { Chain } from './ruleset.ts'

/** Conntrack knows the errors of flows that it knows; of the others, those that RFC 4890 section 4.3.1 keeps. */
export const ICMP_ERRORS: Chain = {
  name: 'icmp_errors',
  rules: [
    'icmp type { destination-unreachable, time-exceeded, parameter-problem } limit rate 1000/second accept',
    'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } limit rate 1000/second accept',
  ],
}

/** RFC 4890 section 4.4: echo, neighbour discovery of this link only, and multicast listeners. */
export const ICMP_IN: Chain = {
  name: 'icmp_in',
  rules: [
    'jump icmp_errors',
    'icmp type echo-request limit rate 1000/second accept',
    'icmpv6 type echo-request limit rate 1000/second accept',
    'icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept',
    'icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } ip6 saddr fe80::/10 accept',
  ],
}

/** RFC 4890 section 4.3.1: whether a host can be reached is for everyone to ask. */
export const ICMP_THROUGH: Chain = {
  name: 'icmp_through',
  rules: [
    'jump icmp_errors',
    'icmp type echo-request limit rate 1000/second accept',
    'icmpv6 type echo-request limit rate 1000/second accept',
  ],
}
