/** The addresses and prefixes that a tunnel brings: what its session was given, and what is routed to it by arrangement. */
import type { TunnelConfig } from '../config/types.ts'
import { type Family, ipFamily, type Prefix } from '../ip/address.ts'
import { isHost, networkOf } from '../ip/prefix.ts'
import type { TunnelSession } from './session.ts'

/** An address of this machine that packets into the tunnel may come from. */
export interface AssignedAddress {
  readonly family: Family
  readonly address: string
  /** As the device bears it. */
  readonly length: number
  /** The other end of the link, where it has told. */
  readonly peer: string | undefined
  /** Its preferred lifetime is over. */
  readonly deprecated: boolean
  /**
   * Who gave it: IPCP; a router that advertises in the tunnel, so that no other path has it; or the provider, who told
   * the user.
   */
  readonly by: 'ipcp' | 'router' | 'provider'
}

/** All that a tunnel brings. Whoever brings something new, as DHCPv6 would, adds it here. */
export interface Assigned {
  /** IPv4 first; that of IPCP before all others. */
  readonly addresses: readonly AssignedAddress[]
  /** Larger than one address, without host bits: for hosts behind this machine too. */
  readonly prefixes: readonly Prefix[]
}

/** What a session, or the last one while there is none, and the configuration of its tunnel come to; `ipv6`: with IPv6. */
export function assigned(
  { ipaddrs, ip6addrs, ip6prefixes }: Pick<TunnelConfig, 'ipaddrs' | 'ip6addrs' | 'ip6prefixes'>,
  session: Partial<Pick<TunnelSession, 'ipv4' | 'ipv6'>> | undefined,
  ipv6: boolean,
): Assigned {
  const { ipv4: given4, ipv6: given6 } = session ?? {}
  const ofRouter = given6?.addresses.map((address) => ({ ...bare(address, 'router'), ...address })) ?? []
  return {
    addresses: [
      ...(given4 === undefined
        ? []
        : [{ ...bare({ address: given4.address, length: 32 }, 'ipcp'), peer: given4.peer }]),
      // The block of a static address is routed to us, not connected: with its own length the kernel would take the last
      // address of the block for a broadcast address.
      ...ipaddrs.map(({ address }) => bare({ address, length: 32 }, 'provider')),
      ...(ipv6 ? [...ofRouter, ...ip6addrs.map((prefix) => bare(prefix, 'provider'))] : []),
    ],
    prefixes: [...ipaddrs.filter((prefix) => !isHost(prefix)), ...(ipv6 ? ip6prefixes : [])].map(networkOf),
  }
}

/**
 * Without an address of its own, or one behind it, nothing could be answered to this machine. For IPv4 it is that of IPCP
 * that counts.
 */
export function hasAddress({ addresses, prefixes }: Assigned, family: Family): boolean {
  if (family === 4) return addresses.some(({ by }) => by === 'ipcp')
  return [...addresses, ...prefixes].some(({ address }) => ipFamily(address) === 6)
}

function bare({ address, length }: Prefix, by: AssignedAddress['by']): AssignedAddress {
  return { family: ipFamily(address) ?? 4, address, length, peer: undefined, deprecated: false, by }
}
