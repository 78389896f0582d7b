/** A tunnel as its configuration, the system and its sessions make it. */
import { pathMark } from '../config/marks.ts'
import { activeTable, ownTable, tunnelTable } from '../config/numbering.ts'
import type { Config, PortRange, TunnelConfig } from '../config/types.ts'
import type { Family } from '../ip/address.ts'
import { LEAST_IPV6_MTU, overheadOf } from '../ip/encapsulation.ts'
import type { Rule } from '../netlink/rule.ts'
import { servedPorts } from './answer-ways.ts'
import { type Assigned, type AssignedAddress, assigned, hasAddress } from './assigned.ts'
import type { Facts } from './facts.ts'
import type { TunnelSession, TunnelState } from './session.ts'

/** A tunnel with all that its state implies. */
export interface Tunnel {
  readonly config: TunnelConfig
  /** A session is up. */
  readonly up: boolean
  readonly mtu: number
  /** IPv6 is wanted, and the device can have it. */
  readonly ipv6: boolean
  /** IPv6 can be routed into the device, if only to be refused there. */
  readonly routesIpv6: boolean
  /** `failover` decides about traffic into it. */
  readonly inFailover: boolean
  /** What a session of it is like is known, from this one or the last. */
  readonly known: boolean
  /** What it brings now, or brought last. */
  readonly assigned: Assigned
  /** As IPV6CP agreed on, now or last: 8 octets. */
  readonly interfaceId: Uint8Array | undefined
  /** Those that it is to carry: without IPv6 where the configuration or the kernel has none. */
  readonly wanted: readonly Family[]
  /** Those that the session lacks, and that may still come. */
  readonly awaited: readonly Family[]
  /** Which families go into the tunnel: those of the session, or of the last one while it redials. */
  readonly carried: readonly Family[]
  readonly underlay: TunnelSession['underlay'] | undefined
  /** Without `failover`: everybody's traffic goes into it while its session is up. */
  readonly isDefault: boolean
  /** The UDP ports of this machine that it lets be asked. */
  readonly servedPorts: readonly PortRange[]
  /** Of connections over it. */
  readonly mark: NonNullable<Rule['mark']>
  readonly rulePriority: number
  /** The table of this tunnel, and that of the active path unless the tunnel keeps to a table of its own. */
  readonly tables: Readonly<Record<Family, { readonly own: number; readonly active: number | undefined }>>
  /** Position in the configuration: earlier tunnels are preferred. */
  readonly position: number
}

/** The MTU of a tunnel that never had a session: what Ethernet leaves of its 1500 octets over IPv4. */
const DEFAULT_MTU = 1500 - overheadOf(4, 'l2tp')

/** What a tunnel is like, given the state of its sessions; undefined: it has not dialled yet. */
export function describeTunnel(
  config: Config,
  facts: Facts,
  tunnel: TunnelConfig,
  position: number,
  state: TunnelState | undefined,
): Tunnel {
  const { lifeline, failover } = config
  const { session, held } = state ?? { session: undefined, held: undefined }
  const mtu = held?.mtu ?? (tunnel.mtu === 'auto' ? DEFAULT_MTU : tunnel.mtu)
  const inFailover = failover?.paths.includes(tunnel.name) ?? false
  const possible6 = facts.ipv6 && mtu >= LEAST_IPV6_MTU
  const ipv6 = tunnel.ipv6 && possible6
  const current = session ?? held
  const tables = (family: Family) => ({
    own: tunnelTable(lifeline, tunnel, position, family),
    active: ownTable(tunnel, family) === undefined ? activeTable(lifeline) : undefined,
  })
  return {
    config: tunnel,
    up: session !== undefined,
    known: current !== undefined,
    mtu,
    ipv6,
    routesIpv6: ipv6 || (inFailover && possible6),
    inFailover,
    isDefault: tunnel.defaultroute && failover === undefined,
    servedPorts: servedPorts(config, tunnel),
    mark: { value: pathMark(config, tunnel.name) ?? 0, mask: lifeline.markMask },
    assigned: assigned(tunnel, held, ipv6),
    interfaceId: ipv6 ? held?.ipv6?.interfaceId : undefined,
    wanted: tunnel.ipv6 && facts.ipv6 ? [4, 6] : [4],
    awaited: (session?.awaited ?? []).filter((family) => family === 4 || ipv6),
    carried: [...(current?.ipv4 ? ([4] as const) : []), ...(ipv6 && current?.ipv6 ? ([6] as const) : [])],
    underlay: session?.underlay,
    rulePriority: lifeline.rulePriority,
    tables: { 4: tables(4), 6: tables(6) },
    position,
  }
}

/** A session is up, and this machine could be answered over it in at least one family. */
export function usable(tunnel: Tunnel): boolean {
  return tunnel.up && tunnel.carried.some((family) => hasAddress(tunnel.assigned, family))
}

/** Its IPv4 addresses, that of IPCP first. */
export function ipv4Of({ assigned: { addresses } }: Tunnel): string[] {
  return addresses.filter(({ family }) => family === 4).map(({ address }) => address)
}

/** The addresses that packets into the tunnel may come from, without prefixes behind them. */
export function addressesOf({ assigned: { addresses } }: Tunnel): string[] {
  return addresses.map(({ address }) => address)
}

/** What IPCP gave, now or last. */
export function ipcpAddress({ assigned: { addresses } }: Tunnel): AssignedAddress | undefined {
  return addresses.find(({ by }) => by === 'ipcp')
}
