/** Statuses with failover and a budget, and the payloads that follow. */
import {
  statePayload,
  tunnelStatePayload,
  tunnelStatsPayload,
  uplinkStatePayload,
  uplinkStatsPayload,
} from '../../../src/core/homeassistant/payloads.ts'
import type { Status, TunnelStatus, UplinkStatus } from '../../../src/core/status/status.ts'
import { sampleFailover, samplePath, sampleStatus, UP, WRONG_PASSWORD } from '../status/status-samples.ts'

export const LTE: UplinkStatus = {
  device: 'wwan0',
  state: 'up',
  addresses: ['100.64.1.2/24'],
  budget: { used: 4_000_000_000, limit: 5_000_000_000, period_start: '2026-03-01' },
}

export const AAISP: TunnelStatus = { ...UP, last_error: WRONG_PASSWORD }

/** On the backup since two minutes. */
export function onBackup(): Status {
  const status = sampleStatus(
    { aaisp: AAISP },
    { state: 'backup', path: 'aaisp', ipv4: '203.0.113.10' },
    { lte: LTE },
  )
  const probed = { reason: 'probes answered' }
  const failover = sampleFailover({
    since: '2026-03-01T11:58:00Z',
    problem: 'fibre lost carrier',
    path: {
      fibre: samplePath({
        health: 'down',
        readiness: 'cold',
        reason: 'no carrier',
        rtt_ms: null,
        loss: null,
      }),
      aaisp: samplePath({ ...probed, rtt_ms: 51.5 }),
      lte: samplePath({ ...probed, readiness: 'hot', rtt_ms: 50.25, loss: 0.25 }),
    },
    last_switch: {
      at: '2026-03-01T11:58:00Z',
      from: 'fibre',
      to: 'aaisp',
      cause: 'fibre lost carrier',
      outage_ms: 420,
    },
  })
  return { ...status, failover }
}

/** One payload of each kind, by the end of its topic. */
export function samplePayloads(): Readonly<Record<string, unknown>> {
  const status = onBackup()
  const at = '2026-03-01T12:00:00.000Z'
  const before = { at: 0, rx: 0, tx: 0 }
  const now = { at: 30_000, rx: 3_000_000, tx: 300_000 }
  return {
    state: statePayload(status, 3),
    'tunnel/state': tunnelStatePayload('aaisp', AAISP, status),
    'tunnel/stats': tunnelStatsPayload(AAISP, at, now, before),
    'uplink/state': uplinkStatePayload('lte', LTE, status),
    'uplink/stats': uplinkStatsPayload('lte', LTE, status, at),
    event: { event_type: 'failover', at },
  }
}
