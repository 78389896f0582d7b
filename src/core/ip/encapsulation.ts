/** What a session's packets travel in on the underlay, what that costs, and what is left for the packet inside. */

/** The headers between the outer IP header and the inner packet: of UDP, L2TP and PPP. */
export type Encapsulation = 'l2tp'

/** Octets of an IP header without options or extensions (RFC 791 section 3.1, RFC 8200 section 3). */
export const IP_HEADER = { 4: 20, 6: 40 } as const

const UDP_HEADER = 8
/** RFC 2661 section 3.1: of a data message, without length and sequence numbers. */
const L2TP_HEADER = 6
/** RFC 1662 section 3.1: address, control and a protocol of 2 octets. */
const PPP_HEADER = 4

const INSIDE: Readonly<Record<Encapsulation, number>> = { l2tp: UDP_HEADER + L2TP_HEADER + PPP_HEADER }

/** RFC 1661 section 6.1: the default MRU; more is not negotiated. */
export const LARGEST_INNER_MTU = 1500
/** RFC 8200 section 5: a link with less carries no IPv6. */
export const LEAST_IPV6_MTU = 1280

/** Octets around an inner packet, the outer header of that family and all after it. */
export function overheadOf(family: 4 | 6, encapsulation: Encapsulation): number {
  return IP_HEADER[family] + INSIDE[encapsulation]
}

/** Octets of the largest inner packet that leaves the underlay in one piece, or what the user wants. */
export function innerMtu(
  wanted: { readonly mtu: 'auto' | number; readonly ipv6: boolean },
  underlayMtu: number,
  overhead: number,
): number {
  if (wanted.mtu !== 'auto') return wanted.mtu
  const fitting = Math.min(LARGEST_INNER_MTU, underlayMtu - overhead)
  return wanted.ipv6 ? Math.max(LEAST_IPV6_MTU, fitting) : fitting
}
