import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offeredDns } from '../../../src/core/status/offered-dns.ts'
import type { FailoverStatus, PathStatus, TunnelStatus } from '../../../src/core/status/status.ts'
import { samplePath, sampleTunnel, UP } from './status-samples.ts'

const SERVERS = ['198.51.100.53', '198.51.100.54']
const OFFER = [{ device: 'l2tp-aaisp', servers: SERVERS }]
const PATH: PathStatus = samplePath({ readiness: 'hot', reason: '', rtt_ms: null, loss: null })

function offered(
  tunnel: TunnelStatus,
  options: { peerdns?: boolean; active?: string | null; paths?: readonly string[] } = {},
) {
  const { peerdns = true, active, paths = ['fibre', 'aaisp'] } = options
  const failover: FailoverStatus | null =
    active === undefined
      ? null
      : {
          mode: 'auto',
          active,
          since: '2026-03-01T12:00:00Z',
          problem: null,
          path: Object.fromEntries(paths.map((name) => [name, PATH])),
          last_switch: null,
          backup: null,
          standby_check: null,
        }
  return offeredDns([{ name: 'aaisp', peerdns }], { tunnel: { aaisp: tunnel }, failover })
}

test('the resolvers of a tunnel with peerdns are offered exactly while it is up', () => {
  assert.deepEqual(offered(UP), OFFER)
  assert.deepEqual(offered(UP, { peerdns: false }), [])
  for (const state of [
    'disabled',
    'waiting',
    'resolving',
    'dialling',
    'authenticating',
    'configuring',
    'closing',
  ] as const)
    assert.deepEqual(offered(sampleTunnel({ ...UP, state })), [], state)
})

test('an LNS that names none', () => {
  assert.deepEqual(offered({ ...UP, dns: [] }), [])
})

test('with failover the tunnel has to be the path in use', () => {
  assert.deepEqual(offered(UP, { active: 'aaisp' }), OFFER)
  assert.deepEqual(offered(UP, { active: 'fibre' }), [])
  assert.deepEqual(offered(UP, { active: null }), [])
})

test('a tunnel beside failover is offered whatever path is in use', () => {
  assert.deepEqual(offered(UP, { active: 'fibre', paths: ['fibre', 'lte'] }), OFFER)
})

test('a tunnel that status does not know yet', () => {
  assert.deepEqual(offeredDns([{ name: 'constructor', peerdns: true }], { tunnel: {}, failover: null }), [])
})
