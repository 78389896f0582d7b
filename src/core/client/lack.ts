/** What a session that is up does without, so that nobody wonders. */
export type Lack =
  /** IPv6 was not opened: packets of `mtu` octets are all that the LNS takes or sends. */
  | { readonly code: 'ipv6Small'; readonly mtu: number }
  /** The router inside has addresses for us, by DHCPv6 alone (RFC 4861 section 4.2: M without a prefix for SLAAC). */
  | { readonly code: 'dhcpv6' }

/** One sentence, without a capital letter and without a full stop. */
export function lackMessage(lack: Lack): string {
  switch (lack.code) {
    case 'ipv6Small':
      return `IPv6 is not opened: the LNS takes or sends packets of at most ${lack.mtu} octets, and IPv6 needs 1280`
    case 'dhcpv6':
      return 'the LNS gives IPv6 addresses by DHCPv6 alone, which lifeline does not speak: set option ip6addr to the address that the provider names'
  }
}
