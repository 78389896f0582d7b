import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { SystemError } from '../../../src/app/ports.ts'
import { loadAddon } from '../../../src/host/native.ts'
import { NativeTuns } from '../../../src/host/tuns.ts'
import { inNamespace, link, run, startScript, until } from './namespace.ts'

inNamespace(import.meta.url, () => {
  const tuns = new NativeTuns(loadAddon())

  test('a device is persistent, has a long queue and shows the carrier that it is told', async () => {
    const tun = tuns.open('nat0')
    run('ip link set nat0 up')
    assert.ok((link('nat0')?.txqlen ?? 0) >= 1000)
    assert.ok(link('nat0')?.flags.includes('NO-CARRIER'), 'no carrier at first')
    tun.setCarrier(true)
    await until(() => link('nat0')?.flags.includes('LOWER_UP') === true, 'the carrier is on')
    tun.setCarrier(false)
    await until(() => link('nat0')?.flags.includes('NO-CARRIER') === true, 'the carrier is off')
    tun.setCarrier(true)
    tun.close()
    await until(() => link('nat0')?.flags.includes('NO-CARRIER') === true, 'closing takes the carrier away')
    tuns.open('nat0').destroy()
    assert.equal(link('nat0'), undefined)
  })

  test('opening an existing device keeps its addresses, its longer queue and its carrier off', () => {
    tuns.open('nat1').close()
    run('ip addr add 192.0.2.1/32 dev nat1')
    run('ip link set nat1 up txqueuelen 3000')
    const monitor = tuns.open('nat1')
    assert.match(run('ip -4 addr show nat1'), /192\.0\.2\.1/)
    assert.equal(link('nat1')?.txqlen, 3000)
    assert.ok(link('nat1')?.flags.includes('NO-CARRIER'))
    monitor.destroy()
  })

  test('a killed process leaves the device, which can be opened again', async () => {
    const child = startScript(`
      import { loadAddon } from '$SRC/host/native.ts'
      import { NativeTuns } from '$SRC/host/tuns.ts'
      const tun = new NativeTuns(loadAddon()).open('nat2')
      tun.setCarrier(true)
      console.log('open')
      setInterval(() => {}, 1000)`)
    assert.ok(child.stdout)
    await once(child.stdout, 'data')
    run('ip addr add 192.0.2.2/32 dev nat2')
    run('ip link set nat2 up')
    assert.throws(
      () => tuns.open('nat2'),
      (error) => error instanceof SystemError && error.code === 'EBUSY',
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    await until(() => link('nat2')?.flags.includes('NO-CARRIER') === true, 'the carrier is off')
    const tun = tuns.open('nat2')
    assert.match(run('ip -4 addr show nat2'), /192\.0\.2\.2/)
    tun.destroy()
  })

  test('a device that somebody removes is reported once and can be made anew', async () => {
    let gone = 0
    const tun = tuns.open('nat3', () => gone++)
    run('ip link del nat3')
    await until(() => gone > 0, 'the device is gone')
    tun.setCarrier(true)
    tun.close()
    const next = tuns.open('nat3', () => assert.fail('this one is there'))
    assert.ok(link('nat3'))
    next.destroy()
    next.destroy()
    assert.equal(gone, 1)
  })

  test('what cannot be a device name or is another kind of device is refused', () => {
    run('ip link add nat4 type veth')
    for (const name of ['', 'a-name-far-too-long', 'nat4', 'a/b']) {
      assert.throws(
        () => tuns.open(name),
        (error) => error instanceof SystemError,
        name,
      )
    }
  })

  test('packets that come without a session go nowhere and are counted', async () => {
    const tun = tuns.open('nat5')
    run('ip addr add 10.9.0.2/32 peer 10.9.0.1/32 dev nat5')
    run('ip link set nat5 up')
    tun.setCarrier(true)
    await until(() => link('nat5')?.flags.includes('LOWER_UP') === true, 'the carrier is on')
    const before = tun.counters().tx.dropped
    assert.throws(() => run('ping -c 2 -i 0.1 -W 0.2 -q 10.9.0.1'))
    await until(() => tun.counters().tx.dropped >= before + 2, 'both are counted')
    tun.destroy()
  })
})
