import type { TunnelConfig } from '../config/types.ts'
import type { Status } from './status.ts'

/** Resolvers that this machine is to ask while their tunnel is in use. */
export interface DnsOffer {
  readonly device: string
  /** Literal addresses, best first; never empty. */
  readonly servers: readonly string[]
}

/**
 * The resolvers of all tunnels with `peerdns` that are up. A tunnel that is a path of `failover` has to be the one in use:
 * its provider's resolvers need not answer who comes another way.
 */
export function offeredDns(
  tunnels: readonly Pick<TunnelConfig, 'name' | 'peerdns'>[],
  { tunnel: states, failover }: Pick<Status, 'tunnel' | 'failover'>,
): readonly DnsOffer[] {
  return tunnels.flatMap(({ name, peerdns }) => {
    const tunnel = Object.hasOwn(states, name) ? states[name] : undefined
    const standsBy = failover !== null && Object.hasOwn(failover.path, name) && failover.active !== name
    if (!peerdns || standsBy || tunnel?.state !== 'up' || tunnel.dns.length === 0) return []
    return [{ device: tunnel.device, servers: tunnel.dns }]
  })
}
