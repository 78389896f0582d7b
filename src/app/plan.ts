import { describeChange } from '../core/system/change.ts'
import { desiredState } from '../core/system/desired.ts'
import { difference } from '../core/system/difference.ts'
import type { Facts } from '../core/system/facts.ts'
import type { PlanReport } from './control.ts'
import type { ReadyConfig } from './daemon.ts'
import type { Sysctls } from './ports.ts'

/** What a daemon that starts now would change before any tunnel is up. */
export function planAtStart({ config, warnings }: ReadyConfig, facts: Facts, sysctls: Sysctls): PlanReport {
  const desired = desiredState(config, facts, new Map())
  const changes = difference(desired, facts, { nft: '', readSysctl: (path) => sysctls.read(path) })
  return { changes: changes.map(describeChange), nft: desired.nft ?? '', warnings }
}
