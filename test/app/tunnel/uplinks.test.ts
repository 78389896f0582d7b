/** Uplinks that go, come back, are renewed or get another address, in any moment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT, settled, upWithin, type World, world } from '../../sim/world.ts'

const LTE = '198.51.100.2'
/** Moments of a dial, and of a session that is young or old. */
const MOMENTS = [...Array.from({ length: 50 }, (_, index) => index * 8), 5_000, 70_000]

const carrier = ({ router }: World) => router.shown.uplink

test('an uplink that gets another address: the tunnel is dialled from it at once', async () => {
  for (const moment of MOMENTS) {
    const here = world(moment + 1)
    await here.network.run(moment)
    here.router.machine.readdress('fibre', ['192.0.2.77'])
    await here.network.run(here.network.now + 1)
    assert.ok((await upWithin(here, 5_000)) < 1_200, `at ${moment}`)
    assert.ok(here.wire.sent('lcp 1', '192.0.2.77').length > 0)
    await here.network.run(here.network.now + 150_000)
    assert.equal(here.router.machine.openSockets, 1)
    assert.equal(here.lns.peers, 1, 'the LNS has noticed that the old address is silent')
  }
})

test('a device that is renewed, with a new ifindex and the same address', async () => {
  for (const away of [0, 1, 300, 20_000]) {
    for (const moment of MOMENTS) {
      const here = world(moment + 1)
      await here.network.run(moment)
      here.router.machine.remove('fibre')
      assert.equal(here.router.up, false)
      await here.network.run(here.network.now + away)
      if (away > 0) assert.equal(here.router.machine.openSockets, 0, 'none on a device that is gone')
      here.router.machine.add('fibre', [CLIENT])
      assert.ok((await upWithin(here, 5_000)) < 500, `at ${moment}`)
      await settled(here)
    }
  }
})

test('a device that is gone for a while before anybody says so', async () => {
  for (const moment of MOMENTS) {
    const here = world(moment + 1)
    await here.network.run(moment)
    here.router.machine.vanish('fibre')
    await here.network.run(here.network.now + 40)
    here.router.machine.remove('fibre')
    await here.network.run(here.network.now + 300)
    here.router.machine.add('fibre', [CLIENT])
    assert.ok((await upWithin(here, 5_000)) < 500, `at ${moment}`)
    await settled(here)
  }
})

test('a device renewed from one instant to the next', async () => {
  for (const moment of MOMENTS) {
    const here = world(moment + 1)
    await here.network.run(moment)
    here.router.machine.add('fibre', [CLIENT])
    await here.network.run(here.network.now + 1)
    assert.ok((await upWithin(here, 5_000)) < 500, `at ${moment}`)
    await settled(here)
  }
})

test('without any uplink nothing is timed or sent, and the first one is used at once', async () => {
  const here = world(1)
  await upWithin(here, 1_000)
  here.router.machine.remove('fibre')
  await here.network.run(10_000)
  const sent = here.wire.sent('SCCRQ', CLIENT).length
  await here.network.run(3_600_000)
  assert.equal(here.wire.sent('SCCRQ', CLIENT).length, sent)
  assert.equal(here.router.shown.state, 'waiting')
  assert.equal(here.router.shown.retry_at, null)
  here.router.machine.add('lte', [LTE])
  assert.ok((await upWithin(here, 1_000)) < 400)
  assert.equal(carrier(here), 'lte')
})

test('the next uplink takes over at once; the better one is used again once it is proved', async () => {
  for (const moment of MOMENTS) {
    const here = world(moment + 1)
    const { network, router } = here
    router.machine.add('lte', [LTE])
    await network.run(moment)
    router.machine.remove('fibre')
    assert.ok((await upWithin(here, 5_000)) < 500, `at ${moment}`)
    assert.equal(carrier(here), 'lte')
    await network.run(network.now + 30_000)
    router.machine.add('fibre', [CLIENT])
    await network.run(network.now + 9_000)
    assert.equal(carrier(here), 'lte', 'not before it has been there for a while')
    await network.run(network.now + 3_000)
    await upWithin(here, 1_000)
    assert.equal(carrier(here), 'fibre')
    await settled(here)
  }
})

test('a better uplink that leads nowhere never disturbs the session', async () => {
  const here = world(1)
  const { network, router } = here
  router.machine.remove('fibre')
  router.machine.add('lte', [LTE])
  await upWithin(here, 1_000)
  network.paths.set(CLIENT, { delay: 20, loss: 1 })
  router.machine.add('fibre', [CLIENT])
  assert.equal(await network.run(network.now + 3_600_000, () => !router.up), false)
  const tries = new Set(here.wire.sent('SCCRQ', CLIENT).map(({ from }) => from.port)).size
  assert.ok(tries >= 8 && tries <= 16, `tried ever more rarely: ${tries}`)
  network.paths.clear()
  assert.ok(await network.run(network.now + 700_000, () => carrier(here) === 'fibre'))
  await upWithin(here, 2_000)
})

test('a first uplink without a way to the LNS is passed by, as long as it takes', async () => {
  const here = world(1)
  const { network, router } = here
  network.paths.set(CLIENT, { delay: 20, loss: 1 })
  router.machine.add('lte', [LTE])
  assert.ok((await upWithin(here, 5_000)) < 2_500)
  assert.equal(carrier(here), 'lte')
  assert.equal(await network.run(network.now + 300_000, () => !router.up), false)
})

test('a cable pulled and plugged over and over ends in one session', async () => {
  const here = world(1)
  const { network, router } = here
  for (let i = 1; i <= 200; i++) {
    await network.run(network.now + ((i * 37) % 400))
    router.machine.setUp('fibre', i % 2 === 0)
  }
  await upWithin(here, 1_000)
  await settled(here)
  assert.deepEqual(router.log.complaints, [])
})
