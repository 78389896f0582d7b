/** Which numbers our routing tables and rules have, from `table_base` and `rule_priority`. */

import type { Family } from '../ip/address.ts'
import type { LifelineConfig } from './lifeline.ts'
import type { TunnelConfig } from './tunnel.ts'

/** `table_base` + 1 .. + 49 are the tables of tunnels, + 50 .. + 99 those of uplinks. */
export const MAX_TUNNELS = 49
/** The most uplinks of a configuration, for each of which a table is set aside. */
export const MAX_UPLINKS = 50

/** Added to `rule_priority`. Rules of one step exclude each other, or are ordered by the length of what they match. */
export const STEP = {
  /** Every route of main but a default wins. */
  main: 0,
  /** Sockets bound to a device use that device's table. */
  device: 10,
  /** What is steered over an uplink uses its table, whatever its source. */
  steering: 20,
  /** What comes from an address uses the table of this address. */
  address: 30,
  /** The same for a prefix, behind all single addresses. */
  prefix: 31,
  /**
   * Replies of a connection use the table of the path that it came over, or of its address. Behind the addresses, which
   * are more exact: a path may have one that it shares and one that it does not.
   */
  flow: 35,
  /** All else uses the active path. */
  active: 40,
} as const

/** The table of the active path. */
export function activeTable(config: LifelineConfig): number {
  return config.tableBase
}

/** The table of a tunnel: its own choice, or by its position in the configuration. */
export function tunnelTable(
  config: LifelineConfig,
  tunnel: TunnelConfig,
  position: number,
  family: Family,
): number {
  return ownTable(tunnel, family) ?? config.tableBase + 1 + position
}

/** `ip4table` or `ip6table`: the tunnel's routes go there and nowhere else. */
export function ownTable(tunnel: TunnelConfig, family: Family): number | undefined {
  return family === 4 ? tunnel.ip4table : tunnel.ip6table
}

/** The table of an uplink, by its position in the configuration, from 0. */
export function uplinkTable(config: LifelineConfig, position: number): number {
  return config.tableBase + 1 + MAX_TUNNELS + position
}
