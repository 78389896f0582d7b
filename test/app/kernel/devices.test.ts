import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Devices } from '../../../src/app/kernel/devices.ts'
import { SYSTEM } from '../../core/system/samples.ts'
import { dataSession, MemorySocket } from '../../memory-tuns.ts'
import { dataMessage, ipv4Udp } from '../../net/native/packets.ts'
import { FakeSystem } from '../fake-system.ts'

function setUp() {
  const system = new FakeSystem(SYSTEM)
  const devices = new Devices(system.tuns, system.tuns)
  const socket = new MemorySocket()
  const session = dataSession({ socket })
  const { localTunnelId, localSessionId, peer } = session
  const packet = ipv4Udp([192, 0, 2, 9], [192, 0, 2, 10], [7, 7], new Uint8Array(1))
  return {
    system,
    devices,
    session,
    /** What the data path of the device was told last. */
    carried: () => system.tuns.devices.get('l2tp-a')?.session,
    /** The peer sends a packet through the session. */
    dataFromPeer: () =>
      socket.arrive(peer, dataMessage({ tunnel: localTunnelId, session: localSessionId }, packet)),
  }
}

describe('Devices', () => {
  it('opens each device once', () => {
    const { system, devices } = setUp()
    assert.equal(devices.open('l2tp-a'), devices.open('l2tp-a'))
    assert.equal(devices.get('l2tp-a')?.name, 'l2tp-a')
    assert.equal(devices.get('l2tp-b'), undefined)
    assert.deepEqual(system.done, ['open l2tp-a'])
  })

  it('carries the session over to a device that is made anew', () => {
    const { system, devices, session, carried, dataFromPeer } = setUp()
    const device = devices.open('l2tp-a')
    const path = device.attach(session)
    device.setCarrier(true)
    dataFromPeer()
    assert.equal(path.rung, 'memory')
    const first = system.tuns.devices.get('l2tp-a')
    system.removeLink('l2tp-a')
    assert.equal(first?.closed, true)
    assert.equal(path.rung, 'none')
    assert.equal(path.received(), 1)
    path.update({ mtu: 1400 })
    assert.equal(device.counters().rx.packets, 1)
    assert.equal(devices.open('l2tp-a'), device)
    assert.deepEqual(carried(), { ...session, mtu: 1400, ipv4: false, ipv6: false })
    device.setCarrier(true)
    dataFromPeer()
    assert.equal(path.rung, 'memory')
    assert.equal(path.received(), 2)
    assert.equal(device.counters().rx.packets, 2)
  })

  it('lets packets pass while the carrier is on and nobody holds them back', () => {
    const { system, devices, session, carried } = setUp()
    const device = devices.open('l2tp-a')
    const open = () => [carried()?.ipv4, carried()?.ipv6]
    const path = device.attach({ ...session, ipv6: false })
    assert.deepEqual(open(), [false, false])
    device.setCarrier(true)
    assert.deepEqual(open(), [true, false])
    devices.get('l2tp-a')?.dropPackets(true)
    path.update({ ipv6: true })
    assert.deepEqual(open(), [false, false])
    devices.get('l2tp-a')?.dropPackets(false)
    assert.deepEqual(open(), [true, true])
    device.setCarrier(false)
    assert.deepEqual(open(), [false, false])
    device.setCarrier(true)
    system.removeLink('l2tp-a')
    devices.open('l2tp-a')
    assert.deepEqual(open(), [false, false])
  })

  it('carries nothing over that has ended', () => {
    const { system, devices, session, carried } = setUp()
    const device = devices.open('l2tp-a')
    device.attach(session).detach()
    system.removeLink('l2tp-a')
    devices.open('l2tp-a')
    assert.equal(carried(), undefined)
  })

  it('carries one session at a time: who is detached late ends none but its own', () => {
    const { system, devices, session, carried, dataFromPeer } = setUp()
    const device = devices.open('l2tp-a')
    device.setCarrier(true)
    const first = device.attach(session)
    dataFromPeer()
    const second = device.attach({ ...session, mtu: 1400 })
    first.update({ mtu: 1300 })
    first.detach()
    assert.equal(first.rung, 'none')
    assert.deepEqual(carried(), { ...session, mtu: 1400 })
    assert.equal(first.received(), 1)
    system.removeLink('l2tp-a')
    devices.open('l2tp-a').setCarrier(true)
    assert.deepEqual(carried(), { ...session, mtu: 1400 })
    second.detach()
    assert.equal(carried(), undefined)
  })

  it('forgets what it let go of', () => {
    const { system, devices } = setUp()
    devices.open('l2tp-a')
    devices.open('l2tp-b').destroy()
    devices.close()
    assert.deepEqual(devices.names(), [])
    devices.open('l2tp-a')
    assert.equal(system.done.filter((what) => what === 'open l2tp-a').length, 2)
  })
})
