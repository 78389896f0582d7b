import { leftWithoutTunnels } from '../core/config/changes.ts'
import type { Config } from '../core/config/types.ts'
import { err, type Result } from '../core/result.ts'
import type { Refusal } from './answers.ts'
import { refusalByNft } from './plan.ts'
import type { Log, Nft } from './ports.ts'
import type { ReadyConfig } from './ready-config.ts'

/** What a new configuration is read and tried with before it counts. */
export interface NextConfigPorts {
  readonly log: Log
  readonly nft: Nft
  readConfig(): Result<ReadyConfig, Refusal>
}

/**
 * The configuration that a reload is to change to, judged while nothing is touched yet; what speaks against it is in the
 * log as well. `force` takes one without any tunnel. `filtersOf` gives the nft text that it leads to, if any.
 */
export async function nextConfig(
  old: Config,
  force: boolean,
  ports: NextConfigPorts,
  filtersOf: (config: Config) => string | undefined,
): Promise<Result<ReadyConfig, Refusal>> {
  const { log } = ports
  const read = ports.readConfig()
  if (!read.ok) {
    log.error('the new configuration is wrong, the running one stays', { problems: read.error.problems })
    return read
  }
  const message = force ? undefined : leftWithoutTunnels(old, read.value.config)
  if (message !== undefined) {
    log.error(message)
    return err({ code: 'refused', message })
  }
  const filters = filtersOf(read.value.config)
  const refusal = filters === undefined ? undefined : await refusalByNft(ports.nft, filters)
  if (refusal === undefined) return read
  log.error('the new configuration cannot be used, the running one stays', { reason: refusal.message })
  return err(refusal)
}
