import type { FailoverController } from '../core/failover/controller.ts'
import type { ActiveRoute } from '../core/failover/types.ts'
import type { PathWatcher } from './path-watcher.ts'
import type { FailoverPatch } from './status-store.ts'

/** How failover stands, as users see it. `routed` is what the kernel does, which may lag behind the choice. */
export function failoverPatch(
  controller: FailoverController,
  watchers: ReadonlyMap<string, PathWatcher>,
  routed: ActiveRoute,
): FailoverPatch {
  const path = [...watchers].map(([name, { health }]) => {
    const readiness = controller.readiness(name)
    const { health: state, reason, rttMs, loss } = health
    return [name, { health: state, readiness, reason, rtt_ms: rttMs, loss }] as const
  })
  return {
    mode: controller.mode,
    active: routed.kind === 'path' ? routed.name : null,
    problem: controller.problem ?? null,
    path: Object.fromEntries(path),
  }
}
