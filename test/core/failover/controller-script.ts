import assert from 'node:assert/strict'
import { FailoverController } from '../../../src/core/failover/controller.ts'
import { Sharing } from '../../../src/core/failover/sharing.ts'
import type { ControllerAction, PathFacts, PathPlan, TunnelFacts } from '../../../src/core/failover/types.ts'
import { millis } from '../../../src/core/time.ts'

export const SHARED = '203.0.113.10'
export const FIBRE: PathPlan = plan('fibre', 'uplink')
export const TUNNEL: PathPlan = plan('aaisp', 'tunnel')
export const LTE: PathPlan = { ...plan('lte', 'uplink'), metered: true }
export const DIAL_GRACE = 5_000
export const FAILBACK_DELAY = 10_000

export function plan(name: string, kind: PathPlan['kind']): PathPlan {
  return { name, kind, standby: 'auto', backsUp: undefined, metered: false }
}

/**
 * A controller under a clock of its own; what it wants is told as short lines. `addresses` by path, where it does not
 * have the shared one; 4G never has.
 */
export function script(
  paths: readonly PathPlan[] = [FIBRE, TUNNEL, LTE],
  mode = 'auto',
  addresses: Readonly<Record<string, readonly string[]>> = {},
) {
  const controller = new FailoverController({
    paths,
    mode,
    dialGrace: DIAL_GRACE,
    failbackDelay: FAILBACK_DELAY,
  })
  const facts = new Map<string, PathFacts>(
    paths.map(({ name, kind }) => [
      name,
      {
        health: kind === 'uplink' ? 'up' : 'down',
        reason: 'probes are answered',
        link: kind === 'uplink',
        ipv4: kind === 'uplink' ? 'up' : 'down',
        ipv6: 'none',
        lost: [],
        troubleSince: undefined,
        cutOff: false,
        tunnel:
          kind === 'tunnel' ? { dialable: true, session: 'none', failed: false, idleClosed: 0 } : undefined,
      },
    ]),
  )
  const borne: Readonly<Record<string, readonly string[]>> = { lte: ['10.0.0.2'], ...addresses }
  controller.sharing(
    millis(0),
    new Sharing(paths.map((path) => ({ ...path, addresses: borne[path.name] ?? [SHARED] }))),
  )
  let now = 0
  const drain = () => {
    const words: string[] = []
    for (let action = controller.pollAction(); action; action = controller.pollAction())
      words.push(inWords(action))
    return words
  }
  const tell = (name: string, change: Partial<PathFacts>) => {
    const before = facts.get(name)
    assert.ok(before)
    const next = { ...before, ...change }
    facts.set(name, next)
    controller.path(millis(now), name, next)
    return drain()
  }
  return {
    controller,
    now: () => now,
    tell,
    start(first: Readonly<Record<string, Partial<PathFacts>>> = {}, carrying?: string): string[] {
      for (const { name } of paths)
        assert.deepEqual(tell(name, first[name] ?? {}), [], 'nothing is decided yet')
      controller.begin(millis(now), carrying)
      return drain()
    },
    fails: (name: string, reason = 'no answer from 1.1.1.1') =>
      tell(name, { health: 'down', ipv4: 'down', reason, troubleSince: millis(now) }),
    works: (name: string) =>
      tell(name, { health: 'up', ipv4: 'up', reason: 'probes are answered', troubleSince: undefined }),
    session(state: TunnelFacts['session'], failed = false): string[] {
      const tunnel = { dialable: true, session: state, failed, idleClosed: 0 }
      const health = state === 'up' ? 'unknown' : 'down'
      return tell('aaisp', { tunnel, health, link: state === 'up', ipv4: health })
    },
    input(run: (at: ReturnType<typeof millis>) => void): string[] {
      run(millis(now))
      return drain()
    },
    run(until: number): string[] {
      const words: string[] = []
      for (;;) {
        const deadline = controller.pollTimeout()
        if (deadline === undefined || deadline > until) break
        now = Math.max(now, deadline)
        controller.timeout(millis(now))
        words.push(...drain().map((word) => `${now} ${word}`))
        assert.ok((controller.pollTimeout() ?? Number.POSITIVE_INFINITY) > now, 'every alarm has an effect')
      }
      now = until
      return words
    },
  }
}

function inWords(action: ControllerAction): string {
  switch (action.type) {
    case 'want':
      return `want ${action.tunnel} ${action.readiness}`
    case 'route':
      return action.active.kind === 'path'
        ? `route ${action.active.name}`
        : `hold for ${action.active.awaited}`
    case 'pace':
      return `pace ${action.path} ${action.pace}`
    case 'steer':
      return `steer ${action.path} ${action.on ? 'on' : 'off'}`
    case 'linger':
      return `linger ${action.tunnel} ${action.span}`
    case 'confirm':
      return `confirm ${action.path}`
    case 'switched':
      return `${action.kind} ${action.from ?? 'nothing'} -> ${action.to} (${action.cause})`
    case 'trialFailed':
      return `trial of ${action.path} failed, next after ${action.nextDelay}`
  }
}
