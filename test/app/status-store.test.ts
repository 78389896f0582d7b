import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type StatusSections, StatusStore } from '../../src/app/status-store.ts'
import type { StatusEvent } from '../../src/core/status/event.ts'
import { millis } from '../../src/core/time.ts'
import { toldPath } from '../core/status/status-samples.ts'
import { ofKind } from '../events.ts'
import { VirtualClock } from '../virtual-clock.ts'

const START = Date.parse('2026-03-01T12:00:00Z')

const SECTIONS: StatusSections = {
  node: 'router',
  tunnels: [
    { name: 'aaisp', device: 'l2tp-aaisp', defaultroute: true, enabled: true },
    { name: 'off', device: 'l2tp-off', defaultroute: true, enabled: false },
  ],
  uplinks: [{ name: 'fibre', device: { by: 'name', name: 'eth0' } }],
}

function make() {
  const clock = new VirtualClock({ start: 5000, wallOffset: START - 5000 })
  const store = new StatusStore(clock, '0.1.0')
  store.configure(SECTIONS)
  const heard: StatusEvent[] = []
  store.follow((event) => heard.push(event))
  return { clock, store, heard }
}

/** Without the counter and the time. */
function short({ seq: _seq, at: _at, ...rest }: StatusEvent) {
  return rest
}

test('a new configuration shows every section with every key of the contract', () => {
  const { store } = make()
  assert.deepEqual(JSON.parse(JSON.stringify(store.status())), {
    schema: 1,
    version: '0.1.0',
    node: 'router',
    internet: { state: 'down', path: null, ipv4: null, ipv6: null, since: '2026-03-01T12:00:00.000Z' },
    tunnel: {
      aaisp: {
        state: 'waiting',
        since: '2026-03-01T12:00:00.000Z',
        device: 'l2tp-aaisp',
        uplink: null,
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
        rx: { packets: 0, octets: 0, dropped: 0 },
        tx: { packets: 0, octets: 0, dropped: 0 },
        rtt_ms: null,
        loss: null,
        jitter_ms: null,
        attempts: 0,
        retry_at: null,
        last_error: null,
      },
      off: {
        ...JSON.parse(JSON.stringify(store.status().tunnel.aaisp)),
        state: 'disabled',
        device: 'l2tp-off',
      },
    },
    uplink: { fibre: { device: 'eth0', state: 'absent', addresses: [], budget: null } },
    failover: null,
  })
})

test('the keys of a tunnel come in the order of the contract', () => {
  const { store } = make()
  store.tunnel('aaisp', { state: 'up', datapath: 'plain', mtu: 1462, rtt_ms: 1 })
  assert.equal(
    Object.keys(store.status().tunnel.aaisp ?? {}).join(' '),
    'state since device uplink server local peer auth mtu ipv4 ipv6 problem refused dns datapath rx tx rtt_ms loss jitter_ms attempts retry_at last_error',
  )
})

test('what is known of the peer grows', () => {
  const { store } = make()
  store.tunnel('aaisp', { state: 'dialling', peer: { tunnel_id: 9, host_name: 'lns.example', vendor: null } })
  store.tunnel('aaisp', { peer: { session_id: 10 } })
  const peer = { tunnel_id: 9, session_id: 10, host_name: 'lns.example', vendor: null }
  assert.deepEqual(store.status().tunnel.aaisp?.peer, peer)
  store.tunnel('aaisp', { state: 'waiting' })
  assert.equal(store.status().tunnel.aaisp?.peer.host_name, null)
})

