import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hookEvent } from '../../src/core/hooks.ts'
import type { EventFields, EventKind, StatusEvent } from '../../src/core/status/event.ts'
import { sampleStatus, sampleTunnel, UP } from './status/status-samples.ts'

const AT = '2026-03-01T12:00:00.000Z'
const FIBRE = {
  device: 'pppoe-aaisp',
  state: 'up',
  addresses: ['2001:db8::9', '203.0.113.10'],
  budget: null,
} as const
const STATUS = sampleStatus({ aaisp: UP, cold: sampleTunnel() }, {}, { fibre: FIBRE })

function environmentOf<Kind extends EventKind>(kind: Kind, fields: EventFields[Kind]) {
  return hookEvent({ ...fields, seq: 1, at: AT, event: kind } as StatusEvent, STATUS)?.environment
}

/** The variables without those that are empty, their prefix left out. */
function told<Kind extends EventKind>(kind: Kind, fields: EventFields[Kind]) {
  const environment = environmentOf(kind, fields)
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
  assert.deepEqual(hookEvent({ ...fields, seq: 1, at: AT, event: 'failover' }, STATUS), {
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
  for (const kind of ['start', 'failback', 'manual', 'drill'] as const) {
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
  assert.equal(environmentOf('failback', fields)?.LIFELINE_OUTAGE_MS, '')
})

test('all variables are there even where none applies', () => {
  const environment = environmentOf('internet', { state: 'down', path: null, from: 'ok' })
  assert.equal(environment?.LIFELINE_PATH, '')
  assert.equal(Object.keys(environment ?? {}).length, 10)
})

test('a tunnel comes and goes, with the reason; states between are not told', () => {
  const cause = { code: 'silent', message: 'nothing arrived' } as const
  assert.equal(told('state', { tunnel: 'aaisp', state: 'dialling', from: 'waiting', cause: null }), undefined)
  assert.equal(told('state', { tunnel: 'aaisp', state: 'waiting', from: 'dialling', cause }), undefined)
  assert.equal(told('failed', { tunnel: 'aaisp', ...cause }), undefined)
  const up = told('state', { tunnel: 'aaisp', state: 'up', from: 'configuring', cause })
  assert.deepEqual([up?.EVENT, up?.CAUSE], ['tunnel_up', undefined])
  assert.deepEqual(told('state', { tunnel: 'cold', state: 'waiting', from: 'up', cause: null }), {
    EVENT: 'tunnel_down',
    PATH: 'cold',
    DEVICE: 'l2tp-aaisp',
  })
  const down = told('state', { tunnel: 'aaisp', state: 'closing', from: 'up', cause })
  assert.deepEqual([down?.EVENT, down?.CAUSE], ['tunnel_down', 'nothing arrived'])
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
  assert.equal(told('standby_checked', { path: 'fibre', ok: true, message: 'answers' }), undefined)
})

test('words of a peer end no value early and hold no line breaks', () => {
  const cause = { code: 'terminated', message: 'no\0way\nPATH=/tmp\u009b2J' } as const
  const down = told('state', { tunnel: 'aaisp', state: 'waiting', from: 'up', cause })
  assert.equal(down?.CAUSE, 'no way PATH=/tmp 2J')
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
