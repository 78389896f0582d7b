import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressLog } from '../../src/app/address-log.ts'
import { LineLog } from '../../src/app/log.ts'
import type { TunnelPatch } from '../../src/app/status-store.ts'
import { StatusStore } from '../../src/app/status-store.ts'
import { FakeClock } from './fake-system.ts'

test('the log says which addresses a session has obtained, once, and those that come later', () => {
  const lines: string[] = []
  const status = new StatusStore(new FakeClock(), 'test')
  const write = (line: string) => void lines.push(line.trimEnd())
  new AddressLog(status, new LineLog({ level: 'info', style: 'daemon', write }))
  const tunnels = [{ name: 'aaisp', device: 'l2tp-aaisp', defaultroute: true, enabled: true }]
  status.configure({ node: 'router', tunnels, uplinks: [] })
  const show = (patch: TunnelPatch) => status.tunnel('aaisp', patch)
  const ipv4 = { address: '203.0.113.10', peer: '203.0.113.1', reason: null }
  show({ state: 'configuring', ipv4, mtu: 1462 })
  assert.deepEqual(lines, [])
  show({ state: 'up' })
  show({ rtt_ms: 12 })
  assert.deepEqual(lines.splice(0), [
    'info: addresses tunnel=aaisp ipv4=203.0.113.10 peer=203.0.113.1 ipv6=none mtu=1462',
  ])
  show({
    ipv6: { interface_id: '0:0:0:1', addresses: ['2001:db8::1/64', 'fe80::1/64'], reason: null },
    dns: ['192.0.2.53'],
  })
  assert.deepEqual(lines.splice(0), [
    'info: addresses tunnel=aaisp ipv4=203.0.113.10 peer=203.0.113.1 ipv6=2001:db8::1/64,fe80::1/64 dns=192.0.2.53 mtu=1462',
  ])
  // The next session is told as well, though it gets the same.
  show({ state: 'dialling' })
  show({ state: 'configuring', ipv4 })
  show({ state: 'up' })
  assert.deepEqual(lines, ['info: addresses tunnel=aaisp ipv4=203.0.113.10 peer=203.0.113.1 ipv6=none'])
})
