/** What the adapters of devices and data paths make of the addon's answers; the addon itself is held in net/native. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SystemError } from '../../src/app/ports.ts'
import type { DataSession } from '../../src/app/tuns.ts'
import { NativeDataPaths } from '../../src/host/data-paths.ts'
import { NativeDatagrams } from '../../src/host/datagrams.ts'
import { NativeTuns } from '../../src/host/tuns.ts'
import { dataSession } from '../memory-tuns.ts'
import { FakeAddon } from './fake-addon.ts'

const [EPERM, EBUSY, EINVAL, EBADFD, ENETDOWN] = [1, 16, 22, 77, 100]

function deviceOf(addon: FakeAddon, onGone?: () => void) {
  const device = new NativeTuns(addon).open('l2tp-x', onGone)
  addon.take()
  return device
}

const refusedAs = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof SystemError && error.code === code && words.test(error.message)

test('why a device cannot be opened is said in words', () => {
  const addon = new FakeAddon()
  for (const [errno, code, words] of [
    [EBUSY, 'EBUSY', /l2tp-x \(another process carries it\)/],
    [EINVAL, 'EINVAL', /another kind of device/],
    [EPERM, 'EPERM', /CAP_NET_ADMIN/],
    [ENETDOWN, 'ENETDOWN', /l2tp-x: ENETDOWN$/],
  ] as const) {
    addon.answers.openTun = -errno
    assert.throws(() => new NativeTuns(addon).open('l2tp-x'), refusedAs(code, words))
  }
})

test('that a device is gone is told once, and not of one that was closed', () => {
  const addon = new FakeAddon()
  let gone = 0
  const device = deviceOf(addon, () => gone++)
  addon.arrive(0, { error: EBADFD })
  addon.arrive(0, { error: EBADFD })
  assert.equal(gone, 1)
  device.close()
  const closed = new NativeTuns(addon).open('l2tp-y', () => gone++)
  closed.close()
  addon.arrive(1, { error: EBADFD })
  assert.equal(gone, 1)
})

test('a device that somebody removed refuses nothing, whether that is told already or not', () => {
  const addon = new FakeAddon()
  const device = deviceOf(addon)
  addon.answers.setCarrier = addon.answers.unpersist = -EBADFD
  device.setCarrier(true)
  addon.arrive(0, { error: EBADFD })
  addon.answers.setCarrier = addon.answers.unpersist = -ENETDOWN
  device.setCarrier(false)
  device.destroy()
  assert.deepEqual(addon.take().at(-1), ['close', 0])
})

test('a device that cannot be removed is let go of all the same', () => {
  const addon = new FakeAddon()
  const device = deviceOf(addon)
  addon.answers.unpersist = -EPERM
  assert.throws(() => device.destroy(), refusedAs('EPERM', /cannot remove l2tp-x/))
  assert.deepEqual(addon.take(), [
    ['unpersist', 0],
    ['close', 0],
  ])
  device.destroy()
  device.setCarrier(true)
  assert.deepEqual(addon.take(), [], 'a closed device is left alone')
})

/** A device, and what attaches sessions to it. The device has handle 0, the sockets those after it. */
function bench() {
  const addon = new FakeAddon()
  const paths = new NativeDataPaths(addon)
  const datagrams = new NativeDatagrams(addon)
  const device = new NativeTuns(addon).open('l2tp-x')
  const session = (change: Partial<DataSession> = {}): DataSession =>
    dataSession({
      socket: datagrams.open({ family: 4, onMessage: () => {}, onError: () => {} }),
      ipv6: false,
      ...change,
    })
  return { addon, paths, device, session }
}

const KEYS = {
  peerHost: Uint8Array.of(198, 51, 100, 1),
  peerPort: 1701,
  localTunnelId: 1,
  localSessionId: 2,
  peerTunnelId: 3,
  peerSessionId: 4,
  mtu: 1462,
  sequencing: false,
  ipv4: true,
  ipv6: false,
}

test('a data path has all keys of its session, and what changes is added to them', () => {
  const { addon, paths, device, session } = bench()
  const path = paths.attach(device, session())
  assert.deepEqual(addon.take().at(-1), ['attach', 0, 1, KEYS])
  path.update({ mtu: 1400 })
  path.update({ ipv6: true })
  assert.deepEqual(addon.take(), [
    ['update', 0, { ...KEYS, mtu: 1400 }],
    ['update', 0, { ...KEYS, mtu: 1400, ipv6: true }],
  ])
})

test('what a session has received is counted from its beginning to its end', () => {
  const { addon, paths, device, session } = bench()
  addon.counted.received = 10
  const path = paths.attach(device, session())
  assert.equal(path.received(), 0)
  addon.counted.received = 13
  assert.equal(path.received(), 3)
  addon.counted.received = 15
  path.detach()
  const next = paths.attach(device, session())
  addon.counted.received = 20
  assert.deepEqual([path.received(), next.received()], [5, 5])
})

test('a data path that has ended is silent, also while another one carries the device', () => {
  const { addon, paths, device, session } = bench()
  const path = paths.attach(device, session())
  path.detach()
  addon.take()
  path.detach()
  path.update({ mtu: 1400 })
  assert.deepEqual(addon.take(), [])
  const next = paths.attach(device, session())
  addon.take()
  path.detach()
  path.update({ mtu: 1400 })
  assert.deepEqual(addon.take(), [])
  device.close()
  assert.deepEqual(addon.take(), [['close', 0]])
  next.update({ mtu: 1300 })
  next.detach()
  assert.deepEqual(addon.take(), [], 'it ends with its device')
})

test('a device that is busy keeps the data path that it has', () => {
  const { addon, paths, device, session } = bench()
  const path = paths.attach(device, session())
  addon.answers.attach = -EBUSY
  assert.throws(() => paths.attach(device, session()), refusedAs('EBUSY', /attach a session to l2tp-x/))
  addon.take()
  path.update({ mtu: 1400 })
  assert.deepEqual(addon.take(), [['update', 0, { ...KEYS, mtu: 1400 }]])
})

test('devices and sockets of others are refused, and a peer that is no literal address', () => {
  const { paths, device, session } = bench()
  const { socket } = session()
  const foreign = { ...socket, local: { host: '192.0.2.1', port: 1 } }
  assert.throws(() => paths.attach({ ...device, name: 'other' }, session()), TypeError)
  assert.throws(() => paths.attach(device, session({ socket: foreign })), TypeError)
  const named = session({ peer: { host: 'lns.example', port: 1701 } })
  assert.throws(() => paths.attach(device, named), refusedAs('EINVAL', /lns\.example is no literal address/))
})
