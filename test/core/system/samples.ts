/** Configurations, sessions and systems for the tests of what the kernel should hold. */
import assert from 'node:assert/strict'
import { fromHex } from '../../../src/core/bytes.ts'
import type { Config, TunnelConfig, UplinkConfig } from '../../../src/core/config/types.ts'
import { parsePrefix } from '../../../src/core/ip/address.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { Facts, Link, LinkAddress, Route } from '../../../src/core/system/facts.ts'
import type { TunnelSession } from '../../../src/core/system/session.ts'
import { LIFELINE, NOTHING, TUNNEL, UPLINK } from '../config/defaults.ts'

export function configOf(tunnels: readonly TunnelConfig[], uplinks: readonly UplinkConfig[] = []): Config {
  return { ...NOTHING, lifeline: { ...LIFELINE, markMask: 0xff0000 }, uplinks, tunnels }
}

export function tunnelOf(name: string, options: Partial<TunnelConfig> = {}): TunnelConfig {
  return {
    ...TUNNEL,
    name,
    servers: [{ host: 'lns.example', port: 1701 }],
    username: 'alice',
    password: new Secret('wonderland'),
    device: `l2tp-${name}`,
    auth: ['chap'],
    ...options,
  }
}

export function uplinkOf(name: string, device: string, options: Partial<UplinkConfig> = {}): UplinkConfig {
  return { ...UPLINK, name, device: { by: 'name', name: device }, ...options }
}

export const FIREWALL: Config['firewalls'][number] = {
  name: 'internet',
  paths: [],
  allow: [],
  allowForward: [],
  lan: ['br-lan'],
  policy: 'drop',
  snat: 'auto',
}

export function linkOf(index: number, name: string, options: Partial<Link> = {}): Link {
  return {
    index,
    name,
    up: true,
    carrier: true,
    loopback: false,
    noArp: false,
    mtu: 1500,
    kind: undefined,
    alias: undefined,
    ...options,
  }
}

/** A default route of main; without a gateway it is one of IPv4, unless `options` say otherwise. */
export function defaultOver(link: number, gateway: string | undefined, options: Partial<Route> = {}): Route {
  const family = options.family ?? (gateway?.includes(':') ? 6 : 4)
  return {
    family,
    table: 254,
    destination: { address: family === 4 ? '0.0.0.0' : '::', length: 0 },
    type: 'unicast',
    protocol: 3,
    metric: family === 4 ? 0 : 1024,
    source: undefined,
    nexthops: [{ link, gateway, onlink: false }],
    ...options,
  }
}

/** `text` is an address with its prefix length. */
export function addressOn(link: number, text: string, options: Partial<LinkAddress> = {}): LinkAddress {
  const prefix = parsePrefix(text)
  assert.ok(prefix)
  return {
    family: text.includes(':') ? 6 : 4,
    link,
    ...prefix,
    peer: undefined,
    scope: /^(fe80|169\.254)/.test(text) ? 'link' : 'global',
    deprecated: false,
    tentative: false,
    noPrefixRoute: false,
    ...options,
  }
}

/** A machine with eth0 (index 2), a gateway of each family and nothing else. */
export const SYSTEM: Facts = {
  links: [linkOf(1, 'lo', { loopback: true }), linkOf(2, 'eth0')],
  addresses: [addressOn(2, '192.0.2.2/24'), addressOn(2, '2001:db8:f::2/64')],
  routes: [defaultOver(2, '192.0.2.1'), defaultOver(2, '2001:db8:f::1')],
  rules: [],
  ipv6: true,
  managed: [],
}

/** IPv4 and IPv6 are open, and a Router Advertisement has come. */
export const SESSION: TunnelSession = {
  mtu: 1462,
  ipv4: { address: '203.0.113.10', peer: '203.0.113.1' },
  ipv6: {
    interfaceId: fromHex('020a 0000 0000 00aa'),
    addresses: [{ address: '2001:db8:1:10:20a::aa', length: 128, deprecated: false }],
  },
  underlay: { device: 'eth0', server: '198.51.100.1' },
}
