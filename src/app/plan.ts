import type { Config } from '../core/config/types.ts'
import { needsOf, obstacles } from '../core/firewall/needs.ts'
import { describeChange } from '../core/system/change.ts'
import { desiredState } from '../core/system/desired.ts'
import { difference } from '../core/system/difference.ts'
import type { Facts } from '../core/system/facts.ts'
import { uplinks } from '../core/system/uplinks.ts'
import type { PlanReport } from './control.ts'
import type { ReadyConfig } from './daemon.ts'
import { type Nft, type Sysctls, SystemError } from './ports.ts'

export interface PlanPorts {
  readonly nft: Nft
  readonly sysctls: Sysctls
}

/** What a daemon that starts now would change before any tunnel is up. */
export async function planAtStart(
  { config, warnings }: ReadyConfig,
  facts: Facts,
  { nft, sysctls }: PlanPorts,
): Promise<PlanReport> {
  const desired = desiredState(config, facts, new Map())
  const changes = difference(desired, facts, { nft: '', readSysctl: (path) => sysctls.read(path) })
  return {
    changes: changes.map(describeChange),
    nft: desired.nft ?? '',
    warnings: [...warnings, ...(await foreignWarnings(nft, config, facts))],
  }
}

/** One line for each foreign nftables chain that drops what tunnels need or a firewall section allows. */
export async function foreignWarnings(nft: Nft, config: Config, facts: Facts): Promise<readonly string[]> {
  try {
    return obstacles(await nft.list(), needsOf(config, uplinks(config, facts))).map(
      ({ chain, need }) => `the chain ${chain} drops ${need.purpose}: ${need.advice}`,
    )
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    return [`the rules of others cannot be read: ${cause.message}`]
  }
}
