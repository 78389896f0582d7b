/** The options that say how a path is probed: in `failover` for all paths, in `uplink` and `tunnel` for one. */
import { canonicalIp, ipFamily } from '../ip/address.ts'
import { err, ok, type Result } from '../result.ts'
import { duration, integer, type Kind, oneOf, wordOr } from './kinds.ts'
import { as, optionOf, type Properties, propertiesOf } from './properties.ts'
import { list, one, type Values } from './schema.ts'

const DNS_PORT = 53
const EXAMPLES = '192.0.2.1, icmp:2001:db8::1, tcp:192.0.2.1:443, tcp:[2001:db8::1]:443 or dns:192.0.2.1'

/** Whom to probe, by a literal address. */
export type ProbeTarget =
  | { readonly kind: 'icmp'; readonly address: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'dns'; readonly address: string; readonly port: number }

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
  /** Empty: the resolvers of the path and two well-known anycast addresses. */
  probe: as(
    'targets',
    list(probeTarget, {
      doc: 'Whom to probe over each path: `ADDRESS` is pinged, `tcp:ADDRESS:PORT` connected to, `dns:ADDRESS` asked. A target that has never answered does not count.',
      defaultText: 'the resolvers of the path and two anycast addresses',
    }),
  ),
  probe_interval: as(
    'interval',
    one(interval, {
      doc: 'Time between two probes. A metered path that stands by is probed once a minute.',
      default: '1',
    }),
  ),
  /** `auto`: from the round-trip times seen, within 0.2 s and the interval. */
  probe_timeout: as(
    'timeout',
    one(timeout, {
      doc: 'How long an answer is waited for; `auto` follows the round-trip times seen, between 0.2 s and the interval.',
      default: 'auto',
    }),
  ),
  /** Rounds in a row without any answer that make a path `down`. */
  probe_down: as(
    'down',
    one(rounds, {
      doc: 'Rounds of probes in a row without any answer after which a path is down.',
      default: '2',
    }),
  ),
  /** Answered rounds in a row that make it `up` again. */
  probe_up: as(
    'up',
    one(rounds, {
      doc: 'Answered rounds in a row after which a path that was down is up.',
      default: '5',
    }),
  ),
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

/** The address families that have to work for a path to be well; `any`: one of them is enough. */
export type Require = ProbeConfig['require']

/** How a path is probed. */
export interface ProbeConfig extends Properties<typeof probeOptions> {}

/** What a path has different from the probing that `failover` describes. */
export type ProbeOverrides = Partial<ProbeConfig>

/** What one path has different. */
export function probeOverrides(values: Values<typeof probeOverrideOptions>): ProbeOverrides {
  const given = Object.entries(optionOf(probeOptions)).flatMap(([property, name]) => {
    const value: unknown = values[name as keyof typeof values]
    return value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [[property, value]]
  })
  return Object.fromEntries(given)
}

/** How probing is done where nothing is said about it. */
export const DEFAULT_PROBE: ProbeConfig = propertiesOf(probeOptions, {
  probe: probeOptions.probe.absent(''),
  probe_interval: probeOptions.probe_interval.absent(''),
  probe_timeout: probeOptions.probe_timeout.absent(''),
  probe_down: probeOptions.probe_down.absent(''),
  probe_up: probeOptions.probe_up.absent(''),
  require: probeOptions.require.absent(''),
})
