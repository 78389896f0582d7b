import type { Config } from '../core/config/types.ts'
import { scriptOf } from '../core/firewall/filters.ts'
import { holdsOurTable } from '../core/firewall/foreign.ts'
import {
  deniedByDefault,
  deniedByDefaultText,
  needsOf,
  obstacles,
  obstacleText,
} from '../core/firewall/needs.ts'
import { err, ok, type Result } from '../core/result.ts'
import { describeChange } from '../core/system/change.ts'
import { desiredState } from '../core/system/desired.ts'
import { isForeign } from '../core/system/device.ts'
import { difference } from '../core/system/difference.ts'
import type { Facts } from '../core/system/facts.ts'
import { uplinks } from '../core/system/uplinks.ts'
import type { PlanReport, Refusal } from './answers.ts'
import { type Nft, type Sysctls, SystemError } from './ports.ts'
import type { ReadyConfig } from './ready-config.ts'

/** What a plan asks the system, which it changes nothing of. */
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
  const rules = await listRules(nft)
  // An earlier process may have left our table, as is assumed where nft cannot be asked.
  const loaded = !rules.ok || holdsOurTable(rules.value) ? '' : undefined
  const changes = difference(desired, facts, { nft: loaded, readSysctl: (path) => sysctls.read(path) })
  return {
    changes: changes.map(describeChange),
    nft: scriptOf(desired.filters) ?? '',
    warnings: [...warnings, ...foreignWarnings(rules, config, facts)],
  }
}

/** All rules of this system, or why they cannot be read. */
export async function listRules(nft: Nft): Promise<Result<unknown, SystemError>> {
  try {
    return ok(await nft.list())
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    return err(cause)
  }
}

/** Why nft would not load these filters; undefined if it would. To be asked before anything is touched for them. */
export async function refusalByNft(nft: Nft, script: string): Promise<Refusal | undefined> {
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
export function foreignWarnings(
  rules: Result<unknown, SystemError>,
  config: Config,
  facts: Facts,
): readonly string[] {
  const devices = config.tunnels
    .filter((tunnel) => tunnel.enabled && isForeign(tunnel, facts))
    .map(
      ({ name, device }) =>
        `tunnel ${name} is left out, as ${device} is a device of another kind: choose another name with option device`,
    )
  if (!rules.ok) return [...devices, `the rules of others cannot be read: ${rules.error.message}`]
  const chains = obstacles(rules.value, needsOf(config, uplinks(config, facts))).map(
    (obstacle) => `${obstacleText(obstacle)}: ${obstacle.need.advice}`,
  )
  const denied = deniedByDefault(rules.value, config)
  const told = denied && deniedByDefaultText(denied)
  return [...devices, ...chains, ...(told ? [`${told.message}: ${told.advice}`] : [])]
}
