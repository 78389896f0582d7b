/** What the kernel has to know about a tunnel's session. */

export interface TunnelSession {
  /** Octets of the largest inner packet. */
  readonly mtu: number
  /** Undefined while IPCP is not opened. */
  readonly ipv4: { readonly address: string; readonly peer: string | undefined } | undefined
  /** Undefined while IPV6CP is not opened. */
  readonly ipv6: SessionIpv6 | undefined
  /** Over which device the datagrams go, and to which literal address. */
  readonly underlay: { readonly device: string; readonly server: string }
}

export interface SessionIpv6 {
  /** As negotiated: 8 octets, network order. */
  readonly interfaceId: Uint8Array
  /** From Router Advertisements, without the link-local one. */
  readonly addresses: readonly SessionAddress[]
}

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
  /** What was last negotiated, also by an earlier process: it stays on the device while the tunnel redials. */
  readonly last: TunnelSession | undefined
}