test('a dial: states set since, the session is forgotten when the next dial begins, errors stay', () => {
  const { clock, store, heard } = make()
  clock.advance(1000)
  store.tunnel('aaisp', { state: 'dialling', uplink: 'fibre', attempts: 1, server: 'lns.example' })
  clock.advance(40)
  store.tunnel('aaisp', {
    state: 'up',
    ipv4: { address: '203.0.113.10', peer: null, reason: null },
    rx: { packets: 1, octets: 2, dropped: 3 },
  })
  const up = store.status()
  assert.equal(up.tunnel.aaisp?.since, '2026-03-01T12:00:01.040Z')
  assert.equal(up.tunnel.aaisp?.attempts, 0)
  assert.equal(up.tunnel.aaisp?.server, 'lns.example')
  assert.deepEqual(up.internet, {
    state: 'ok',
    path: 'aaisp',
    ipv4: '203.0.113.10',
    ipv6: null,
    since: '2026-03-01T12:00:01.040Z',
  })
  clock.advance(5000)
  store.failed('aaisp', { code: 'silent', seconds: 10 })
  store.tunnel('aaisp', { state: 'waiting', retry_at: millis(clock.now() + 1500) })
  const waiting = store.status().tunnel.aaisp
  assert.equal(waiting?.retry_at, '2026-03-01T12:00:07.540Z')
  assert.equal(waiting?.server, null)
  assert.equal(waiting?.uplink, null)
  assert.deepEqual(waiting?.ipv4, { address: null, peer: null, reason: null })
  assert.deepEqual(waiting?.rx, { packets: 1, octets: 2, dropped: 3 })
  store.tunnel('aaisp', { state: 'dialling' })
  assert.equal(store.status().tunnel.aaisp?.retry_at, null)
  assert.deepEqual(store.status().tunnel.aaisp?.last_error, {
    code: 'silent',
    message: 'nothing arrived from the LNS for 10 s: the line to it is broken, or it was restarted',
    at: '2026-03-01T12:00:06.040Z',
  })
  assert.deepEqual(heard.map(short), [
    { event: 'state', tunnel: 'aaisp', state: 'dialling', from: 'waiting', cause: null },
    { event: 'state', tunnel: 'aaisp', state: 'up', from: 'dialling', cause: null },
    { event: 'internet', state: 'ok', path: 'aaisp', from: 'down' },
    {
      event: 'failed',
      tunnel: 'aaisp',
      code: 'silent',
      message: 'nothing arrived from the LNS for 10 s: the line to it is broken, or it was restarted',
    },
    {
      event: 'state',
      tunnel: 'aaisp',
      state: 'waiting',
      from: 'up',
      cause: {
        code: 'silent',
        message: 'nothing arrived from the LNS for 10 s: the line to it is broken, or it was restarted',
      },
    },
    { event: 'internet', state: 'down', path: null, from: 'ok' },
    { event: 'state', tunnel: 'aaisp', state: 'dialling', from: 'waiting', cause: null },
  ])
  assert.deepEqual(
    heard.map((event) => event.seq),
    [1, 2, 3, 4, 5, 6, 7],
  )
})

test('counters make no event; a snapshot never changes and is the same one until something does', () => {
  const { store, heard } = make()
  const before = store.status()
  const text = JSON.stringify(before)
  assert.equal(store.status(), before)
  store.tunnel('aaisp', { rtt_ms: 8.5, loss: 0, mtu: undefined })
  assert.equal(JSON.stringify(before), text)
  assert.equal(store.status().tunnel.aaisp?.rtt_ms, 8.5)
  assert.equal(store.status().tunnel.aaisp?.mtu, null)
  assert.deepEqual(heard, [])
})

