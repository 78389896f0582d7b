/** What the kernel is to hold, as data. */
import type { DesiredFilters } from '../firewall/filters.ts'
import type { Family, Prefix } from '../ip/address.ts'
import type { Rule } from '../netlink/rule.ts'

/** What the kernel should hold of ours; whatever else of ours it holds is to go. */
export interface DesiredState {
  readonly filters: DesiredFilters
  readonly devices: readonly DesiredDevice[]
  readonly routes: readonly DesiredRoute[]
  readonly rules: readonly Rule[]
  /** The table whose routes are a switch from one path to another: written last, when all that they lead to is ready. */
  readonly switchTable: number | undefined
}

/** A persistent TUN device. */
export interface DesiredDevice {
  readonly name: string
  /** Shown by `ip link`; marks the device as ours, so that it is removed when nothing wants it any more. */
  readonly alias: string
  /** Octets. */
  readonly mtu: number
  /**
   * A session is up, or traffic waits for one. Turned on after all else is in place except the way into it for
   * everybody, and off before anything else.
   */
  readonly carrier: boolean
  /** Below /proc/sys. */
  readonly sysctls: readonly Sysctl[]
  readonly addresses: readonly DesiredAddress[]
  /** Who writes the addresses: we, or somebody else, who is not interfered with. */
  readonly addressOwner: 'lifeline' | 'other'
}

/** A setting of the kernel: its path below /proc/sys, and its text. */
export interface Sysctl {
  readonly path: string
  readonly value: string
}

/** Lifetimes are for ever: whoever learnt an address with a lifetime takes it out of this in time. */
export interface DesiredAddress {
  readonly family: Family
  readonly address: string
  readonly length: number
  readonly peer: string | undefined
  readonly deprecated: boolean
  readonly noPrefixRoute: boolean
}

/** A route that should be there. */
export interface DesiredRoute {
  readonly family: Family
  readonly table: number
  /** Without host bits. */
  readonly destination: Prefix
  /** Or how its packets are refused: with an ICMP error, or in silence. */
  readonly via: DesiredNexthop | 'unreachable' | 'blackhole'
  /** At least 1: IPv6 knows no 0. */
  readonly metric: number
  readonly source: string | undefined
}

/**
 * Where a route leads: out of a device, to a gateway if it has one; `onlink` takes the gateway to be there without a route
 * to it.
 */
export interface DesiredNexthop {
  readonly device: string
  readonly gateway: string | undefined
  readonly onlink: boolean
}

/** After a clean stop: nothing of ours is left. */
export const NOTHING_DESIRED: DesiredState = {
  filters: { kind: 'none' },
  devices: [],
  routes: [],
  rules: [],
  switchTable: undefined,
}
