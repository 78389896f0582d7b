import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { EventTranslator, SWITCH_EVENTS } from '../../../src/core/homeassistant/events.ts'
import {
  problemOf,
  statePayload,
  tunnelStatePayload,
  tunnelStatsPayload,
  uplinkStatePayload,
  uplinkStatsPayload,
} from '../../../src/core/homeassistant/payloads.ts'
import { defaultBase, objectIdOf, Topics } from '../../../src/core/homeassistant/topics.ts'
import type { EventFields, EventKind, StatusEvent } from '../../../src/core/status/event.ts'
import type { TunnelStatus, UplinkStatus } from '../../../src/core/status/status.ts'
import { sampleStatus, sampleTunnel, UP, WRONG_PASSWORD } from '../status/status-samples.ts'
import { AAISP, LTE, onBackup, samplePayloads } from './samples.ts'

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
    const tunnel = { ...UP, ipv6: { interface_id: null, addresses, reason: null } }
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

/** What a translator makes of one more event, without its time. */
function publishedBy(translator: EventTranslator) {
  return <Kind extends EventKind>(kind: Kind, fields: EventFields[Kind]) => {
    const payload = translator.translate({ ...fields, seq: 1, at: 'now', event: kind } as StatusEvent)
    if (payload === undefined) return undefined
    const { at, ...rest } = payload
    assert.equal(at, 'now')
    return rest
  }
}

test('events say why a tunnel went down', () => {
  const told = publishedBy(new EventTranslator())
  const cause = { code: 'silent', message: 'nothing arrived' } as const
  assert.equal(told('state', { tunnel: 'a', state: 'dialling', from: 'waiting', cause: null }), undefined)
  assert.equal(told('state', { tunnel: 'a', state: 'waiting', from: 'dialling', cause }), undefined)
  assert.deepEqual(told('failed', { tunnel: 'a', ...cause }), {
    event_type: 'tunnel_failed',
    tunnel: 'a',
    code: 'silent',
    message: 'nothing arrived',
  })
  const down = { event_type: 'tunnel_down', tunnel: 'a' }
  assert.deepEqual(told('state', { tunnel: 'a', state: 'waiting', from: 'up', cause }), {
    ...down,
    code: 'silent',
    cause: 'nothing arrived',
  })
  assert.deepEqual(told('state', { tunnel: 'a', state: 'up', from: 'configuring', cause }), {
    event_type: 'tunnel_up',
    tunnel: 'a',
  })
  assert.deepEqual(told('state', { tunnel: 'a', state: 'closing', from: 'up', cause: null }), {
    ...down,
    code: 'ended_here',
    cause: 'lifeline ended the session itself',
  })
})

test('uplinks come and go, and switches are told as they are', () => {
  const told = publishedBy(new EventTranslator())
  assert.equal(told('uplink', { uplink: 'lte', state: 'down', from: 'absent' }), undefined)
  assert.deepEqual(told('uplink', { uplink: 'lte', state: 'no_address', from: 'up' }), {
    event_type: 'uplink_down',
    uplink: 'lte',
    state: 'no_address',
  })
  const fields = { from: 'fibre', to: 'aaisp', cause: 'x', outage_ms: 4 }
  assert.deepEqual(told('failover', fields), { event_type: 'failover', ...fields })
})

