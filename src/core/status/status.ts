import type { FamilyState } from '../failover/probing.ts'
import { isLinkLocal } from '../ip/networks.ts'

/**
 * The status JSON: what `lifeline status --json`, the control socket and every publisher show. It is a contract: keys
 * are only added while `schema` stays 1, and every key is always there; what does not apply now is null.
 * Instants are ISO 8601 in UTC.
 */
export interface Status {
  readonly schema: 1
  readonly version: string
  /** Name of this machine. */
  readonly node: string
  readonly internet: InternetStatus
  /** By name, in the order of the configuration. */
  readonly tunnel: Readonly<Record<string, TunnelStatus>>
  /** By name, in the order of the configuration; uplinks learnt from the system bear their device's name. */
  readonly uplink: Readonly<Record<string, UplinkStatus>>
  /** Null without a `failover` section. */
  readonly failover: FailoverStatus | null
}

/** Whether and how the internet is reached; instants are ISO 8601, in UTC. */
export interface InternetStatus {
  /** `ok`: the preferred path carries traffic; `backup`: another one does; `down`: none does. */
  readonly state: 'ok' | 'backup' | 'down'
  /** The tunnel or uplink that carries traffic. */
  readonly path: string | null
  /** Our address on that path. */
  readonly ipv4: string | null
  readonly ipv6: string | null
  /** Since when state and path are what they are. */
  readonly since: string
}

/** How far a tunnel has come. */
export type TunnelState =
  /** Switched off, by `enabled 0` or by `down`. */
  | 'disabled'
  /** Nothing under way: until `retry_at`, or until an uplink is usable where that is null. */
  | 'waiting'
  | 'resolving'
  /** The L2TP tunnel and session are being set up. */
  | 'dialling'
  /** LCP and the login. */
  | 'authenticating'
  /** IPCP and IPV6CP. */
  | 'configuring'
  | 'up'
  | 'closing'

/** How one tunnel fares; what is of a session is null where there is none. */
export interface TunnelStatus {
  readonly state: TunnelState
  readonly since: string
  readonly device: string
  /** Name of the uplink that carries it. */
  readonly uplink: string | null
  /** The LNS dialled: its configured name with the address in use, such as `l2tp.aa.net.uk (194.4.172.12)`. */
  readonly server: string | null
  readonly local: Ids
  readonly peer: Ids & { readonly host_name: string | null; readonly vendor: string | null }
  /** How we logged in. */
  readonly auth: 'chap' | 'mschapv2' | 'pap' | 'none' | null
  /** Octets of the largest packet inside. */
  readonly mtu: number | null
  readonly ipv4: {
    readonly address: string | null
    readonly peer: string | null
    /** Why the session has no address, in words; null while it has one, and while there is no session. */
    readonly reason: string | null
  }
  readonly ipv6: {
    /** The negotiated interface identifier as text, such as `0:0:0:1`. */
    readonly interface_id: string | null
    /** With prefix length, global ones first. */
    readonly addresses: readonly string[]
    /** Why the session has none, in words; null as for IPv4, and where no IPv6 is wanted. */
    readonly reason: string | null
  }
  /** What keeps the session from being of use, or of as much use as it should, in words; null while nothing does. */
  readonly problem: string | null
  /** What the LNS gave and was not taken, in sentences. */
  readonly refused: readonly string[]
  /** Resolvers that the LNS named. */
  readonly dns: readonly string[]
  /** The rung of the data path in use. */
  readonly datapath: string | null
  readonly rx: Traffic
  readonly tx: Traffic
  /** Round-trip time of LCP echoes in ms, smoothed. */
  readonly rtt_ms: number | null
  /** Share of recent LCP echoes without an answer, 0 to 1. */
  readonly loss: number | null
  /** Mean deviation of those round-trip times, in ms. */
  readonly jitter_ms: number | null
  /** Dials since the session was last up. */
  readonly attempts: number
  readonly retry_at: string | null
  /** Stays after a success, so that a user finds out what happened. */
  readonly last_error: LastError | null
}

/** The ids that one side gave tunnel and session (RFC 2661 section 3.1), 1..65535. */
export interface Ids {
  readonly tunnel_id: number | null
  readonly session_id: number | null
}

/** Since the device was opened by this process. */
export interface Traffic {
  readonly packets: number
  readonly octets: number
  readonly dropped: number
}

