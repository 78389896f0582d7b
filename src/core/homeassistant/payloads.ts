import { formatPrefix, parsePrefix } from '../ip/address.ts'
import { isLinkLocal, liesInAny, SECLUDED } from '../ip/networks.ts'
import { networkOf } from '../ip/prefix.ts'
import type {
  InternetStatus,
  LastError,
  PathStatus,
  Status,
  SwitchStatus,
  TunnelState,
  TunnelStatus,
  UplinkStatus,
} from '../status/status.ts'

/**
 * The payloads, as docs/mqtt.md describes them: every key is always there, what does not apply now is null, and keys are
 * only added. Instants are ISO 8601 in UTC, so are those of status.
 */
export interface StatePayload {
  readonly internet: InternetStatus['state']
  /** The tunnel or uplink that carries traffic. */
  readonly path: string | null
  readonly on_backup: boolean
  /** Whether another path could take over; null where nobody knows, or there is no other. `backup` is the path. */
  readonly backup_ready: boolean | null
  readonly backup: string | null
  /** Something needs attention; `reason` says what. */
  readonly problem: boolean
  readonly reason: string | null
  /** Since when the path is what it is. */
  readonly since: string
  /** `auto`, or the path that was pinned; null where there is no failover. */
  readonly mode: string | null
  readonly last_switch: SwitchStatus | null
  /** Changes of path since the daemon started. */
  readonly switches: number
  readonly ipv4: string | null
  readonly ipv6: string | null
  /** The same where the internet sees them: null for an address of a private network or of a carrier's own. */
  readonly external_ipv4: string | null
  readonly external_ipv6: string | null
  readonly version: string
}

/** The retained message about a tunnel. */
export interface TunnelStatePayload {
  readonly state: TunnelState
  readonly connected: boolean
  /** Whether traffic gets through; null where that is not known, as of what stands by without a session. */
  readonly works: boolean | null
  /** Not switched off. */
  readonly enabled: boolean
  readonly since: string
  readonly connected_since: string | null
  readonly device: string
  readonly uplink: string | null
  readonly server: string | null
  /** The address of the LNS. */
  readonly lns: string | null
  readonly mtu: number | null
  readonly ipv4: string | null
  /** The first prefix that is routed to the tunnel by configuration, or that of its first global address. */
  readonly ipv6_prefix: string | null
  readonly ipv6: readonly string[]
  readonly health: PathStatus['health'] | null
  readonly readiness: PathStatus['readiness'] | null
  readonly last_error: LastError | null
}

/** The retained message about an uplink. */
export interface UplinkStatePayload {
  readonly state: UplinkStatus['state']
  /** It has link and address, whether or not anything gets through. */
  readonly connected: boolean
  /** Whether traffic gets through; null where nobody looks, or nothing was heard yet. */
  readonly works: boolean | null
  readonly device: string
  readonly addresses: readonly string[]
  readonly health: PathStatus['health'] | null
  readonly readiness: PathStatus['readiness'] | null
}

/** The figures of a tunnel, sent again and again. */
export interface TunnelStatsPayload {
  readonly at: string
  /** bit/s over the time since the message before; null in the first one. */
  readonly rx_rate: number | null
  readonly tx_rate: number | null
  /** Octets since the device was opened by the daemon. */
  readonly rx_octets: number
  readonly tx_octets: number
  readonly rtt_ms: number | null
  readonly jitter_ms: number | null
  /** Percent. */
  readonly loss: number | null
}

/** The figures of an uplink, sent again and again. */
export interface UplinkStatsPayload {
  readonly at: string
  /** bit/s over the time since the message before; null in the first one, and while there is no device. */
  readonly rx_rate: number | null
  readonly tx_rate: number | null
  /** Octets of the device, in all that it does. */
  readonly rx_octets: number | null
  readonly tx_octets: number | null
  readonly rtt_ms: number | null
  /** Percent. */
  readonly loss: number | null
  /** Octets in the budget's month. */
  readonly month_octets: number | null
  readonly month_limit: number | null
  /** Percent of the limit. */
  readonly month_percent: number | null
  readonly month_start: string | null
}

/** `switches` counts on from what the caller has seen. */
export function statePayload(status: Status, switches: number): StatePayload {
  const { internet, failover, version } = status
  const reason = problemOf(status)
  return {
    internet: internet.state,
    path: internet.path,
    on_backup: internet.state === 'backup',
    backup_ready: failover?.backup?.ready ?? null,
    backup: failover?.backup?.path ?? null,
    problem: reason !== null,
    reason,
    since: internet.since,
    mode: failover?.mode ?? null,
    last_switch: failover?.last_switch ?? null,
    switches,
    ipv4: internet.ipv4,
    ipv6: internet.ipv6,
    external_ipv4: external(internet.ipv4),
    external_ipv6: external(internet.ipv6),
    version,
  }
}

/** `prefix` is what the configuration says that the provider routes to the tunnel. */
export function tunnelStatePayload(
  name: string,
  tunnel: TunnelStatus,
  status: Status,
  prefix?: string,
): TunnelStatePayload {
  const { state, since, device, uplink, server, mtu, ipv4, ipv6, last_error } = tunnel
  return {
    state,
    connected: state === 'up',
    works: tunnelWorks(state, status.failover?.path[name]),
    enabled: state !== 'disabled',
    since,
    connected_since: state === 'up' ? since : null,
    device,
    uplink,
    server,
    lns: lnsAddress(server),
    mtu,
    ipv4: ipv4.address,
    ipv6_prefix: prefix ?? globalPrefix(ipv6.addresses),
    ipv6: ipv6.addresses,
    ...pathState(status.failover?.path[name]),
    last_error,
  }
}