test('each switch and each volume has its true cause, and only who failed over comes back', () => {
  const told = publishedBy(new EventTranslator())
  const back = { from: 'lte', to: 'fibre', cause: 'fibre works again', outage_ms: null }
  assert.deepEqual(told('failback', back), { event_type: 'start', ...back }, 'a start on the backup')
  told('failover', { from: 'fibre', to: 'lte', cause: 'fibre: lost carrier', outage_ms: 400 })
  assert.deepEqual(told('failback_failed', { path: 'fibre', next_delay_ms: 20_000 }), {
    event_type: 'failback_failed',
    cause: 'fibre did not carry traffic after all',
    path: 'fibre',
    next_delay_ms: 20_000,
  })
  assert.deepEqual(told('failback', back), { event_type: 'failback', ...back })
  assert.equal(told('failback', back)?.event_type, 'start')
  const asked = { from: 'fibre', to: 'lte', cause: 'use lte', outage_ms: null }
  assert.deepEqual(told('manual', asked), { event_type: 'manual', ...asked })
  const budget = { uplink: 'lte', percent: 80, used: 4, limit: 5 } as const
  assert.deepEqual(told('budget', budget), {
    event_type: 'budget_warning',
    cause: "80 % of this month's volume of lte are used",
    ...budget,
  })
  for (const type of ['failover', 'failback', 'manual', 'drill', 'failback_failed'])
    assert.ok(SWITCH_EVENTS.includes(type), type)
})

test('an address is external where the internet sees it', () => {
  const seen = (ipv4: string | null, ipv6: string | null = null) => {
    const { external_ipv4, external_ipv6 } = statePayload(
      sampleStatus({ a: UP }, { state: 'ok', path: 'a', ipv4, ipv6 }),
      0,
    )
    return [external_ipv4, external_ipv6]
  }
  assert.deepEqual(seen('203.0.113.10', '2001:db8::10'), ['203.0.113.10', '2001:db8::10'])
  for (const own of ['192.168.100.7', '100.64.1.2', '10.0.0.1', '172.31.0.1', '169.254.1.1'])
    assert.deepEqual(seen(own, 'fd00::7'), [null, null], own)
  assert.deepEqual(seen(null), [null, null])
})

test('what works is what gets traffic through, not what has a link', () => {
  const { status, path } = { status: onBackup(), path: onBackup().failover?.path ?? {} }
  const uplink = (name: string, change: Partial<UplinkStatus>, paths = path) => {
    const failover = status.failover && { ...status.failover, path: paths }
    return uplinkStatePayload(name, { ...LTE, ...change }, { ...status, failover }).works
  }
  assert.equal(uplink('fibre', {}), false, 'its probes are not answered')
  assert.equal(uplink('lte', {}), true)
  assert.equal(uplink('lte', { state: 'no_address' }), false)
  assert.equal(uplink('other', {}), null, 'nobody looks')
  const tunnel = (change: Partial<TunnelStatus>, change2: object, failover = true) => {
    const paths = { aaisp: { ...path.aaisp, ...change2 } } as typeof path
    const shown = failover && status.failover ? { ...status.failover, path: paths } : null
    return tunnelStatePayload('aaisp', { ...AAISP, ...change }, { ...status, failover: shown }).works
  }
  assert.equal(tunnel({}, {}), true)
  assert.equal(tunnel({}, { health: 'down' }), false, 'a session that carries nothing')
  assert.equal(tunnel({ state: 'waiting' }, { readiness: 'warm', health: 'down' }), null, 'it stands by')
  assert.equal(tunnel({ state: 'dialling' }, { readiness: 'hot', health: 'down' }), false)
  assert.equal(tunnel({ state: 'dialling' }, {}, false), false)
  assert.equal(tunnel({}, {}, false), true)
})

test('uplinks are counted by their devices, and a budget says how much of it is used', () => {
  const stats = uplinkStatsPayload(
    'lte',
    LTE,
    onBackup(),
    'now',
    { at: 2000, rx: 1000, tx: 100 },
    { at: 1000, rx: 500, tx: 50 },
  )
  const { rx_rate, tx_rate, rx_octets, tx_octets, month_percent } = stats
  assert.deepEqual([rx_rate, tx_rate, rx_octets, tx_octets, month_percent], [4000, 400, 1000, 100, 80])
  const absent = uplinkStatsPayload('lte', { ...LTE, budget: null }, onBackup(), 'now')
  assert.deepEqual([absent.rx_rate, absent.rx_octets, absent.month_percent], [null, null, null])
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
