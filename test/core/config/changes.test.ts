import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  changedLifeline,
  changedTunnels,
  changedUplinks,
  concernsPaths,
} from '../../../src/core/config/changes.ts'
import type { Config } from '../../../src/core/config/types.ts'
import { mustRead } from './reading.ts'

const TUNNEL = { server: 'lns.example', username: 'alice', password: 'wonderland' }

function config(content: unknown): Config {
  return mustRead('json', JSON.stringify(content)).config
}

function tunnels(options: Readonly<Record<string, object>>): Config {
  const named = Object.entries(options).map(([name, changes]) => [name, { ...TUNNEL, ...changes }])
  return config({ tunnel: Object.fromEntries(named) })
}

function changes(old: Config, next: Config) {
  const { added, removed, changed } = changedTunnels(old, next)
  return { added, removed, changed: Object.fromEntries(changed) }
}

test('nothing changed, in whichever notation, order, or file of a secret', () => {
  const nothing = { added: [], removed: [], changed: {} }
  assert.deepEqual(changes(tunnels({ a: {}, b: {} }), tunnels({ b: {}, a: {} })), nothing)
  const explicit = tunnels({
    a: { mtu: 'auto', ipv6: 'on', hello_interval: '25000ms', device: 'l2tp-a', auth: ['chap', 'mschapv2'] },
  })
  assert.deepEqual(changes(tunnels({ a: {} }), explicit), nothing)
  const fromFile = tunnels({ a: { password: null, password_file: '/etc/lifeline/aaisp' } })
  assert.deepEqual(changes(tunnels({ a: {} }), fromFile), nothing)
})

test('tunnels that came, went and changed', () => {
  const old = tunnels({ gone: {}, same: {}, other: { mtu: 1460 } })
  const next = tunnels({
    same: {},
    other: { mtu: 1400, password: 'looking-glass', server: ['lns.example:1702'] },
    fresh: {},
  })
  assert.deepEqual(changes(old, next), {
    added: ['fresh'],
    removed: ['gone'],
    changed: { other: ['server', 'password', 'mtu'] },
  })
})

test('every option counts', () => {
  const other: Readonly<Record<string, unknown>> = {
    server: ['lns.example', 'lns2.example'],
    username: 'bob',
    password: 'looking-glass',
    tunnel_secret: 'x',
    device: 'l2tp0',
    auth: ['mschapv2', 'chap'],
    mtu: 1400,
    ipv6: false,
    ipaddr: '192.0.2.1',
    ip6addr: '2001:db8::1',
    ip6prefix: '2001:db8::/56',
    defaultroute: false,
    ip4table: 9,
    ip6table: 9,
    peerdns: true,
    hello_interval: 26,
    echo_interval: 2,
    echo_failures: 11,
    local_port: 1701,
    firewall: 'none',
    enabled: false,
  }
  for (const [option, value] of Object.entries(other)) {
    const expected = { added: [], removed: [], changed: { a: [option] } }
    assert.deepEqual(changes(tunnels({ a: {} }), tunnels({ a: { [option]: value } })), expected)
    assert.deepEqual(changes(tunnels({ a: { [option]: value } }), tunnels({ a: {} })), expected)
  }
})

test('uplinks and the section lifeline', () => {
  const old = config({
    uplink: { gone: { device: 'eth0' }, same: { device: 'eth1' }, other: { device: 'eth2' } },
  })
  const next = config({
    lifeline: { main: { log_level: 'debug', table_base: 17010 } },
    uplink: {
      same: { device: 'eth1' },
      other: { device: 'eth2', dns: '192.0.2.53' },
      fresh: { device: 'eth3' },
    },
  })
  assert.deepEqual(changedUplinks(old, next), ['gone', 'other', 'fresh'])
  assert.deepEqual(changedUplinks(next, next), [])
  assert.deepEqual(changedLifeline(old, next), ['log_level'])
  assert.deepEqual(changedLifeline(old, old), [])
})

test('the choice of path begins anew only where a path, its probes or its routes may be others', () => {
  const plain = {
    uplink: { fibre: { device: 'eth0' } },
    tunnel: { aaisp: TUNNEL },
    failover: { failover: { path: ['fibre', 'aaisp'] } },
  }
  const concerns = (change: object) => concernsPaths(config(plain), config({ ...plain, ...change }))
  for (const change of [
    {},
    { lifeline: { main: { log_level: 'debug', node: 'router', state_dir: '/tmp/x' } } },
    { firewall: { internet: { lan: 'lan' } } },
    { mqtt: { home: { url: 'mqtt://broker.example' } } },
  ])
    assert.equal(concerns(change), false, JSON.stringify(change))
  for (const change of [
    { lifeline: { main: { table_base: 20000 } } },
    { uplink: { fibre: { device: 'eth0', probe: '9.9.9.9' } } },
    { tunnel: { aaisp: { ...TUNNEL, standby: 'cold' } } },
    { tunnel: { aaisp: TUNNEL, other: TUNNEL } },
    { failover: { failover: { path: ['fibre', 'aaisp'], probe_down: 3 } } },
    { failover: {} },
  ])
    assert.equal(concerns(change), true, JSON.stringify(change))
})
