/** Ways for answers of UDP sockets that are bound to no address, where the machine itself has none in that family. */

import { sectionOf } from '../config/firewall.ts'
import type { Config, PortRange, TunnelConfig } from '../config/types.ts'
import type { Family } from '../ip/address.ts'
import { IPPROTO_UDP, type Rule } from '../netlink/rule.ts'
import { lookup } from './lookup.ts'

/** Behind the tables main (32766) and default (32767): whoever finds a way there is not asked to take this one. */
const LAST_PRIORITY = 32_768

/** Without a filter any service may be there, but hardly on a port that sockets get by chance (ip_local_port_range). */
const SERVICES: PortRange = { first: 1, last: 32_767 }

/** FRA_SPORT_RANGE takes no more. */
const MAX_PORT = 65_534

/** The UDP ports of this machine that a tunnel lets be asked. */
export function servedPorts(config: Config, { name, firewall }: TunnelConfig): PortRange[] {
  if (firewall === 'none') return [SERVICES]
  const allowed = sectionOf(name, 'tunnel', config)?.allow ?? []
  return allowed.filter(({ protocols }) => protocols.includes('udp')).flatMap(({ ports }) => ports)
}

/**
 * The kernel looks for the way of an answer before anybody can tell it who was asked, and gives up if there is none: of
 * packets from the ports that are served, the tunnel's table is asked last of all. Then filters put the source right.
 */
export function answerRules(ports: readonly PortRange[], family: Family, table: number): Rule[] {
  return ports.map(({ first, last }) => ({
    ...lookup(family, LAST_PRIORITY, table),
    ipProtocol: IPPROTO_UDP,
    sourcePorts: { first: Math.min(first, MAX_PORT), last: Math.min(last, MAX_PORT) },
  }))
}
