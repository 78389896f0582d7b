/** What contradicts the order of paths that `failover` gives. */
import { ipFamily } from '../ip/address.ts'
import { nearest } from './problems.ts'
import type { ReadSection } from './read-section.ts'
import type { FailoverConfig, ProbeConfig, TunnelConfig, UplinkConfig } from './types.ts'

type Uplinks = readonly ReadSection<UplinkConfig>[]
type Tunnels = readonly ReadSection<TunnelConfig>[]

/** Reports what `failover`, uplinks and tunnels say against one another. */
export function checkFailover(
  failover: ReadSection<FailoverConfig> | undefined,
  uplinks: Uplinks,
  tunnels: Tunnels,
): void {
  const enabled = tunnels.filter(({ value }) => value.enabled)
  checkNames(uplinks, tunnels)
  if (failover === undefined) {
    for (const tunnel of enabled) checkAlone(tunnel)
    return
  }
  checkPaths(failover, uplinks, tunnels)
  // Without paths the list is missing or wrong, which is said already.
  if (failover.value.paths.length === 0) return
  for (const tunnel of enabled) {
    checkDefaultRoute(tunnel, failover.value)
    checkBacksUp(tunnel, failover.value, uplinks)
  }
  checkProbed(failover, [...uplinks, ...enabled])
}

/** What has to work and is not probed is never seen to die. Told where the path differs, else once, in `failover`. */
function checkProbed(
  { value, report }: ReadSection<FailoverConfig>,
  sections: readonly ReadSection<UplinkConfig | TunnelConfig>[],
): void {
  const missing = unprobed(value.probe)
  const warn = (tell: ReadSection<unknown>['report'], what: string) =>
    tell({
      severity: 'warning',
      option: 'require',
      reason: `${what} has to work, and no target of option probe is of ${what}, so it is not seen when it fails; add one, or say with require what has to work`,
    })
  if (missing !== undefined) warn(report, missing)
  for (const section of sections) {
    const { name, probe } = section.value
    const differs = probe.targets !== undefined || probe.require !== undefined
    if (!differs || !value.paths.includes(name)) continue
    const own = unprobed({ ...value.probe, ...probe })
    if (own !== undefined) warn(section.report, own)
  }
}

/** `IPv4`, `IPv6`: the required family that no target has; undefined where all are probed, or the targets are the usual ones. */
function unprobed({ targets, require }: Pick<ProbeConfig, 'targets' | 'require'>): string | undefined {
  if (targets.length === 0) return undefined
  const required = ([4, 6] as const).filter((family) => require === 'both' || require === `ipv${family}`)
  const lacking = required.find((family) => !targets.some(({ address }) => ipFamily(address) === family))
  return lacking && `IPv${lacking}`
}

function checkNames(uplinks: Uplinks, tunnels: Tunnels): void {
  for (const { value, report } of [...uplinks, ...tunnels]) {
    // `mode` and `lifeline use` take it for something else.
    if (value.name === 'auto')
      report({ reason: "'auto' means the choice among all paths", allowed: 'another name' })
    // JSON readers, JavaScript's among them, move such keys, and the order of paths in status would be lost.
    if (/^\d+$/.test(value.name))
      report({ reason: 'the name is a number', allowed: 'a name with a letter in it' })
  }
}

function checkAlone({ value, report }: Tunnels[number]): void {
  if (value.backsUp !== undefined)
    report({ option: 'backs_up', reason: "there is no 'failover' section that names the two" })
  if (value.standby !== 'auto')
    report({
      severity: 'warning',
      option: 'standby',
      reason: "no path stands by without a 'failover' section, so it has no effect",
    })
}

function checkPaths(
  { value, report }: ReadSection<FailoverConfig>,
  uplinks: Uplinks,
  tunnels: Tunnels,
): void {
  const names = [...uplinks, ...tunnels].map(({ value: { name } }) => name).filter((name) => name !== '')
  for (const [index, path] of value.paths.entries()) {
    if (names.includes(path)) continue
    const guess = nearest(path, names)
    report({
      option: 'path',
      index,
      reason: `there is no uplink or tunnel '${path}'${guess === undefined ? '' : `; did you mean '${guess}'?`}`,
      allowed: names.length === 0 ? 'nothing, as there is no uplink or tunnel' : names.join(', '),
    })
  }
  if (value.mode !== 'auto' && !value.paths.includes(value.mode))
    report({
      option: 'mode',
      reason: `'${value.mode}' is not among the paths`,
      allowed: ['auto', ...value.paths].join(', '),
    })
}

function checkDefaultRoute({ value, report }: Tunnels[number], { paths }: FailoverConfig): void {
  const isPath = paths.includes(value.name)
  if (isPath && !value.defaultroute)
    report({
      option: 'defaultroute',
      reason: "the tunnel is a path of 'failover', and so a way to the internet",
      allowed: '1, or a tunnel that is no path',
    })
  if (!isPath && value.defaultroute)
    report({
      severity: 'warning',
      option: 'defaultroute',
      reason:
        "the tunnel is no path of 'failover', so it does not become a way to the internet; set defaultroute 0",
    })
  if (!isPath && value.standby !== 'auto')
    report({
      severity: 'warning',
      option: 'standby',
      reason: "the tunnel is no path of 'failover' and always up, so it has no effect",
    })
}

function checkBacksUp({ value, report }: Tunnels[number], { paths }: FailoverConfig, uplinks: Uplinks): void {
  if (value.backsUp === undefined) return
  const before = paths.slice(0, Math.max(0, paths.indexOf(value.name)))
  const candidates = before.filter((path) => uplinks.some(({ value: { name } }) => name === path))
  if (candidates.includes(value.backsUp)) return
  const exists = uplinks.some(({ value: { name } }) => name === value.backsUp)
  report({
    option: 'backs_up',
    reason: exists
      ? `the uplink '${value.backsUp}' does not come before the tunnel in 'failover'`
      : `there is no uplink '${value.backsUp}'`,
    allowed:
      candidates.length > 0 ? candidates.join(', ') : "an uplink that precedes the tunnel in 'failover'",
  })
}
