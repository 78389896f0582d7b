/** Statuses for golden texts. The wall clock of all of them is NOW. */
import {
  type FailoverStatus,
  NO_SESSION,
  type PathStatus,
  type Status,
  type TunnelStatus,
} from '../../../src/core/status/status.ts'

export const NOW = new Date('2026-03-01T12:00:00Z')

const NOTHING = { packets: 0, octets: 0, dropped: 0 }

export function sampleTunnel(patch: Partial<TunnelStatus> = {}): TunnelStatus {
  return {
    state: 'waiting',
    since: '2026-03-01T11:59:48Z',
    device: 'l2tp-aaisp',
    uplink: null,
    ...NO_SESSION,
    rx: NOTHING,
    tx: NOTHING,
    attempts: 0,
    retry_at: null,
    last_error: null,
    ...patch,
  }
}

export const UP: TunnelStatus = sampleTunnel({
  state: 'up',
  since: '2026-02-27T09:48:00Z',
  uplink: 'fibre',
  server: 'l2tp.aa.net.uk (194.4.172.12)',
  local: { tunnel_id: 4711, session_id: 23 },
  peer: { tunnel_id: 9, session_id: 10, host_name: 'a.gormless', vendor: 'FireBrick' },
  auth: 'chap',
  mtu: 1462,
  ipv4: { address: '203.0.113.10', peer: '203.0.113.1', reason: null },
  ipv6: { interface_id: '0:0:0:1', addresses: ['2001:db8::1/64', 'fe80::1/64'], reason: null },
  dns: ['198.51.100.53', '198.51.100.54'],
  datapath: 'thread',
  rx: { packets: 1, octets: 999, dropped: 0 },
  tx: { packets: 123_456, octets: 1_234_567_890, dropped: 3 },
  rtt_ms: 8.25,
  jitter_ms: 0.5,
  loss: 0.013,
})

export const WRONG_PASSWORD = {
  code: 'auth_failed',
  message: 'the LNS refused user name or password (chap)',
  at: '2026-03-01T11:59:48Z',
}

export function sampleStatus(
  tunnel: Status['tunnel'],
  internet: Partial<Status['internet']> = {},
  uplink: Status['uplink'] = {},
): Status {
  return {
    schema: 1,
    version: '0.1.0',
    node: 'router',
    internet: {
      state: 'down',
      path: null,
      ipv4: null,
      ipv6: null,
      since: '2026-03-01T11:00:00Z',
      ...internet,
    },
    tunnel,
    uplink,
    failover: null,
  }
}

/** A path that is well and in use. */
export function samplePath(patch: Partial<PathStatus> = {}): PathStatus {
  return {
    health: 'up',
    readiness: 'active',
    reason: 'probes are answered',
    rtt_ms: 8.25,
    loss: 0,
    ipv4: 'up',
    ipv6: 'none',
    lost: [],
    ready: true,
    heard_at: null,
    ...patch,
  }
}

/** The same as the store is told it, which has instants of its own. */
export function toldPath(patch: Partial<PathStatus> = {}) {
  return { ...samplePath(patch), heard_at: null }
}

export const LOST_CARRIER = samplePath({ health: 'down', readiness: 'hot', reason: 'lost carrier', loss: 1 })

/** Fibre has lost its carrier, and aaisp carries the traffic over lte. */
export function sampleFailover(patch: Partial<FailoverStatus> = {}): FailoverStatus {
  return {
    mode: 'auto',
    active: 'aaisp',
    since: '2026-03-01T11:02:13Z',
    problem: null,
    path: {
      fibre: LOST_CARRIER,
      aaisp: samplePath({ rtt_ms: 48.06 }),
      lte: samplePath({ readiness: 'hot', rtt_ms: 46, loss: 0.013 }),
    },
    last_switch: {
      at: '2026-03-01T11:02:13Z',
      from: 'fibre',
      to: 'aaisp',
      cause: 'fibre: lost carrier',
      outage_ms: 412,
    },
    backup: { path: 'lte', ready: true },
    standby_check: null,
    ...patch,
  }
}
