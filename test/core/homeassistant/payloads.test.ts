import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { EventTranslator } from '../../../src/core/homeassistant/events.ts'
import {
  problemOf,
  statePayload,
  tunnelStatePayload,
  tunnelStatsPayload,
} from '../../../src/core/homeassistant/payloads.ts'
import { defaultBase, objectIdOf, Topics } from '../../../src/core/homeassistant/topics.ts'
import { sampleStatus, sampleTunnel, UP, WRONG_PASSWORD } from '../status-samples.ts'
import { AAISP, samplePayloads } from './samples.ts'

test('the payloads are those of the golden file', () => {
  const golden = 'test/fixtures/homeassistant/payloads.json'
  const text = `${JSON.stringify(samplePayloads(), null, 2)}\n`
  // After a wanted change: LIFELINE_GOLDEN=write, and read the difference.
  if (process.env.LIFELINE_GOLDEN === 'write') writeFileSync(golden, text)
  assert.equal(text, readFileSync(golden, 'utf8'))
})

test('without failover the keys are the same', () => {
  const status = sampleStatus({ aaisp: AAISP }, { state: 'ok', path: 'aaisp' })
  const with_ = samplePayloads()
  assert.deepEqual(Object.keys(statePayload(status, 0)), Object.keys(Object(with_.state)))
  assert.deepEqual(
    Object.keys(tunnelStatePayload('aaisp', AAISP, status)),
    Object.keys(Object(with_['tunnel/state'])),
  )
  assert.equal(statePayload(status, 0).mode, null)
})

test('a problem is one clause that does not change while it lasts', () => {
  assert.equal(problemOf(sampleStatus({ a: UP }, { state: 'ok', path: 'a' })), null)
  assert.equal(problemOf(sampleStatus({ a: UP }, { state: 'down', path: null })), 'there is no internet')
  const down = sampleTunnel({ last_error: WRONG_PASSWORD, retry_at: '2026-03-01T12:00:07Z', attempts: 3 })
  const status = sampleStatus({ a: UP, b: down }, { state: 'ok', path: 'a' })
  assert.equal(problemOf(status), 'the tunnel b is not up: the LNS refused user name or password (chap)')
  const off = sampleTunnel({ state: 'disabled' })
  assert.equal(problemOf(sampleStatus({ a: UP, b: off }, { state: 'ok', path: 'a' })), null)
})

test('the prefix of a tunnel is that of its first global address', () => {
  const prefix = (...addresses: string[]) => {
    const tunnel = { ...UP, ipv6: { interface_id: null, addresses } }
    return tunnelStatePayload('a', tunnel, sampleStatus({ a: tunnel })).ipv6_prefix
  }
  assert.equal(prefix('fe80::1/64', '2001:db8:1:2:3::4/64'), '2001:db8:1:2::/64')
  assert.equal(prefix('febf::1/64', '2001:db8:1:23ff::4/57'), '2001:db8:1:2380::/57')
  assert.equal(prefix('2001:db8::4/128'), '2001:db8::4/128')
  assert.equal(prefix('fe80::1/64'), null)
})

test('rates begin anew with a new device', () => {
  const stats = (rx: number, before?: { at: number; rx: number; tx: number }) =>
    tunnelStatsPayload(UP, 'now', { at: 2000, rx, tx: 0 }, before).rx_rate
  assert.equal(stats(1000), null)
  assert.equal(stats(1000, { at: 1000, rx: 500, tx: 0 }), 4000)
  assert.equal(stats(10, { at: 1000, rx: 500, tx: 0 }), null)
  assert.equal(stats(1000, { at: 2000, rx: 500, tx: 0 }), null)
})

test('a tunnel that is down has no round-trip time to tell', () => {
  const { rtt_ms, loss, jitter_ms } = tunnelStatsPayload(
    { ...UP, state: 'waiting' },
    'now',
    { at: 1, rx: 0, tx: 0 },
    undefined,
  )
  assert.deepEqual([rtt_ms, loss, jitter_ms], [null, null, null])
})

test('events say why a tunnel went down, and only of that time', () => {
  const translator = new EventTranslator()
  const at = '2026-03-01T12:00:00Z'
  const told = (event: string, fields: object) => {
    const payload = translator.translate({ seq: 1, at, event, ...fields })
    return payload && { ...payload, at: undefined }
  }
  const plain = (payload: object | undefined) => payload && JSON.parse(JSON.stringify(payload))
  assert.equal(told('state', { tunnel: 'a', state: 'dialling', from: 'waiting' }), undefined)
  assert.deepEqual(plain(told('failed', { tunnel: 'a', code: 'silent', message: 'nothing arrived' })), {
    event_type: 'tunnel_failed',
    tunnel: 'a',
    code: 'silent',
    message: 'nothing arrived',
  })
  const down = { event_type: 'tunnel_down', tunnel: 'a' }
  assert.deepEqual(plain(told('state', { tunnel: 'a', state: 'waiting', from: 'up' })), {
    ...down,
    code: 'silent',
    cause: 'nothing arrived',
  })
  assert.deepEqual(plain(told('state', { tunnel: 'a', state: 'up', from: 'configuring' })), {
    event_type: 'tunnel_up',
    tunnel: 'a',
  })
  assert.deepEqual(plain(told('state', { tunnel: 'a', state: 'closing', from: 'up' })), {
    ...down,
    code: null,
    cause: null,
  })
  assert.equal(told('uplink', { uplink: 'lte', state: 'down', from: 'absent' }), undefined)
  assert.equal(
    plain(told('uplink', { uplink: 'lte', state: 'no_address', from: 'up' }))?.event_type,
    'uplink_down',
  )
  assert.deepEqual(plain(told('failover', { from: 'fibre', to: 'aaisp', cause: 'x', outage_ms: 4 })), {
    event_type: 'failover',
    from: 'fibre',
    to: 'aaisp',
    cause: 'x',
    outage_ms: 4,
  })
})

test('names that topics or Home Assistant do not take are made fit', () => {
  assert.equal(defaultBase('a+b'), 'lifeline/a_b')
  assert.equal(objectIdOf('Router-1.lan'), 'lifeline_Router-1_lan')
  const topics = new Topics('x/y')
  assert.equal(topics.uplinkState('wan+#'), 'x/y/uplink/wan__/state')
  assert.equal(topics.commandOf('x/y/cmd'), '')
  assert.equal(topics.commandOf('x/y/cmd/use'), 'use')
  assert.equal(topics.commandOf('x/y/cmdx'), undefined)
  assert.equal(topics.commandOf('x/y/status'), undefined)
})