test('who watches hears of what changes, once, and not of figures or of what is as it was', () => {
  const { store, clock } = make()
  let heard = 0
  store.watch(() => heard++)
  const told = (write: () => void) => {
    const before = heard
    write()
    return heard - before
  }
  const figures = { packets: 1, octets: 100, dropped: 0 }
  assert.equal(
    told(() => store.tunnel('aaisp', { rx: figures, tx: figures, rtt_ms: 8.5, loss: 0, jitter_ms: 1 })),
    0,
  )
  assert.deepEqual(store.status().tunnel.aaisp?.rx, figures)
  assert.equal(
    told(() => store.tunnel('aaisp', { mtu: 1462, peer: { vendor: 'x' } })),
    1,
  )
  const snapshot = store.status()
  assert.equal(
    told(() => store.tunnel('aaisp', { mtu: 1462, peer: { vendor: 'x' }, rx: { ...figures } })),
    0,
  )
  assert.equal(store.status(), snapshot)
  assert.equal(
    told(() => store.tunnel('aaisp', { retry_at: clock.now() })),
    1,
  )
  assert.equal(
    told(() => store.uplink('wan9', {})),
    1,
  )
  assert.equal(
    told(() => store.uplink('wan9', { addresses: [] })),
    0,
  )
  assert.equal(
    told(() => store.uplink('wan9', { addresses: ['192.0.2.7'] })),
    1,
  )
})

test('of the paths of failover all is told but their figures, also where one is named like a figure', () => {
  const { store, clock } = make()
  let heard = 0
  store.watch(() => heard++)
  const path = {
    health: 'up',
    reason: '',
    ready: true,
    readiness: 'hot',
    ipv4: 'up',
    ipv6: 'unknown',
    lost: [],
    rtt_ms: 1,
    loss: 0,
    heard_at: null,
  } as const
  store.failover({ active: 'loss', path: { loss: path } })
  assert.equal(heard, 1)
  store.failover({ path: { loss: { ...path, rtt_ms: 2, loss: 0.5, heard_at: clock.now() } } })
  assert.equal(heard, 1)
  assert.equal(store.status().failover?.path.loss?.rtt_ms, 2)
  store.failover({ path: { loss: { ...path, lost: ['ipv6'] } } })
  store.failover({ path: { loss: path, rx: path } })
  store.failover({ path: { loss: path, tx: path } })
  store.failover({ problem: 'something' })
  store.failover({ problem: 'something' })
  assert.equal(heard, 5)
  store.failover({ last_switch: { from: null, to: 'loss', cause: 'x', outage_ms: null } })
  assert.equal(heard, 6)
})

test('who hears of a change sees all of it', () => {
  const { store } = make()
  const seen: string[] = []
  store.follow(({ event }) => {
    const { internet, tunnel } = store.status()
    seen.push(`${event}: ${tunnel.aaisp?.state} ${internet.state}`)
  })
  store.tunnel('aaisp', { state: 'up' })
  assert.deepEqual(seen, ['state: up ok', 'internet: up ok'])
})

test('setting the wall clock moves instants that were recorded before', () => {
  const { clock, store } = make()
  clock.wallOffset = -5000
  store.tunnel('aaisp', { state: 'up' })
  assert.equal(store.status().tunnel.aaisp?.since, '1970-01-01T00:00:00.000Z')
  clock.wallOffset = START - 5000
  clock.advance(1000)
  assert.equal(store.status().tunnel.aaisp?.since, '2026-03-01T12:00:00.000Z')
  const steady = store.status()
  clock.wallOffset += 500
  assert.equal(store.status(), steady)
})

test('a reload keeps what stays, forgets what is gone, and keeps the order of the file', () => {
  const { store } = make()
  store.tunnel('aaisp', { state: 'up' })
  store.uplink('wwan0', { state: 'up', addresses: ['192.0.2.9/24'] })
  store.uplink('fibre', { state: 'up' })
  store.configure({
    node: 'other',
    tunnels: [
      { name: '__proto__', device: 'l2tp-new', defaultroute: false, enabled: true },
      { name: 'aaisp', device: 'l2tp-aaisp', defaultroute: true, enabled: true },
    ],
    uplinks: [],
  })
  const status = store.status()
  assert.equal(status.node, 'other')
  assert.deepEqual(Object.keys(status.tunnel), ['__proto__', 'aaisp'])
  assert.equal(Object.getOwnPropertyDescriptor(status.tunnel, '__proto__')?.value.device, 'l2tp-new')
  assert.equal(status.tunnel.aaisp?.state, 'up')
  assert.deepEqual(Object.keys(status.uplink), ['wwan0'])
  store.removeUplink('wwan0')
  assert.deepEqual(store.status().uplink, {})
})

