/** The options that say how a path is probed: in `failover` for all paths, in `uplink` and `tunnel` for one. */
import { canonicalIp, ipFamily } from '../ip/address.ts'
import { err, ok, type Result } from '../result.ts'
import { duration, integer, type Kind, oneOf, wordOr } from './kinds.ts'
import { list, one } from './schema.ts'
import type { Config, ProbeConfig, ProbeOverrides, ProbeTarget } from './types.ts'

const DNS_PORT = 53
const EXAMPLES = '192.0.2.1, icmp:2001:db8::1, tcp:192.0.2.1:443, tcp:[2001:db8::1]:443 or dns:192.0.2.1'

/** Whom to probe: `ADDRESS` or `icmp:ADDRESS`, `tcp:ADDRESS:PORT`, `dns:ADDRESS`; IPv6 with a port in brackets. */
export const probeTarget: Kind<ProbeTarget> = {
  name: 'probe target',
  allowed: `a literal address, alone or as in ${EXAMPLES}`,
  parse(text) {
    const [, kind = 'icmp', rest = ''] = /^(?:(icmp|tcp|dns):)?(.*)$/s.exec(text) ?? []
    const target = hostAndPort(rest)
    if (target === undefined) return err(`'${text}' is not a probe target`)
    const address = canonicalIp(target.host)
    if (address === undefined)
      return err(`'${target.host}' is not an address, and names cannot be looked up on a path that is down`)
    return targetOf(kind as ProbeTarget['kind'], address, target.port, text)
  },
  print: formatProbeTarget,
}

function targetOf(
  kind: ProbeTarget['kind'],
  address: string,
  port: number | undefined,
  text: string,
): Result<ProbeTarget, string> {
  if (/^(0\.0\.0\.0|::)$/.test(address)) return err(`'${text}' is the unspecified address`)
  if (port !== undefined && (port < 1 || port > 65535)) return err(`'${text}' has no valid port (1 to 65535)`)
  switch (kind) {
    case 'icmp':
      return port === undefined ? ok({ kind, address }) : err(`'${text}' has a port, which ICMP has not`)
    case 'tcp':
      return port === undefined ? err(`'${text}' lacks a port`) : ok({ kind, address, port })
    case 'dns':
      return ok({ kind, address, port: port ?? DNS_PORT })
  }
}

function hostAndPort(text: string): { host: string; port: number | undefined } | undefined {
  if (ipFamily(text) === 6) return { host: text, port: undefined }
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  return host === '' ? undefined : { host, port: port === undefined ? undefined : Number(port) }
}

/** As a user would write it. */
export function formatProbeTarget(target: ProbeTarget): string {
  const { kind, address } = target
  if (kind === 'icmp') return address
  if (kind === 'dns' && target.port === DNS_PORT) return `dns:${address}`
  return `${kind}:${address.includes(':') ? `[${address}]` : address}:${target.port}`
}

const interval = duration('100ms', '10m')
const timeout = wordOr('auto', duration('50ms', '30s'))
const rounds = integer(1, 100)
const families = oneOf('ipv4', 'ipv6', 'both', 'any')

/** The six options with their defaults, for `failover`. */
export const probeOptions = {
  probe: list(probeTarget, {
    doc: 'Whom to probe over each path: `ADDRESS` is pinged, `tcp:ADDRESS:PORT` connected to, `dns:ADDRESS` asked. A target that has never answered does not count.',
    defaultText: 'the resolvers of the path and two anycast addresses',
  }),
  probe_interval: one(interval, {
    doc: 'Time between two probes. A metered path that stands by is probed once a minute.',
    default: '1',
  }),
  probe_timeout: one(timeout, {
    doc: 'How long an answer is waited for; `auto` follows the round-trip times seen, between 0.2 s and the interval.',
    default: 'auto',
  }),
  probe_down: one(rounds, {
    doc: 'Rounds of probes in a row without any answer after which a path is down.',
    default: '2',
  }),
  probe_up: one(rounds, {
    doc: 'Answered rounds in a row after which a path that was down is up.',
    default: '5',
  }),
  require: one(families, {
    doc: 'Which families have to work, as IPv4 and IPv6 fail separately and are probed separately. A path that lost a required one is left for any other that has it; one that lost the other family only for a path on which both are seen to work, after `failback_delay`. `any`: one family is enough.',
    default: 'ipv4',
  }),
}

const OF_FAILOVER = { defaultText: 'that of `failover`' }

/** The same options where they override those of `failover` for one path. */
export const probeOverrideOptions = {
  probe: list(probeTarget, { doc: 'Whom to probe over this path.', ...OF_FAILOVER }),
  probe_interval: one(interval, { doc: 'Time between two probes over this path.', ...OF_FAILOVER }),
  probe_timeout: one(timeout, { doc: 'How long an answer is waited for.', ...OF_FAILOVER }),
  probe_down: one(rounds, { doc: 'Rounds without any answer after which it is down.', ...OF_FAILOVER }),
  probe_up: one(rounds, { doc: 'Answered rounds after which it is up again.', ...OF_FAILOVER }),
  require: one(families, { doc: 'Which families have to work over this path.', ...OF_FAILOVER }),
}

interface ProbeValues {
  readonly probe: readonly ProbeTarget[]
  readonly probe_interval: ProbeConfig['interval'] | undefined
  readonly probe_timeout: ProbeConfig['timeout'] | undefined
  readonly probe_down: number | undefined
  readonly probe_up: number | undefined
  readonly require: ProbeConfig['require'] | undefined
}

/** What one path has different. */
export function probeOverrides(values: ProbeValues): ProbeOverrides {
  return {
    ...(values.probe.length > 0 && { targets: values.probe }),
    ...(values.probe_interval !== undefined && { interval: values.probe_interval }),
    ...(values.probe_timeout !== undefined && { timeout: values.probe_timeout }),
    ...(values.probe_down !== undefined && { down: values.probe_down }),
    ...(values.probe_up !== undefined && { up: values.probe_up }),
    ...(values.require !== undefined && { require: values.require }),
  }
}

/** How probing is done where nothing is said about it. */
export const DEFAULT_PROBE: ProbeConfig = {
  targets: probeOptions.probe.absent(''),
  interval: probeOptions.probe_interval.absent(''),
  timeout: probeOptions.probe_timeout.absent(''),
  down: probeOptions.probe_down.absent(''),
  up: probeOptions.probe_up.absent(''),
  require: probeOptions.require.absent(''),
}

/** How a path is probed: by its own options, those of `failover`, and the defaults. */
export function probeOf(config: Pick<Config, 'uplinks' | 'tunnels' | 'failover'>, path: string): ProbeConfig {
  const own = [...config.uplinks, ...config.tunnels].find(({ name }) => name === path)?.probe
  return { ...DEFAULT_PROBE, ...config.failover?.probe, ...own }
}
