/** What the firewall has to know; it follows from configuration, system and sessions, never from the active path. */
import type { FirewallConfig, RedirectConfig } from '../config/types.ts'
import type { Family, Prefix } from '../ip/address.ts'

/** All that the text of our table follows from. */
export interface FirewallInput {
  /** The bits of packet and connection marks that are ours. */
  readonly markMask: number
  readonly paths: readonly FirewallPath[]
  readonly redirects: readonly RedirectConfig[]
  readonly owned: readonly OwnedPrefix[]
  /** IPv4 addresses that several devices bear, such as two modems of one make: as whose own nft knows the first device only. */
  readonly twins: readonly TwinAddress[]
  /** Addresses of this machine that are reached through tunnels, each once. */
  readonly answered: readonly string[]
  /** Private IPv4 addresses that the configuration names beyond the paths: servers, resolvers, targets of probes. */
  readonly asked: readonly string[]
}

/** A tunnel, or an uplink that `failover` or a `firewall` section names. */
export interface FirewallPath {
  /** Matches `[a-z0-9_]+`; chains are named after it. */
  readonly name: string
  readonly kind: 'tunnel' | 'uplink'
  readonly device: string
  /** Of connections over it. */
  readonly mark: number
  /** The section that covers it, or what is done without one. */
  readonly filter: FirewallConfig | 'deny' | 'none'
  /**
   * Octets of the largest packet that every path with its address takes; `route`: that of the device; undefined: it is
   * left to others.
   */
  readonly mtu: number | 'route' | undefined
  /** The IPv4 address that others get on their way out; undefined: they keep their own. */
  readonly snat: string | 'masquerade' | undefined
  /** `failover` leads these families into it only to have them refused: its session lacks them. */
  readonly uncarried: readonly Family[]
}

/** A device of a path, and its address that another device has too. */
export interface TwinAddress {
  readonly device: string
  readonly address: string
}

/** Addresses that only certain paths may send from. */
export interface OwnedPrefix {
  readonly prefix: Prefix
  readonly devices: readonly string[]
}
