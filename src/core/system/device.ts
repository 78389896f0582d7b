/** The TUN device of a tunnel: its settings and its addresses. */
import type { TunnelConfig } from '../config/types.ts'
import { LEAST_IPV6_MTU } from '../ip/encapsulation.ts'
import { linkLocal } from '../ip/interface-id.ts'
import type { AssignedAddress } from './assigned.ts'
import type { DesiredAddress, DesiredDevice, Sysctl } from './desired-state.ts'
import { type Facts, linkNamed } from './facts.ts'
import type { Tunnel } from './tunnel.ts'

/** Aliases of our devices begin with this. */
export const ALIAS_PREFIX = 'lifeline tunnel '

/** A link of this name is there and no TUN device, so that it is somebody else's: nothing of it may be touched. */
export function isForeign({ device }: Pick<TunnelConfig, 'device'>, facts: Facts): boolean {
  const link = linkNamed(facts, device)
  return link !== undefined && link.kind !== 'tun'
}

/** `leader`: the name of the path that everybody's traffic is sent to. */
export function desiredDevice(tunnel: Tunnel, facts: Facts, leader: string | undefined): DesiredDevice {
  const { name, device } = tunnel.config
  return {
    name: device,
    alias: `${ALIAS_PREFIX}${name}`,
    mtu: tunnel.mtu,
    carrier: tunnel.up || (tunnel.inFailover && name === leader),
    sysctls: sysctls(tunnel, facts),
    addresses: addresses(tunnel),
    addressOwner: facts.managed.includes(device) ? 'other' : 'lifeline',
  }
}

/**
 * `ignore_routes_with_linkdown`: without a carrier our routes do not count and lookups go on to main. The kernel is
 * kept from making addresses and routes itself: those come from the negotiated identifier, and stay out of main.
 */
function sysctls({ config: { device }, routesIpv6, mtu }: Tunnel, facts: Facts): Sysctl[] {
  const ipv4 = [{ path: `net/ipv4/conf/${device}/ignore_routes_with_linkdown`, value: '1' }]
  // On a device of small packets the kernel has no IPv6, and no settings for it.
  if (!facts.ipv6 || mtu < LEAST_IPV6_MTU) return ipv4
  const settings = routesIpv6
    ? { disable_ipv6: '0', addr_gen_mode: '1', accept_ra: '0', ignore_routes_with_linkdown: '1' }
    : { disable_ipv6: '1' }
  const path = (name: string) => `net/ipv6/conf/${device}/${name}`
  return [...ipv4, ...Object.entries(settings).map(([name, value]) => ({ path: path(name), value }))]
}

/**
 * Static addresses, and what the session negotiated or, while there is none, the one before. None brings a connected
 * route into main, except the link-local one, whose route names its own device only.
 */
function addresses({ assigned, interfaceId }: Tunnel): DesiredAddress[] {
  const given = (by: AssignedAddress['by']) =>
    assigned.addresses
      .filter((each) => each.by === by)
      .map(({ by: _, ...address }): DesiredAddress => ({ ...address, noPrefixRoute: true }))
  const wanted = [
    ...given('ipcp'),
    ...(interfaceId === undefined ? [] : [ofLink(interfaceId)]),
    ...given('router'),
    ...given('provider'),
  ]
  return wanted.filter(
    ({ address }, position) => wanted.findIndex((other) => other.address === address) === position,
  )
}

function ofLink(interfaceId: Uint8Array): DesiredAddress {
  const address = linkLocal(interfaceId)
  return { family: 6, address, length: 64, peer: undefined, deprecated: false, noPrefixRoute: false }
}
