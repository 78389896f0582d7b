import type { Config } from '../core/config/types.ts'
import { holdsOurTable } from '../core/firewall/foreign.ts'
import { needsOf, obstacles } from '../core/firewall/needs.ts'
import { describeChange } from '../core/system/change.ts'
import { desiredState } from '../core/system/desired.ts'
import { isForeign } from '../core/system/device.ts'
import { difference } from '../core/system/difference.ts'
import type { Facts } from '../core/system/facts.ts'
import { uplinks } from '../core/system/uplinks.ts'
import type { PlanReport, Refusal } from './control.ts'
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
  const loaded = (await hasTable(nft)) ? '' : undefined
  const changes = difference(desired, facts, { nft: loaded, readSysctl: (path) => sysctls.read(path) })
  return {
    changes: changes.map(describeChange),
    nft: desired.nft ?? '',
    warnings: [...warnings, ...(await foreignWarnings(nft, config, facts))],
  }
}

/** Whether an earlier process left our table, as is assumed where nft cannot be asked. */
async function hasTable(nft: Nft): Promise<boolean> {
  try {
    return holdsOurTable(await nft.list())
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    return true
  }
}

/** Why nft would not load these filters; undefined if it would. To be asked before anything is touched for them. */
export async function refusalOfFilters(nft: Nft, script: string): Promise<Refusal | undefined> {
  try {
    await nft.check(script)
    return undefined
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    return { code: 'system', message: `its filters are refused: ${cause.message}` }
  }
}

/**
 * One line for each tunnel whose device is somebody else's, and for each foreign nftables chain that drops what tunnels
 * need or a firewall section allows.
 */
export async function foreignWarnings(nft: Nft, config: Config, facts: Facts): Promise<readonly string[]> {
  const devices = config.tunnels
    .filter((tunnel) => tunnel.enabled && isForeign(tunnel, facts))
    .map(
      ({ name, device }) =>
        `tunnel ${name} is left out, as ${device} is a device of another kind: choose another name with option device`,
    )
  return [...devices, ...(await foreignChains(nft, config, facts))]
}

async function foreignChains(nft: Nft, config: Config, facts: Facts): Promise<readonly string[]> {
  try {
    return obstacles(await nft.list(), needsOf(config, uplinks(config, facts))).map(
      ({ chain, need }) => `the chain ${chain} drops ${need.purpose}: ${need.advice}`,
    )
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    return [`the rules of others cannot be read: ${cause.message}`]
  }
}
