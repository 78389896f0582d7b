import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TunnelView, tunnelPatch } from '../../../src/app/tunnel/tunnel-status.ts'

function shown(host: string, port: number, address: string) {
  const attempt = { id: 1, uplink: { name: 'fibre', id: 'fibre' }, server: { host, port }, address }
  const dialer = { name: 'recalling', attempt } as unknown as TunnelView['dialer']
  const rest = { disabled: false, phase: undefined, applied: false, dials: 0 }
  return tunnelPatch({ ...rest, dialer, session: undefined }).server
}

test('the server has its address, and its port if that is not the usual one', () => {
  assert.equal(shown('lns.example', 1701, '192.0.2.1'), 'lns.example (192.0.2.1)')
  assert.equal(shown('lns.example', 1702, '192.0.2.1'), 'lns.example:1702 (192.0.2.1)')
  assert.equal(shown('192.0.2.1', 1701, '192.0.2.1'), '192.0.2.1')
  assert.equal(shown('192.0.2.1', 1702, '192.0.2.1'), '192.0.2.1:1702')
  assert.equal(shown('2001:db8::1', 1702, '2001:db8::1'), '[2001:db8::1]:1702')
})