/** Why the last session or dial failed. */
export interface LastError {
  /** For programs; see failure.ts. */
  readonly code: string
  /** A sentence for users. */
  readonly message: string
  readonly at: string
}

/** How one uplink fares. */
export interface UplinkStatus {
  readonly device: string
  /** `absent`: no such device; `down`: not up or no carrier; `no_address`: up, but without an address to send from. */
  readonly state: 'absent' | 'down' | 'no_address' | 'up'
  readonly addresses: readonly string[]
  /** What it carried this month; null where it is neither metered nor has a budget. */
  readonly budget: BudgetStatus | null
}

/** In octets, both directions together. */
export interface BudgetStatus {
  readonly used: number
  /** Null without `monthly_budget`. */
  readonly limit: number | null
  /** First day of the month in UTC, such as `2026-03-01`; null while no plausible clock was seen. */
  readonly period_start: string | null
}

/** Which path carries the traffic, which would, and how each of them fares. */
export interface FailoverStatus {
  /** `auto`, or the name of the path that is pinned. */
  readonly mode: string
  /** The path that carries traffic; null while none does. */
  readonly active: string | null
  /** Since when it does. */
  readonly since: string
  /** What keeps failover from working as configured, in words. */
  readonly problem: string | null
  /** By name, in order of preference. */
  readonly path: Readonly<Record<string, PathStatus>>
  readonly last_switch: SwitchStatus | null
  /** Whether something could take over from the path in use; null where no other path is configured. */
  readonly backup: BackupStatus | null
  /** What the last test of a standby found, by `standby_check` or a drill; null before one. */
  readonly standby_check: StandbyCheckStatus | null
}

/** What stands by. */
export interface BackupStatus {
  /** Null where nobody knows, as of a cold tunnel. */
  readonly ready: boolean | null
  /** The path that would take over next: the first that is ready, else the first of the others. */
  readonly path: string
}

/** The last test of a path that stands by. */
export interface StandbyCheckStatus {
  readonly at: string
  readonly path: string
  readonly ok: boolean
  /** What was tried and found, in words. */
  readonly message: string
}

/** How one path fares. */
export interface PathStatus {
  /** `suspect`: a probe was missed, nothing is decided; `unknown`: nothing was heard yet, for or against. */
  readonly health: 'up' | 'suspect' | 'down' | 'unknown'
  /** The same of each family; `none`: the path has no address of it. */
  readonly ipv4: FamilyState
  readonly ipv6: FamilyState
  /** Families that ought to work and do not, although option `require` does not name them: `ipv4`, `ipv6`. */
  readonly lost: readonly ('ipv4' | 'ipv6')[]
  /** It could take the traffic over now, as far as anyone can know; null where nobody does, as of a cold tunnel. */
  readonly ready: boolean | null
  /** When the LNS of a tunnel was last heard; null where there is no connection to it, and of uplinks. */
  readonly heard_at: string | null
  /** What is up, whatever was wanted; `hot`: ready for traffic, as every uplink is. */
  readonly readiness: 'cold' | 'warm' | 'hot' | 'active'
  /** Why its health is so, in words. */
  readonly reason: string
  /** Round-trip time of probes in ms, smoothed. */
  readonly rtt_ms: number | null
  /** Share of recent probes without an answer, 0 to 1. */
  readonly loss: number | null
}

/** The last move of the traffic; `from` and `to` are names of paths. */
export interface SwitchStatus {
  readonly at: string
  /** Null at the first choice after the start. */
  readonly from: string | null
  readonly to: string
  readonly cause: string
  /** From the beginning of the trouble until the kernel sent packets the new way, in ms; null if there was none. */
  readonly outage_ms: number | null
}

/** What is known about a session, its dial included; null and empty while there is none. */
export type SessionStatus = Pick<
  TunnelStatus,
  | 'server'
  | 'local'
  | 'peer'
  | 'auth'
  | 'mtu'
  | 'ipv4'
  | 'ipv6'
  | 'problem'
  | 'refused'
  | 'dns'
  | 'datapath'
  | 'rtt_ms'
  | 'loss'
  | 'jitter_ms'
>

/** What status says of a tunnel without a session. */
export const NO_SESSION: SessionStatus = {
  server: null,
  local: { tunnel_id: null, session_id: null },
  peer: { tunnel_id: null, session_id: null, host_name: null, vendor: null },
  auth: null,
  mtu: null,
  ipv4: { address: null, peer: null, reason: null },
  ipv6: { interface_id: null, addresses: [], reason: null },
  problem: null,
  refused: [],
  dns: [],
  datapath: null,
  rtt_ms: null,
  loss: null,
  jitter_ms: null,
}

