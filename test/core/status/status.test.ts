import assert from 'node:assert/strict'
import { test } from 'node:test'
import { internetPath, pathAddresses, type UplinkStatus } from '../../../src/core/status/status.ts'
import { samplePath, sampleTunnel, UP } from './status-samples.ts'

const FIBRE: UplinkStatus = {
  device: 'eth0',
  state: 'up',
  addresses: ['fe80::2/64', '192.0.2.7/24', '2001:db8:f::7/64'],
  budget: null,
}
const NO_UPLINK = new Map<string, UplinkStatus>()
const DOWN = { state: 'down', path: null, ipv4: null, ipv6: null }

test('the first tunnel that takes the default route is the good path, a later one a backup', () => {
  const first = new Map([
    ['a', UP],
    ['b', UP],
  ])
  const second = new Map([
    ['a', sampleTunnel({ state: 'dialling' })],
    ['b', UP],
  ])
  assert.deepEqual(internetPath(['a', 'b'], first, new Map([['fibre', FIBRE]])), {
    state: 'ok',
    path: 'a',
    ipv4: '203.0.113.10',
    ipv6: '2001:db8::1',
  })
  assert.equal(internetPath(['a', 'b'], second, NO_UPLINK).state, 'backup')
  assert.equal(internetPath(['a', 'b'], second, NO_UPLINK).path, 'b')
})

test('a tunnel that is switched off is not missed', () => {
  const tunnels = new Map([
    ['a', sampleTunnel({ state: 'disabled' })],
    ['b', UP],
  ])
  assert.equal(internetPath(['a', 'b'], tunnels, NO_UPLINK).state, 'ok')
  assert.equal(internetPath(['a'], tunnels, new Map([['fibre', FIBRE]])).state, 'ok')
})

test('without a tunnel the first uplink that is up carries traffic', () => {
  const tunnels = new Map([['a', sampleTunnel()]])
  const uplinks = new Map<string, UplinkStatus>([
    ['lte', { device: 'wwan0', state: 'absent', addresses: [], budget: null }],
    ['fibre', FIBRE],
  ])
  assert.deepEqual(internetPath(['a'], tunnels, uplinks), {
    state: 'backup',
    path: 'fibre',
    ipv4: '192.0.2.7',
    ipv6: '2001:db8:f::7',
  })
  assert.equal(internetPath([], new Map([['a', UP]]), uplinks).state, 'ok')
})

test('nothing up is down', () => {
  const tunnels = new Map([['a', sampleTunnel()]])
  assert.deepEqual(internetPath(['a'], tunnels, NO_UPLINK), DOWN)
  assert.deepEqual(internetPath([], new Map(), new Map([['x', { ...FIBRE, state: 'no_address' }]])), DOWN)
})

test('a link-local address is no address on the internet', () => {
  const tunnel = sampleTunnel({
    state: 'up',
    ipv6: { interface_id: '0:0:0:1', addresses: ['fe80::1/64'], reason: null },
  })
  assert.deepEqual(internetPath(['a'], new Map([['a', tunnel]]), NO_UPLINK), {
    state: 'ok',
    path: 'a',
    ipv4: null,
    ipv6: null,
  })
})

const AUTO = samplePath({ readiness: 'hot', reason: '', rtt_ms: null, loss: null })
const UPLINKS = new Map([['fibre', FIBRE]])

test('with failover its choice counts, whatever else is up', () => {
  const path = { fibre: AUTO, aaisp: AUTO }
  const tunnels = new Map([['aaisp', UP]])
  assert.deepEqual(internetPath(['aaisp'], tunnels, UPLINKS, { active: 'fibre', path }), {
    state: 'ok',
    path: 'fibre',
    ipv4: '192.0.2.7',
    ipv6: '2001:db8:f::7',
  })
  assert.deepEqual(internetPath(['aaisp'], tunnels, UPLINKS, { active: 'aaisp', path }), {
    state: 'backup',
    path: 'aaisp',
    ipv4: '203.0.113.10',
    ipv6: '2001:db8::1',
  })
})

test('while failover waits for a tunnel, or holds on to a dead path, there is no internet', () => {
  const dead = { ...AUTO, health: 'down', ipv4: 'down' } as const
  const tunnels = new Map([['aaisp', UP]])
  const waiting = { active: null, path: { fibre: dead, aaisp: AUTO } }
  assert.deepEqual(internetPath(['aaisp'], tunnels, UPLINKS, waiting), DOWN)
  const pinned = { active: 'fibre', path: { fibre: dead, aaisp: AUTO } }
  assert.deepEqual(internetPath(['aaisp'], tunnels, UPLINKS, pinned), DOWN)
  for (const health of ['suspect', 'unknown'] as const) {
    const path = { fibre: { ...AUTO, health }, aaisp: AUTO }
    assert.equal(internetPath(['aaisp'], tunnels, UPLINKS, { active: 'fibre', path }).state, 'ok', health)
  }
})

test('the addresses of a path by its name, also by one that every object has', () => {
  const status = { tunnel: { aaisp: UP }, uplink: { fibre: FIBRE } }
  assert.deepEqual(pathAddresses('aaisp', status), { ipv4: '203.0.113.10', ipv6: '2001:db8::1' })
  assert.deepEqual(pathAddresses('fibre', status), { ipv4: '192.0.2.7', ipv6: '2001:db8:f::7' })
  assert.deepEqual(pathAddresses('constructor', status), { ipv4: null, ipv6: null })
})

test('a path that has lost IPv4 is no internet, but what still works is told', () => {
  const fibre = { ...AUTO, health: 'down', ipv4: 'down', ipv6: 'up' } as const
  const uplinks = new Map([
    ['fibre', { state: 'up' as const, addresses: ['192.0.2.7/24', '2001:db8::7/64'] }],
  ])
  assert.deepEqual(internetPath([], new Map(), uplinks, { active: 'fibre', path: { fibre } }), {
    state: 'down',
    path: 'fibre',
    ipv4: null,
    ipv6: '2001:db8::7',
  })
})
