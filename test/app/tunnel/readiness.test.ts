/** A tunnel that is kept warm: its control connection is open, its session is dialled when needed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT, dials, GOOD_PATH, settled, upWithin, type World, world } from '../../sim/world.ts'

const isWarm = ({ lns, router }: World) => lns.peers === 1 && router.machine.openSockets === 1 && !router.up

/** A world whose tunnel is warm. */
async function warm(seed: number): Promise<World> {
  const here = world(seed)
  here.router.supervisor.want('warm')
  await here.network.run(1_000)
  assert.equal(isWarm(here), true)
  assert.equal(here.wire.sent('ICCN', CLIENT).length, 0, 'no session before it is wanted')
  return here
}

test('a warm tunnel has no session, and one within a few round trips when it is wanted', async () => {
  const here = await warm(1)
  const { network, router } = here
  await network.run(3_600_000)
  assert.equal(here.lns.count('networkOpened'), 0)
  assert.equal(dials(here.wire).length, 1)
  router.supervisor.want('session')
  const took = await upWithin(here, 1_000)
  assert.ok(took <= 6 * 2 * GOOD_PATH.delay, `${took} ms`)
  await settled(here)
  router.supervisor.want('warm')
  await network.run(network.now + 100)
  assert.equal(router.up, false)
  assert.equal(here.lns.count('sessionClosed'), 1, 'the LNS is told')
  await network.run(network.now + 600_000)
  assert.equal(isWarm(here), true)
  assert.equal(dials(here.wire).length, 1, 'all of it through one tunnel')
})

test('wants that change at any pace end in what was wanted last', async () => {
  for (const last of ['cold', 'warm', 'session'] as const) {
    for (let seed = 1; seed <= 60; seed++) {
      const here = world(seed)
      const { network, router, lns } = here
      const order = ['warm', 'session', 'cold'] as const
      for (let i = 0; i < 12; i++) {
        await network.run(network.now + ((seed * (i + 3) * 13) % 350))
        router.supervisor.want(order[(seed * 7 + i * i) % 3] ?? 'cold')
      }
      router.supervisor.want(last)
      if (last === 'session') {
        await upWithin(here, 5_000)
        await settled(here)
        continue
      }
      await network.run(network.now + 60_000)
      assert.equal(router.up, false)
      assert.equal(lns.peers, last === 'warm' ? 1 : 0, `seed ${seed}, ${last}`)
      assert.equal(router.machine.openSockets, last === 'warm' ? 1 : 0)
    }
  }
})

test('a warm tunnel notices a restarted LNS by its HELLO, and is warm again', async () => {
  const here = await warm(1)
  const { network, lns } = here
  await network.run(100_000)
  lns.restart()
  // hello_interval 25 s, then at most 11.5 s until the silence is a verdict.
  assert.ok(await network.run(network.now + 40_000, () => lns.peers === 1), 'dialled again')
  await network.run(network.now + 100_000)
  assert.equal(isWarm(here), true)
})

test('a warm tunnel that the LNS closes is opened again', async () => {
  const here = await warm(1)
  const { network, lns, router } = here
  await network.run(100_000)
  lns.command({ type: 'dropTunnels' })
  await network.run(network.now + 70_000)
  assert.equal(isWarm(here), true)
  router.supervisor.want('session')
  assert.ok((await upWithin(here, 1_000)) < 300)
})

test('a warm tunnel whose LNS restarted unnoticed still gets its session soon', async () => {
  const here = await warm(1)
  const { network, lns, router } = here
  await network.run(100_000)
  lns.restart()
  router.supervisor.want('session')
  assert.ok((await upWithin(here, 5_000)) < 1_000, 'a fresh dial beside the call that stays unanswered')
  await settled(here)
})

test('what lingers is the session that is ended, not one of later', async () => {
  const here = await warm(1)
  const { network, lns, router } = here
  router.supervisor.linger(1_000)
  router.supervisor.want('session')
  await upWithin(here, 1_000)
  lns.command({ type: 'dropTunnels' })
  await network.run(network.now + 100)
  assert.equal(router.device.carrier, false)
  assert.equal(router.device.session, undefined)
})
