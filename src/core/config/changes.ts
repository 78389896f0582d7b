/** What a new configuration changes, so that a reload touches nothing else. */
import { equal } from '../equal.ts'
import { failover } from './failover.ts'
import { lifeline } from './lifeline.ts'
import { probeOptions } from './probe.ts'
import { optionOf } from './properties.ts'
import type { Options } from './schema.ts'
import { tunnel } from './tunnel.ts'
import type { Config, ProbeOverrides } from './types.ts'

/** One line for each section that is new, changed or gone, for users; without values, which may be secret. */
export function describeChanges(old: Config, next: Config): string[] {
  const { added, removed, changed } = changedTunnels(old, next)
  return [
    ...changedLifeline(old, next).map((key) => `lifeline: ${key} changed`),
    ...changedUplinks(old, next).map((name) => `uplink ${name} changed`),
    ...added.map((name) => `tunnel ${name} added`),
    ...removed.map((name) => `tunnel ${name} removed`),
    ...[...changed].map(([name, options]) => `tunnel ${name} changed: ${options.join(', ')}`),
    ...(changedFailover(old, next) ?? [next.failover ? 'added' : 'removed']).map(
      (option) => `failover: ${option}${next.failover && old.failover ? ' changed' : ''}`,
    ),
    ...changedFirewall(old, next).map((section) => `${section} changed`),
    ...changedBrokers(old, next).map((name) => `mqtt ${name} changed`),
  ]
}

/** Names of tunnels. */
export interface TunnelChanges {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** The options whose values differ, for each tunnel that is in both; secrets count by value, from wherever they come. */
  readonly changed: ReadonlyMap<string, readonly string[]>
}

/** Which tunnels are new, gone or changed, by their names; probes of a tunnel count as its options. */
export function changedTunnels(old: Config, next: Config): TunnelChanges {
  const before = new Map(old.tunnels.map((tunnel) => [tunnel.name, tunnel]))
  const after = new Map(next.tunnels.map((tunnel) => [tunnel.name, tunnel]))
  const changed = new Map<string, readonly string[]>()
  for (const [name, changing] of after) {
    const previous = before.get(name)
    const options =
      previous === undefined
        ? []
        : [...changedOptions(previous, changing, tunnel.options), ...changedProbe(previous, changing)]
    if (options.length > 0) changed.set(name, options)
  }
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed,
  }
}

/** Names of uplinks that were added, removed or changed in any way. */
export function changedUplinks(old: Config, next: Config): readonly string[] {
  return changedNames(old.uplinks, next.uplinks)
}

/** The options of `failover` whose values differ; undefined if it came or went. */
export function changedFailover(old: Config, next: Config): readonly string[] | undefined {
  if (old.failover === undefined || next.failover === undefined)
    return old.failover === next.failover ? [] : undefined
  return [
    ...changedOptions(old.failover, next.failover, failover.options),
    ...changedProbe(old.failover, next.failover),
  ]
}

/** `firewall NAME` and `redirect NAME` for sections that were added, removed or changed in any way. */
export function changedFirewall(old: Config, next: Config): readonly string[] {
  return [
    ...changedNames(old.firewalls, next.firewalls).map((name) => `firewall ${name}`),
    ...changedNames(old.redirects, next.redirects).map((name) => `redirect ${name}`),
  ]
}

/** Whether a tunnel with these options changed has to dial anew; the others concern the choice of path alone. */
export function needsRedial(options: readonly string[]): boolean {
  const others: readonly string[] = ['standby', 'backs_up', ...Object.keys(probeOptions)]
  return options.some((option) => !others.includes(option))
}

/**
 * Why tunnels that run are not removed for a configuration without any, in words; undefined where that is not so. It is
 * rather a slip, such as a file that was emptied, than an intention, which can be forced or expressed by `enabled 0`.
 */
export function leftWithoutTunnels(old: Config, next: Config): string | undefined {
  const running = old.tunnels.filter(({ enabled }) => enabled).map(({ name }) => name)
  if (next.tunnels.length > 0 || running.length === 0) return undefined
  return `the new configuration has no tunnel, so the running one stays (with ${running.join(', ')}): to remove all tunnels use \`lifeline reload --force\``
}

/** What a reload cannot change, in words. */
export function needsRestart(old: Config, next: Config): string[] {
  const moved = old.lifeline.stateDir !== next.lifeline.stateDir
  return moved ? ['option state_dir counts from the next start on: restart lifeline'] : []
}

/** Whether the paths of `failover`, how they are probed or how they are routed may have changed. */
export function concernsPaths(old: Config, next: Config): boolean {
  const { added, removed, changed } = changedTunnels(old, next)
  const aside: readonly string[] = [
    'node',
    'log_level',
    'state_dir',
  ] satisfies (keyof typeof lifeline.options)[]
  return (
    added.length + removed.length + changed.size > 0 ||
    changedUplinks(old, next).length > 0 ||
    changedFailover(old, next)?.length !== 0 ||
    changedLifeline(old, next).some((option) => !aside.includes(option))
  )
}

/** Names of brokers that were added, removed or changed in any way. */
export function changedBrokers(old: Config, next: Config): readonly string[] {
  return changedNames(old.mqtt, next.mqtt)
}

/** The options of the section `lifeline` whose values differ. */
export function changedLifeline(old: Config, next: Config): readonly string[] {
  return changedOptions(old.lifeline, next.lifeline, lifeline.options)
}

type Named = readonly { readonly name: string }[]

function changedNames(old: Named, next: Named): string[] {
  const names = new Set([...old, ...next].map(({ name }) => name))
  const named = (sections: Named, name: string) => sections.find((section) => section.name === name)
  return [...names].filter((name) => !equal(named(old, name), named(next, name)))
}

function changedProbe(
  old: { readonly probe: ProbeOverrides },
  next: { readonly probe: ProbeOverrides },
): string[] {
  return changedOptions(old.probe, next.probe, probeOptions)
}

/** The options that decide the properties that differ. Both forms of a secret decide one; the plain one stands for them. */
function changedOptions<C>(old: C, next: C, options: Options): string[] {
  return Object.entries(optionOf(options))
    .filter(([property]) => !equal(old[property as keyof C], next[property as keyof C]))
    .map(([, option]) => option)
}