test('a section that is gone is not written to', () => {
  const { store, heard } = make()
  store.tunnel('gone', { state: 'up' })
  store.failed('gone', { code: 'auth_silent' })
  assert.deepEqual(heard, [])
  assert.equal('gone' in store.status().tunnel, false)
})

test('the record of events is bounded', () => {
  const { store } = make()
  for (let i = 1; i <= 1200; i++) store.event('reloaded', { changes: [`change ${i}`] })
  assert.equal(store.events.length, 500)
  assert.deepEqual(short(store.events[0] as StatusEvent), { event: 'reloaded', changes: ['change 701'] })
  assert.equal(store.events.at(-1)?.seq, 1200)
})

test('an uplink tells of its states only', () => {
  const { store, heard } = make()
  store.uplink('fibre', { state: 'up', addresses: ['192.0.2.7/24'] })
  store.uplink('fibre', { addresses: ['192.0.2.8/24'] })
  assert.deepEqual(heard.map(short), [
    { event: 'uplink', uplink: 'fibre', state: 'up', from: 'absent' },
    { event: 'internet', state: 'backup', path: 'fibre', from: 'down' },
  ])
})

test('failover has instants of its own, and decides what the internet is', () => {
  const { clock, store, heard } = make()
  assert.equal(store.status().failover, null)
  const fibre = toldPath({ reason: '', rtt_ms: 8 })
  const path = { fibre, aaisp: { ...fibre, readiness: 'warm' } } as const
  store.uplink('fibre', { state: 'up', addresses: ['192.0.2.7/24', '2001:db8::7/64'] })
  store.failover({ active: 'fibre', path })
  assert.deepEqual(store.status().failover, {
    mode: 'auto',
    active: 'fibre',
    since: '2026-03-01T12:00:00.000Z',
    problem: null,
    path,
    last_switch: null,
    backup: null,
    standby_check: null,
  })
  const { since: _since, ...internet } = store.status().internet
  assert.deepEqual(internet, { state: 'ok', path: 'fibre', ipv4: '192.0.2.7', ipv6: '2001:db8::7' })

  clock.advance(60_000)
  const last = { from: 'fibre', to: 'aaisp', cause: 'fibre: lost carrier', outage_ms: 412 }
  store.tunnel('aaisp', { ipv4: { address: '203.0.113.10', peer: null, reason: null } })
  store.failover({ active: 'aaisp', last_switch: last, problem: undefined as never })
  store.failover({ mode: 'auto' })
  const at = '2026-03-01T12:01:00.000Z'
  const status = store.status()
  assert.deepEqual(status.failover, {
    mode: 'auto',
    active: 'aaisp',
    since: at,
    problem: null,
    path,
    last_switch: { at, ...last },
    backup: null,
    standby_check: null,
  })
  assert.deepEqual(status.internet, {
    state: 'backup',
    path: 'aaisp',
    ipv4: '203.0.113.10',
    ipv6: null,
    since: at,
  })

  store.failover({ active: null })
  assert.deepEqual(store.status().internet.state, 'down')
  store.failover(undefined)
  assert.equal(store.status().failover, null)
  assert.equal(store.status().internet.path, 'fibre')
  assert.deepEqual(
    ofKind(heard, 'internet').map(({ state, path }) => [state, path]),
    [
      ['backup', 'fibre'],
      ['ok', 'fibre'],
      ['backup', 'aaisp'],
      ['down', null],
      ['backup', 'fibre'],
    ],
  )
})

test('an uplink shows its budget', () => {
  const { store } = make()
  const budget = { used: 1, limit: null, period_start: null }
  store.uplink('fibre', { budget })
  store.uplink('fibre', { state: 'up' })
  assert.deepEqual(store.status().uplink.fibre?.budget, budget)
})
