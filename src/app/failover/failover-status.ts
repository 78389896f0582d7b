import type { FailoverController } from '../../core/failover/controller.ts'
import type { ActiveRoute } from '../../core/failover/types.ts'
import type { FailoverPatch } from '../status-store.ts'
import type { TunnelPath } from '../tunnel/tunnel-status.ts'
import type { PathWatcher } from './path-watcher.ts'
import type { Verdict } from './standby-checks.ts'

type Shown = NonNullable<FailoverPatch['path']>[string]

/**
 * How failover stands, as users see it. `routed` is what the kernel does, which may lag behind the choice; `tunnel` gives
 * what is known of a path that is a tunnel, and `verdict` what its last test found, while nothing better is known.
 */
export function failoverPatch(
  controller: FailoverController,
  watchers: ReadonlyMap<string, PathWatcher>,
  routed: ActiveRoute | undefined,
  tunnel: (name: string) => TunnelPath | undefined,
  verdict: (name: string) => Verdict | undefined,
): FailoverPatch {
  const active = routed?.kind === 'path' ? routed.name : null
  const path = [...watchers].map(([name, watcher]): [string, Shown] => {
    const shown = shownPath(watcher, tunnel(name))
    const isActive = controller.readiness(name) === 'active'
    return [name, isActive ? { ...shown, readiness: 'active' } : tested(shown, verdict(name))]
  })
  return {
    mode: controller.mode,
    active,
    problem: controller.problem ?? null,
    path: Object.fromEntries(path),
    backup: backupOf(path.filter(([name]) => name !== active)),
  }
}

/** Readiness is told as it is, not as it is wanted. */
function shownPath({ health }: PathWatcher, tunnel: TunnelPath | undefined): Shown {
  const { rttMs: rtt_ms, loss } = health
  const lost = health.lost.map((family) => `ipv${family}` as const)
  const common = { ipv4: health.family(4), ipv6: health.family(6), lost, rtt_ms, loss }
  const probed = { health: health.health, reason: health.reason, ...common }
  if (tunnel === undefined)
    return { ...probed, ready: ready(health.health), readiness: 'hot', heard_at: null }
  const heard_at = tunnel.heardAt ?? null
  if (tunnel.session === 'up') return { ...probed, ready: ready(health.health), readiness: 'hot', heard_at }
  return { ...common, ...standing(tunnel), ipv4: 'unknown', ipv6: 'unknown', heard_at }
}

/** A tunnel without a session: what is known of it is what its control connection tells. */
function standing({
  control,
  dialable,
  failed,
  session,
}: TunnelPath): Pick<Shown, 'health' | 'reason' | 'ready' | 'readiness'> {
  if (control && !failed)
    return { health: 'up', reason: 'stands by: its LNS answers', ready: true, readiness: 'warm' }
  const readiness = control ? 'warm' : 'cold'
  if (!dialable)
    return { health: 'down', reason: 'has no uplink, or is switched off', ready: false, readiness }
  if (failed) return { health: 'down', reason: 'could not be dialled', ready: false, readiness }
  if (session === 'dialling') return { health: 'unknown', reason: 'is being dialled', ready: null, readiness }
  return { health: 'unknown', reason: 'stands by without a connection to its LNS', ready: null, readiness }
}

/** What a test has shown stands against what only looks so; what is known without it stands. */
function tested(shown: Shown, verdict: Verdict | undefined): Shown {
  if (verdict === undefined || shown.ready === false) return shown
  const { ok, reason } = verdict
  if (!ok) return { ...shown, health: 'down', ready: false, reason }
  return shown.ready === null ? { ...shown, ready: true, reason } : shown
}

function ready(health: Shown['health']): boolean | null {
  return health === 'unknown' ? null : health !== 'down'
}

function backupOf(others: readonly (readonly [string, Shown])[]): FailoverPatch['backup'] {
  const best =
    others.find(([, path]) => path.ready) ?? others.find(([, path]) => path.ready === null) ?? others[0]
  return best === undefined ? null : { path: best[0], ready: best[1].ready }
}
