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
}

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
  readonly ipv4: { readonly address: string | null; readonly peer: string | null }
  readonly ipv6: {
    /** The negotiated interface identifier as text, such as `0:0:0:1`. */
    readonly interface_id: string | null
    /** With prefix length, global ones first. */
    readonly addresses: readonly string[]
  }
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

export interface LastError {
  /** For programs; see failure.ts. */
  readonly code: string
  /** A sentence for users. */
  readonly message: string
  readonly at: string
}

export interface UplinkStatus {
  readonly device: string
  /** `absent`: no such device; `down`: not up or no carrier; `no_address`: up, but without an address to send from. */
  readonly state: 'absent' | 'down' | 'no_address' | 'up'
  readonly addresses: readonly string[]
}

/** Something that happened, as `lifeline events` shows it. Further fields are those of the event. */
export interface StatusEvent {
  /** Counts up by one from 1 at the daemon's start. */
  readonly seq: number
  readonly at: string
  readonly event: string
  readonly tunnel?: string
  readonly [field: string]: unknown
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
  | 'dns'
  | 'datapath'
  | 'rtt_ms'
  | 'loss'
  | 'jitter_ms'
>

export const NO_SESSION: SessionStatus = {
  server: null,
  local: { tunnel_id: null, session_id: null },
  peer: { tunnel_id: null, session_id: null, host_name: null, vendor: null },
  auth: null,
  mtu: null,
  ipv4: { address: null, peer: null },
  ipv6: { interface_id: null, addresses: [] },
  dns: [],
  datapath: null,
  rtt_ms: null,
  loss: null,
  jitter_ms: null,
}

export type InternetPath = Omit<InternetStatus, 'since'>

/**
 * Which path carries traffic. `preferred` names the tunnels that take the default route, in order of preference;
 * without any of them up, traffic leaves by the system's own default route over an uplink.
 */
export function internetPath(
  preferred: readonly string[],
  tunnels: ReadonlyMap<string, Pick<TunnelStatus, 'state' | 'ipv4' | 'ipv6'>>,
  uplinks: ReadonlyMap<string, UplinkStatus>,
): InternetPath {
  const wanted = preferred.filter((name) => (tunnels.get(name)?.state ?? 'disabled') !== 'disabled')
  const name = wanted.find((candidate) => tunnels.get(candidate)?.state === 'up')
  const tunnel = name === undefined ? undefined : tunnels.get(name)
  if (name !== undefined && tunnel !== undefined) {
    return {
      state: name === wanted[0] ? 'ok' : 'backup',
      path: name,
      ipv4: tunnel.ipv4.address,
      ipv6: firstGlobal(tunnel.ipv6.addresses),
    }
  }
  const [path, uplink] = [...uplinks].find(([, candidate]) => candidate.state === 'up') ?? []
  if (path === undefined || uplink === undefined) return { state: 'down', path: null, ipv4: null, ipv6: null }
  return {
    state: wanted.length === 0 ? 'ok' : 'backup',
    path,
    ipv4: bare(uplink.addresses.find((address) => !address.includes(':'))),
    ipv6: firstGlobal(uplink.addresses),
  }
}

// RFC 4291 section 2.5.6: link-local addresses are fe80::/10.
function firstGlobal(addresses: readonly string[]): string | null {
  return bare(addresses.find((address) => address.includes(':') && !/^fe[89ab]/i.test(address)))
}

function bare(address: string | undefined): string | null {
  return address?.split('/')[0] ?? null
}
