/** How each path is probed. */
import { DEFAULT_PROBE, type ProbeConfig } from './probe.ts'
import type { Config } from './types.ts'

/** How a path is probed: by its own options, those of `failover`, and the defaults. */
export function probeOf(config: Pick<Config, 'uplinks' | 'tunnels' | 'failover'>, path: string): ProbeConfig {
  const own = [...config.uplinks, ...config.tunnels].find(({ name }) => name === path)?.probe
  return { ...DEFAULT_PROBE, ...config.failover?.probe, ...own }
}