/** The internet's status but for its time, which the store adds. */
export type InternetPath = Omit<InternetStatus, 'since'>

/**
 * Which path carries traffic. `preferred` names the tunnels that take the default route, in order of preference;
 * without any of them up, traffic leaves by the system's own default route over an uplink. With `failover` its choice is
 * what counts.
 */
export function internetPath(
  preferred: readonly string[],
  tunnels: ReadonlyMap<string, Pick<TunnelStatus, 'state' | 'ipv4' | 'ipv6'>>,
  uplinks: ReadonlyMap<string, Pick<UplinkStatus, 'state' | 'addresses'>>,
  failover: Chosen | null = null,
): InternetPath {
  if (failover !== null) return chosenPath(failover, tunnels, uplinks)
  const wanted = preferred.filter((name) => (tunnels.get(name)?.state ?? 'disabled') !== 'disabled')
  const name = wanted.find((candidate) => tunnels.get(candidate)?.state === 'up')
  const tunnel = name === undefined ? undefined : tunnels.get(name)
  if (name !== undefined && tunnel !== undefined) {
    return { state: name === wanted[0] ? 'ok' : 'backup', path: name, ...addressesOn(tunnel, undefined) }
  }
  const [path, uplink] = [...uplinks].find(([, candidate]) => candidate.state === 'up') ?? []
  if (path === undefined || uplink === undefined) return NO_INTERNET
  return { state: wanted.length === 0 ? 'ok' : 'backup', path, ...addressesOn(undefined, uplink) }
}

/** What counts of the choice among paths. */
interface Chosen {
  readonly active: string | null
  readonly path: Readonly<Record<string, Pick<PathStatus, 'health' | 'ipv4' | 'ipv6'>>>
}

/** A path that is in use although it is dead, for want of another or as it is pinned, carries nothing. */
function chosenPath(
  { active, path }: Chosen,
  tunnels: ReadonlyMap<string, Addressed>,
  uplinks: ReadonlyMap<string, Pick<UplinkStatus, 'addresses'>>,
): InternetPath {
  const names = Object.keys(path)
  if (active === null) return NO_INTERNET
  const used = names.includes(active) ? path[active] : undefined
  if (used?.health === 'down' && used.ipv4 !== 'up' && used.ipv6 !== 'up') return NO_INTERNET
  const addresses = addressesOn(tunnels.get(active), uplinks.get(active))
  // Half of the internet is not the internet, but what there is of it is told.
  if (used?.health === 'down') {
    const { ipv4, ipv6 } = addresses
    const [four, six] = [used.ipv4 === 'up' ? ipv4 : null, used.ipv6 === 'up' ? ipv6 : null]
    return { state: 'down', path: active, ipv4: four, ipv6: six }
  }
  return { state: active === names[0] ? 'ok' : 'backup', path: active, ...addresses }
}

const NO_INTERNET: InternetPath = { state: 'down', path: null, ipv4: null, ipv6: null }

/** Our addresses on a tunnel or an uplink, without prefix lengths; null where it has none or does not exist. */
export function pathAddresses(path: string, status: Pick<Status, 'tunnel' | 'uplink'>): PathAddresses {
  const own = <T>(entries: Readonly<Record<string, T>>) =>
    Object.hasOwn(entries, path) ? entries[path] : undefined
  return addressesOn(own(status.tunnel), own(status.uplink))
}

type PathAddresses = Pick<InternetStatus, 'ipv4' | 'ipv6'>
type Addressed = Pick<TunnelStatus, 'ipv4' | 'ipv6'>

function addressesOn(
  tunnel: Addressed | undefined,
  uplink: Pick<UplinkStatus, 'addresses'> | undefined,
): PathAddresses {
  if (tunnel) return { ipv4: tunnel.ipv4.address, ipv6: firstGlobal(tunnel.ipv6.addresses) }
  const addresses = uplink?.addresses ?? []
  return { ipv4: bare(addresses.find((address) => !address.includes(':'))), ipv6: firstGlobal(addresses) }
}

function firstGlobal(addresses: readonly string[]): string | null {
  const known = addresses.map(bare)
  return known.find((address) => address?.includes(':') && !isLinkLocal(address)) ?? null
}

function bare(address: string | undefined): string | null {
  return address?.split('/')[0] ?? null
}