/** What is published of an uplink, from what status says of it and of its path. */
export function uplinkStatePayload(name: string, uplink: UplinkStatus, status: Status): UplinkStatePayload {
  const { state, device, addresses } = uplink
  const path = status.failover?.path[name]
  const works = state === 'up' ? proved(path) : path === undefined ? null : false
  return { state, connected: state === 'up', works, device, addresses, ...pathState(path) }
}

/** What the counters were when the last statistics were published; `at` in ms of the monotonic clock. */
export interface CounterSample {
  readonly at: number
  readonly rx: number
  readonly tx: number
}

/** The figures of a tunnel now, with rates since those before. */
export function tunnelStatsPayload(
  tunnel: TunnelStatus,
  at: string,
  now: CounterSample,
  before: CounterSample | undefined,
): TunnelStatsPayload {
  const up = tunnel.state === 'up'
  return {
    at,
    rx_rate: before ? rate(now.rx - before.rx, now.at - before.at) : null,
    tx_rate: before ? rate(now.tx - before.tx, now.at - before.at) : null,
    rx_octets: now.rx,
    tx_octets: now.tx,
    rtt_ms: up ? tunnel.rtt_ms : null,
    jitter_ms: up ? tunnel.jitter_ms : null,
    loss: up ? percent(tunnel.loss) : null,
  }
}

/** The figures of an uplink now, with rates since those before. */
export function uplinkStatsPayload(
  name: string,
  uplink: UplinkStatus,
  status: Status,
  at: string,
  now?: CounterSample,
  before?: CounterSample,
): UplinkStatsPayload {
  const path = status.failover?.path[name]
  const { budget } = uplink
  return {
    at,
    rx_rate: now && before ? rate(now.rx - before.rx, now.at - before.at) : null,
    tx_rate: now && before ? rate(now.tx - before.tx, now.at - before.at) : null,
    rx_octets: now?.rx ?? null,
    tx_octets: now?.tx ?? null,
    rtt_ms: path?.rtt_ms ?? null,
    loss: percent(path?.loss ?? null),
    month_octets: budget?.used ?? null,
    month_limit: budget?.limit ?? null,
    month_percent: budget?.limit ? Math.round((budget.used / budget.limit) * 1000) / 10 : null,
    month_start: budget?.period_start ?? null,
  }
}

/** What is wrong in one clause that stays the same while it lasts, or null. */
export function problemOf(status: Status): string | null {
  const { problem = null, path = {} } = status.failover ?? {}
  if (problem !== null) return problem
  if (status.internet.state === 'down') return 'there is no internet'
  const dead = Object.entries(path).find(
    ([name, { health }]) => health === 'down' && !Object.hasOwn(status.tunnel, name),
  )
  if (dead !== undefined) return `${dead[0]} does not work: ${dead[1].reason}`
  const down = Object.entries(status.tunnel).find(([name, { state, retry_at }]) =>
    // A tunnel that stands by as a path is meant to be down; not so if dialling it was tried and failed.
    Object.hasOwn(path, name) ? retry_at !== null : state !== 'up' && state !== 'disabled',
  )
  if (down === undefined) return null
  const [name, { last_error }] = down
  return `the tunnel ${name} is not up${last_error === null ? '' : `: ${last_error.message}`}`
}

function pathState(path: PathStatus | undefined): Pick<UplinkStatePayload, 'health' | 'readiness'> {
  return { health: path?.health ?? null, readiness: path?.readiness ?? null }
}

/** A session that is up carries traffic unless its probes say otherwise; one that is not may be meant to be down. */
function tunnelWorks(state: TunnelState, path: PathStatus | undefined): boolean | null {
  if (path === undefined) return state === 'up'
  if (state !== 'up' && path.readiness !== 'active' && path.readiness !== 'hot') return null
  return state === 'up' ? proved(path) : false
}

function proved(path: PathStatus | undefined): boolean | null {
  switch (path?.health) {
    case 'up':
    case 'suspect':
      return true
    case 'down':
      return false
    default:
      return null
  }
}

function external(address: string | null): string | null {
  return address === null || liesInAny(SECLUDED, address) || isLinkLocal(address) ? null : address
}

/** bit/s, as a whole number. Counters begin anew with a new device. */
function rate(octets: number, ms: number): number | null {
  return octets < 0 || ms <= 0 ? null : Math.round((octets * 8 * 1000) / ms)
}

function percent(share: number | null): number | null {
  return share === null ? null : Math.round(share * 1000) / 10
}

/** Status shows `name (address)`, or the address alone. */
function lnsAddress(server: string | null): string | null {
  return server === null ? null : (/\(([^()]+)\)$/.exec(server)?.[1] ?? server)
}

function globalPrefix(addresses: readonly string[]): string | null {
  for (const text of addresses) {
    const prefix = parsePrefix(text)
    if (prefix === undefined || isLinkLocal(prefix.address)) continue
    return formatPrefix(networkOf(prefix))
  }
  return null
}
