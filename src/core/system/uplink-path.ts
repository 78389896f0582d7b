import type { Family } from '../ip/address.ts'
import type { Rule } from '../netlink/rule.ts'
import type { DesiredRoute } from './desired-state.ts'

/** An uplink with the routes that it has, and the marks and tables that stand for it. */
export interface UplinkPath {
  /** That of its section, or the device's. */
  readonly name: string
  readonly device: string
  /** Octets; undefined while there is no such device. */
  readonly mtu: number | undefined
  readonly addresses: readonly string[]
  /** Of its IPv4 addresses those that another device has as well: they do not tell whose a packet is. */
  readonly twins: readonly string[]
  readonly table: number
  /**
   * Where packets from its addresses find their way. Outside of `failover` that is main, as long as main leads out of the
   * same device: a copy of its default would outlive this process and a change of main, and a connect asks twice, the
   * second time with the address that it was given.
   */
  readonly replies: Readonly<Record<Family, number>>
  /** A path of `failover` or of a firewall: the marks of its connections and of what is steered over it. */
  readonly marks: { readonly flow: Mark; readonly steering: Mark } | undefined
  readonly rulePriority: number
  /** Those that the kernel speaks. */
  readonly families: readonly Family[]
  /** Its defaults; none while it is of no use. */
  readonly routes: readonly DesiredRoute[]
}

/** A value within the bits of a packet's mark that are ours. */
type Mark = NonNullable<Rule['mark']>
