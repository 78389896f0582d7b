import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HookEvents } from '../../src/core/hooks.ts'
import type { StatusEvent } from '../../src/core/status/status.ts'
import { sampleStatus, sampleTunnel, UP } from './status/status-samples.ts'

const AT = '2026-03-01T12:00:00.000Z'
const FIBRE = {
  device: 'pppoe-aaisp',
  state: 'up',
  addresses: ['2001:db8::9', '203.0.113.10'],
  budget: null,
} as const
const STATUS = sampleStatus({ aaisp: UP, cold: sampleTunnel() }, {}, { fibre: FIBRE })

function event(kind: string, fields: Readonly<Record<string, unknown>> = {}): StatusEvent {
  return { seq: 1, at: AT, event: kind, ...fields }
}

/** The variables without those that are empty, their prefix left out. */
function told(kind: string, fields: Readonly<Record<string, unknown>>, events = new HookEvents()) {
  const environment = events.translate(event(kind, fields), STATUS)?.environment
  return (
    environment &&
    Object.fromEntries(
      Object.entries(environment)
        .filter(([key, value]) => value !== '' && !['LIFELINE_AT', 'LIFELINE_NODE'].includes(key))
        .map(([key, value]) => [key.replace('LIFELINE_', ''), value]),
    )
  )
}

test('a switch names both paths, the addresses of the new one, its cause and the outage', () => {
  const fields = { from: 'fibre', to: 'aaisp', cause: 'fibre lost carrier', outage_ms: 412 }
  assert.deepEqual(new HookEvents().translate(event('failover', fields), STATUS), {
    name: 'failover',
    environment: {
      LIFELINE_EVENT: 'failover',
      LIFELINE_AT: AT,
      LIFELINE_NODE: 'router',
      LIFELINE_PATH: 'aaisp',
      LIFELINE_PREVIOUS_PATH: 'fibre',
      LIFELINE_DEVICE: 'l2tp-aaisp',
      LIFELINE_IPV4: '203.0.113.10',
      LIFELINE_IPV6: '2001:db8::1',
      LIFELINE_CAUSE: 'fibre lost carrier',
      LIFELINE_OUTAGE_MS: '412',
    },
  })
})

test('every kind of switch is told; at the start there was no path before', () => {
  for (const kind of ['start', 'failback', 'manual', 'drill']) {
    const fields = { from: null, to: 'fibre', cause: 'as configured', outage_ms: 0 }
    assert.deepEqual(told(kind, fields), {
      EVENT: kind,
      PATH: 'fibre',
      DEVICE: 'pppoe-aaisp',
      IPV4: '203.0.113.10',
      IPV6: '2001:db8::9',
      CAUSE: 'as configured',
      OUTAGE_MS: '0',
    })
  }
})

test('a switch without an outage', () => {
  const fields = { from: 'aaisp', to: 'fibre', cause: 'fibre works again', outage_ms: null }
  const environment = new HookEvents().translate(event('failback', fields), STATUS)?.environment
  assert.equal(environment?.LIFELINE_OUTAGE_MS, '')
})

test('all variables are there even where none applies', () => {
  const environment = new HookEvents().translate(
    event('internet', { state: 'down', path: null, from: 'ok' }),
    STATUS,
  )?.environment
  assert.equal(environment?.LIFELINE_PATH, '')
  assert.equal(Object.keys(environment ?? {}).length, 10)
})

test('a tunnel comes and goes, with the reason; states between are not told', () => {
  const events = new HookEvents()
  assert.equal(told('state', { tunnel: 'aaisp', state: 'dialling', from: 'waiting' }, events), undefined)
  assert.equal(told('failed', { tunnel: 'aaisp', code: 'auth_failed', message: 'wrong' }, events), undefined)
  assert.equal(
    told('state', { tunnel: 'aaisp', state: 'up', from: 'configuring' }, events)?.EVENT,
    'tunnel_up',
  )
  told('failed', { tunnel: 'aaisp', code: 'silent', message: 'nothing arrived' }, events)
  assert.deepEqual(told('state', { tunnel: 'cold', state: 'waiting', from: 'up' }, events), {
    EVENT: 'tunnel_down',
    PATH: 'cold',
    DEVICE: 'l2tp-aaisp',
  })
  const down = told('state', { tunnel: 'aaisp', state: 'closing', from: 'up' }, events)
  assert.equal(down?.CAUSE, 'nothing arrived')
  assert.equal(told('state', { tunnel: 'aaisp', state: 'waiting', from: 'closing' }, events), undefined)
  told('state', { tunnel: 'aaisp', state: 'up', from: 'configuring' }, events)
  assert.equal(told('state', { tunnel: 'aaisp', state: 'waiting', from: 'up' }, events)?.CAUSE, undefined)
})

test('uplinks and the internet come and go', () => {
  assert.equal(told('uplink', { uplink: 'fibre', state: 'up', from: 'down' })?.EVENT, 'uplink_up')
  const lost = told('uplink', { uplink: 'fibre', state: 'down', from: 'up' })
  assert.deepEqual([lost?.EVENT, lost?.CAUSE], ['uplink_down', 'lost carrier'])
  assert.equal(told('uplink', { uplink: 'fibre', state: 'down', from: 'absent' }), undefined)
  assert.equal(told('internet', { state: 'ok', path: 'fibre', from: 'down' })?.EVENT, 'internet_up')
  assert.equal(told('internet', { state: 'down', path: null, from: 'backup' })?.EVENT, 'internet_down')
  assert.equal(told('internet', { state: 'backup', path: 'aaisp', from: 'ok' }), undefined)
})

test('a budget that runs out', () => {
  const warned = told('budget', { uplink: 'fibre', percent: 80, used: 800, limit: 1000 })
  assert.deepEqual([warned?.EVENT, warned?.PATH], ['budget', 'fibre'])
  assert.equal(warned?.CAUSE, "80 % of this month's budget is used")
})

test('what is only for people who watch is not told', () => {
  assert.equal(told('reloaded', { changes: ['mtu'] }), undefined)
  assert.equal(told('something_new', {}), undefined)
})

test('words of a peer end no value early and hold no line breaks', () => {
  const events = new HookEvents()
  told('failed', { tunnel: 'aaisp', message: 'no\0way\nPATH=/tmp\u009b2J' }, events)
  const cause = told('state', { tunnel: 'aaisp', state: 'waiting', from: 'up' }, events)?.CAUSE
  assert.equal(cause, 'no way PATH=/tmp 2J')
})

test('a path that bears the name of something every object has', () => {
  assert.deepEqual(told('failover', { from: 'fibre', to: 'constructor', cause: 'x', outage_ms: 1 }), {
    EVENT: 'failover',
    PATH: 'constructor',
    PREVIOUS_PATH: 'fibre',
    CAUSE: 'x',
    OUTAGE_MS: '1',
  })
})
