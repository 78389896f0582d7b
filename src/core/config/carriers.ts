/** Which uplinks the configuration names for a tunnel. */
import type { Config, TunnelConfig } from './types.ts'

/**
 * Names of the uplinks that may carry the tunnel, the most preferred first: its own list, else those that follow it in
 * `failover`. Undefined leaves the choice to the system.
 */
export function carrierNames(
  tunnel: TunnelConfig,
  config: Pick<Config, 'uplinks' | 'failover'>,
): readonly string[] | undefined {
  if (tunnel.uplinks.length > 0) return tunnel.uplinks
  const following = uplinksAround(tunnel, config).after
  return following.length > 0 ? following : undefined
}

/** The uplinks that come before and after the tunnel in `failover`; none where it is no path. */
export function uplinksAround(
  tunnel: TunnelConfig,
  { failover, uplinks: configured }: Pick<Config, 'uplinks' | 'failover'>,
): { before: readonly string[]; after: readonly string[] } {
  const paths = failover?.paths ?? []
  const place = paths.indexOf(tunnel.name)
  if (place < 0) return { before: [], after: [] }
  const areUplinks = (names: readonly string[]) =>
    names.filter((path) => configured.some(({ name }) => name === path))
  return { before: areUplinks(paths.slice(0, place)), after: areUplinks(paths.slice(place + 1)) }
}
