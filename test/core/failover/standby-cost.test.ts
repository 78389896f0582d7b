import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatStandbyCost, standbyCosts } from '../../../src/core/failover/standby-cost.ts'
import { fixture, mustRead } from '../config/reading.ts'

const TUNNEL = { server: 'lns.example', username: 'alice', password: 'wonderland' }

function costs(
  tunnel: object,
  lte: object = { metered: true },
  path = ['fibre', 'aaisp', 'lte'],
  options: object = {},
) {
  const content = {
    uplink: { fibre: { device: 'eth0' }, lte: { device: 'wwan0', ...lte } },
    tunnel: { aaisp: { ...TUNNEL, ...tunnel } },
    failover: { failover: { path, ...options } },
  }
  return standbyCosts(mustRead('json', JSON.stringify(content)).config)
}

/** Octets of each part, by path and what it is. */
function parts(...args: Parameters<typeof costs>) {
  const [cost] = costs(...args)
  return Object.fromEntries((cost?.parts ?? []).map(({ path, what, octets }) => [`${path} ${what}`, octets]))
}

// 30 days hold 43,200 minutes, 103,680 spans of 25 s and 2,592,000 seconds.
// Two resolvers (65 octets and 276) and two pings of 64 octets, in turn.
// Of IPv4 in turn, and of IPv6 beside.
const LTE = { 'lte probes': 43_200 * ((341 + 128) / 2 + 128) }

test('the line of the README', () => {
  const { config } = mustRead('uci', fixture('failover.uci'))
  assert.deepEqual(standbyCosts(config).map(formatStandbyCost), [
    'standing by costs about 28.9 MB a month: HELLOs of aaisp 13.3 MB, probes of lte 15.7 MB',
  ])
})

test('a tunnel costs what it keeps', () => {
  const hellos = { 'aaisp HELLOs': 103_680 * (68 + 60) }
  assert.deepEqual(parts({ standby: 'cold' }), LTE)
  assert.deepEqual(parts({ standby: 'warm' }), { ...hellos, ...LTE })
  assert.deepEqual(parts({ standby: 'auto' }), { ...hellos, ...LTE })
  assert.deepEqual(parts({ standby: 'hot' }), {
    ...hellos,
    'aaisp LCP echoes': 2 * 2_592_000 * 2 * 66,
    'aaisp probes': 43_200 * ((341 + 128) / 2 + 128 + 2 * 2 * 58),
    ...LTE,
  })
  const slow = { standby: 'hot', hello_interval: '1m', echo_interval: 10 }
  assert.equal(parts(slow)['aaisp HELLOs'], 43_200 * 128)
  assert.equal(parts(slow)['aaisp LCP echoes'], (259_200 + 2_592_000) * 132)
})

test('probes cost what their kind does, in turn', () => {
  assert.deepEqual(parts({ standby: 'cold' }, { metered: true, probe: ['tcp:192.0.2.1:443', '192.0.2.1'] }), {
    'lte probes': 43_200 * ((292 + 128) / 2),
  })
})

test('nothing is asked for what is not metered, not standing by, or carried elsewhere', () => {
  assert.deepEqual(costs({}, {}), [])
  assert.deepEqual(parts({ uplink: ['fibre', 'lte'] }), LTE)
  assert.deepEqual(parts({}, { metered: true }, ['lte', 'aaisp', 'fibre']), {})
  assert.deepEqual(parts({ enabled: false }), LTE)
  assert.deepEqual(Object.keys(parts({ uplink: 'lte' }, { metered: true }, ['fibre', 'aaisp'])), [
    'aaisp HELLOs',
  ])
})

test('tests cost a dial and one probe of each target, at each of their times', () => {
  const tested = (standby_check: string) =>
    parts({ standby: 'cold' }, undefined, undefined, { standby_check })
  // Two resolvers and four anycast addresses.
  const all = 2 * 341 + 4 * 128
  assert.deepEqual(tested('daily 04:00'), {
    'aaisp tests': 30 * (5000 + all + 6 * 2 * 58),
    ...LTE,
    'lte tests': 30 * all,
  })
  assert.equal(tested('sun 04:00')['lte tests'], (30 / 7) * all)
  assert.deepEqual(tested('off'), LTE)
})
