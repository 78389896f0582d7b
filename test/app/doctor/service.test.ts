import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkServiceTun } from '../../../src/app/doctor/service.ts'
import { probe } from './situation.ts'

const UNIT = '/etc/systemd/system/lifeline.service'
const OURS = readFileSync('.debian/lifeline.service', 'utf8')
const FILES = {
  [UNIT]: OURS,
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nlifeline:x:990:985::/nonexistent:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nlifeline:x:985:\nkvm:x:104:lifeline\n',
}

function found(mode: readonly [number, number, number], files: Record<string, string> = {}): string[] {
  const all = { ...FILES, ...files }
  return checkServiceTun(probe(all, {}, {}, { '/dev/net/tun': mode })).map(
    ({ severity, message }) => `${severity}: ${message}`,
  )
}

test('a device that root alone may open is closed to the user of the service', () => {
  assert.deepEqual(found([0o600, 0, 0]), [
    'problem: /dev/net/tun is closed to the user lifeline of the service (its mode is 0600), though not to you',
  ])
  assert.deepEqual(found([0o666, 0, 0]), [])
})

test('owner and groups count as in the kernel: the first class that fits decides', () => {
  assert.deepEqual(found([0o660, 0, 985]), [])
  assert.deepEqual(found([0o660, 0, 104]), [], 'a member by /etc/group')
  assert.equal(found([0o660, 0, 7]).length, 1)
  assert.deepEqual(found([0o600, 990, 0]), [])
  assert.equal(found([0o066, 990, 0]).length, 1)
})

test('drop-ins are read: what hides the device, what forbids it, and a service that runs as root', () => {
  const dropIn = (text: string) => ({ [`${UNIT}.d/10-own.conf`]: `[Service]\n${text}\n` })
  assert.match(
    found([0o666, 0, 0], dropIn('PrivateDevices=yes'))[0] ?? '',
    /does not see .*PrivateDevices=yes/,
  )
  assert.match(found([0o666, 0, 0], dropIn('DeviceAllow='))[0] ?? '', /may not use .*DevicePolicy=closed/)
  assert.deepEqual(found([0o600, 0, 0], dropIn('User=root')), [])
})

test('without a service there is nothing to say', () => {
  assert.deepEqual(checkServiceTun(probe({}, {}, {}, { '/dev/net/tun': [0o600, 0, 0] })), [])
  assert.deepEqual(checkServiceTun(probe(FILES)), [])
})
