import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkForwarding } from '../../../src/app/doctor/forwarding.ts'
import { addressOn, linkOf } from '../../core/system/samples.ts'
import { situation, sysctls } from './situation.ts'

const V4 = (device: string) => `net/ipv4/conf/${device}/forwarding`
const V6 = 'net/ipv6/conf/all/forwarding'
const ON = { [V4('default')]: '1', [V4('br-lan')]: '1', [V4('eth0')]: '1', [V6]: '1' }

function found(
  settings: Record<string, string>,
  options: { firewall?: object; tunnel?: object; lan6?: boolean } = {},
) {
  const { firewall = { lan: 'br-lan' }, tunnel = {}, lan6 = false } = options
  const text = JSON.stringify({
    uplink: { fibre: { device: 'eth0' } },
    tunnel: { aaisp: { server: '192.0.2.1', username: 'a', password: 'b', ...tunnel } },
    failover: { main: { path: ['fibre', 'aaisp'] } },
    firewall: { internet: firewall },
  })
  const facts = {
    links: [linkOf(2, 'eth0'), linkOf(4, 'br-lan')],
    addresses: lan6 ? [addressOn(4, '2001:db8:2::1/64')] : [],
  }
  return checkForwarding(sysctls(settings), situation(text, facts)).map(
    ({ severity, message }) => `${severity}: ${message}`,
  )
}

test('on everywhere: that is said; without a LAN nothing is', () => {
  assert.deepEqual(found(ON), ['ok: the kernel forwards what comes from the LAN and for it'])
  assert.deepEqual(found({ [V6]: '0', [V4('default')]: '0' }, { firewall: {} }), [])
})

test('IPv4: the device that a packet came in on decides, and one that is yet to come begins with the default', () => {
  assert.deepEqual(found({ ...ON, [V4('br-lan')]: '0' }), [
    'warning: the kernel does not forward IPv4 that comes in on br-lan: what the LAN sends, or the answers, end here',
  ])
  assert.deepEqual(found({ ...ON, [V4('default')]: '0', [V4('eth0')]: '0\n' }), [
    'warning: the kernel does not forward IPv4 that comes in on l2tp-aaisp, eth0: what the LAN sends, or the answers, end here',
  ])
})

test('IPv6: one switch for all; a fault where the LAN has addresses for it, else good to know', () => {
  const text = 'the kernel does not forward IPv6: the LAN has none through this machine'
  assert.deepEqual(found({ ...ON, [V6]: '0' }), [`note: ${text}`])
  assert.deepEqual(found({ ...ON, [V6]: '0' }, { lan6: true }), [`warning: ${text}`])
  assert.deepEqual(found({ ...ON, [V6]: '0' }, { tunnel: { ip6prefix: '2001:db8:9::/56' } }), [
    `warning: ${text}`,
  ])
  assert.match(found({ ...ON, [V6]: '0' }, { tunnel: { ipv6: '0' } })[0] ?? '', /^ok/)
})

test('a host of the LAN that is to be reached needs it as well, though no device is named', () => {
  const firewall = { allow_forward: '443/tcp=2001:db8:2::5' }
  assert.deepEqual(found({ ...ON, [V6]: '0' }, { firewall }), [
    'warning: the kernel does not forward IPv6: the LAN has none through this machine',
  ])
})
