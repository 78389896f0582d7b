/** What the kernel has to know about a tunnel's session. */
import { toHex } from '../bytes.ts'

/** What a session gives the kernel to hold. */
export interface TunnelSession {
  /** Octets of the largest inner packet. */
  readonly mtu: number
  /** Undefined while IPCP is not opened. */
  readonly ipv4: { readonly address: string; readonly peer: string | undefined } | undefined
  /** Undefined while IPV6CP is not opened. */
  readonly ipv6: SessionIpv6 | undefined
  /** Families that are not open, or without an address, and may still come; left out where there is none. */
  readonly awaited?: readonly (4 | 6)[]
  /** Over which device the datagrams go, and to which literal address. */
  readonly underlay: { readonly device: string; readonly server: string }
}

/** What a session has of IPv6. */
export interface SessionIpv6 {
  /** As negotiated: 8 octets, network order. */
  readonly interfaceId: Uint8Array
  /** From Router Advertisements, without the link-local one. */
  readonly addresses: readonly SessionAddress[]
  /** The router is sought: that there are no addresses says nothing yet. */
  readonly discovering?: true
}

/** An address from a Router Advertisement, with its prefix length, 0..128. */
export interface SessionAddress {
  readonly address: string
  readonly length: number
  /** Its preferred lifetime is over. */
  readonly deprecated: boolean
}

/** A tunnel as desired.ts sees it. */
export interface TunnelState {
  /** The session that is up; undefined while there is none. The carrier of the device shows it. */
  readonly session: TunnelSession | undefined
  /** What the device holds: of the session, and of the one before what the session has not settled anew yet. */
  readonly held: TunnelSession | undefined
}

/** The state after a session was opened, changed or ended: what was negotiated stays until something else is. */
export function nextState(before: TunnelState | undefined, session: TunnelSession | undefined): TunnelState {
  const held = before?.held
  if (session === undefined) return { session, held }
  const { awaited: _, ...lasting } = session
  return {
    session,
    held: {
      ...lasting,
      ipv4: session.ipv4 ?? held?.ipv4,
      ipv6: session.ipv6 === undefined ? held?.ipv6 : nextIpv6(held?.ipv6, session.ipv6),
    },
  }
}

/** While the router is sought the same identifier keeps its addresses; after that it has those of this session, or none. */
function nextIpv6(held: SessionIpv6 | undefined, { discovering, ...ipv6 }: SessionIpv6): SessionIpv6 {
  const same = held !== undefined && toHex(held.interfaceId) === toHex(ipv6.interfaceId)
  return discovering && same ? held : ipv6
}
