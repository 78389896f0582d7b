import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Devices } from '../../../src/app/kernel/devices.ts'
import type { DataSession } from '../../../src/app/tuns.ts'
import { SYSTEM } from '../../core/system/samples.ts'
import { FakeSystem } from '../fake-system.ts'

const SESSION = { mtu: 1462, ipv4: true, ipv6: true } as DataSession
const CLOSED = { ...SESSION, ipv4: false, ipv6: false }

describe('Devices', () => {
  it('opens each device once', () => {
    const system = new FakeSystem(SYSTEM)
    const devices = new Devices(system, system)
    assert.equal(devices.open('l2tp-a'), devices.open('l2tp-a'))
    assert.equal(devices.get('l2tp-a')?.name, 'l2tp-a')
    assert.equal(devices.get('l2tp-b'), undefined)
    assert.deepEqual(system.done, ['open l2tp-a'])
  })

  it('carries the session over to a device that is made anew', () => {
    const system = new FakeSystem(SYSTEM)
    const devices = new Devices(system, system)
    const device = devices.open('l2tp-a')
    const path = device.attach(SESSION)
    assert.equal(path.rung, 'fake')
    const first = system.tuns.get('l2tp-a')
    system.removeLink('l2tp-a')
    assert.equal(first?.closed, true)
    assert.equal(path.rung, 'none')
    assert.equal(path.received(), 1)
    path.update({ mtu: 1400 })
    assert.equal(device.counters().rx.packets, 1)
    assert.equal(devices.open('l2tp-a'), device)
    assert.deepEqual(system.tuns.get('l2tp-a')?.session, { ...CLOSED, mtu: 1400 })
    assert.equal(path.rung, 'fake')
    assert.equal(path.received(), 2)
    assert.equal(device.counters().rx.packets, 2)
  })

  it('lets packets pass while the carrier is on and nobody holds them back', () => {
    const system = new FakeSystem(SYSTEM)
    const devices = new Devices(system, system)
    const device = devices.open('l2tp-a')
    const open = () => {
      const { ipv4, ipv6 } = system.tuns.get('l2tp-a')?.session ?? {}
      return [ipv4, ipv6]
    }
    const path = device.attach({ ...SESSION, ipv6: false })
    assert.deepEqual(open(), [false, false])
    device.setCarrier(true)
    assert.deepEqual(open(), [true, false])
    devices.get('l2tp-a')?.hold(true)
    path.update({ ipv6: true })
    assert.deepEqual(open(), [false, false])
    devices.get('l2tp-a')?.hold(false)
    assert.deepEqual(open(), [true, true])
    device.setCarrier(false)
    assert.deepEqual(open(), [false, false])
    device.setCarrier(true)
    system.removeLink('l2tp-a')
    devices.open('l2tp-a')
    assert.deepEqual(open(), [false, false])
  })

  it('carries nothing over that has ended', () => {
    const system = new FakeSystem(SYSTEM)
    const devices = new Devices(system, system)
    const device = devices.open('l2tp-a')
    device.attach(SESSION).detach()
    system.removeLink('l2tp-a')
    devices.open('l2tp-a')
    assert.equal(system.tuns.get('l2tp-a')?.session, undefined)
  })

  it('carries one session at a time: who is detached late ends none but its own', () => {
    const system = new FakeSystem(SYSTEM)
    const devices = new Devices(system, system)
    const device = devices.open('l2tp-a')
    device.setCarrier(true)
    const first = device.attach(SESSION)
    const second = device.attach({ ...SESSION, mtu: 1400 })
    first.update({ mtu: 1300 })
    first.detach()
    assert.equal(first.rung, 'none')
    assert.deepEqual(system.tuns.get('l2tp-a')?.session, { ...SESSION, mtu: 1400 })
    assert.equal(first.received(), 1)
    system.removeLink('l2tp-a')
    devices.open('l2tp-a').setCarrier(true)
    assert.deepEqual(system.tuns.get('l2tp-a')?.session, { ...SESSION, mtu: 1400 })
    second.detach()
    assert.equal(system.tuns.get('l2tp-a')?.session, undefined)
  })

  it('forgets what it let go of', () => {
    const system = new FakeSystem(SYSTEM)
    const devices = new Devices(system, system)
    devices.open('l2tp-a')
    devices.open('l2tp-b').destroy()
    devices.close()
    assert.deepEqual(devices.names(), [])
    devices.open('l2tp-a')
    assert.equal(system.done.filter((what) => what === 'open l2tp-a').length, 2)
  })
})
