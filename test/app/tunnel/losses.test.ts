/** Sessions and tunnels that the LNS ends, in every moment and manner. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeControl } from '../../../src/core/l2tp/header.ts'
import { SimLns } from '../../sim/lns.ts'
import { Network } from '../../sim/network.ts'
import { startRouter } from '../../sim/router.ts'
import { Wire } from '../../sim/wire.ts'
import { CLIENT, dials, GOOD_PATH, settled, upWithin, world } from '../../sim/world.ts'

const LOSSY_PATH = { delay: 20, jitter: 10, loss: 0.3 }

test('a restarted LNS, which knows nothing of us, is noticed and dialled again', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const here = world(seed)
    await upWithin(here, 1_000)
    await here.network.run(here.network.now + 61_000 + seed * 50)
    here.lns.restart()
    await here.network.run(here.network.now + 20_000, () => !here.router.up)
    assert.equal(here.router.failures.at(-1), 'silent')
    await upWithin(here, 1_000)
    await settled(here)
  }
})

test('an LNS that answers for tunnels it does not know keeps no session of ours alive', async () => {
  const here = world(1)
  const { network, lns, router } = here
  await upWithin(here, 1_000)
  await network.run(70_000)
  lns.crash()
  const unknown = encodeControl({ tunnel: 0, session: 0, ns: 0, nr: 0 }, new Uint8Array())
  const { send } = network
  network.send = (from, to, bytes) => {
    send.call(network, from, to, bytes)
    if (to.host === lns.address.host) send.call(network, to, from, unknown)
  }
  assert.ok(await network.run(network.now + 12_500, () => !router.up))
  assert.equal(router.failures.at(-1), 'silent')
})

test('an LNS that stays away for minutes is dialled with back-off, and found soon after it is back', async () => {
  const here = world(1)
  await upWithin(here, 1_000)
  await here.network.run(70_000)
  here.lns.crash()
  await here.network.run(1_000_000)
  here.lns.restart()
  await upWithin(here, 75_000)
  const gaps = dials(here.wire)
    .slice(1)
    .map((at, index, all) => at - (all[index - 1] ?? at))
  assert.ok(Math.max(...gaps) <= 60_000 + 12_000, `never more than a minute and a vain dial apart: ${gaps}`)
  await settled(here)
})

test('the answer comes from another port: everything else goes there', async () => {
  const here = world(1, { lns: { answerPort: 5_000 } })
  await upWithin(here, 1_000)
  await here.network.run(65_000)
  const toClientSide = here.wire.seen.filter(({ from, what }) => from.host === CLIENT && what !== 'SCCRQ')
  assert.ok(toClientSide.length > 50)
  assert.ok(toClientSide.every(({ to }) => to.port === 5_000))
  here.lns.restart()
  await here.network.run(here.network.now + 20_000, () => !here.router.up)
  await upWithin(here, 1_000)
  assert.equal(here.wire.sent('SCCRQ', CLIENT).at(-1)?.to.port, 1701, 'a new dial begins at the known port')
  await settled(here)
})

test('a session closed by the LNS is called again through the same tunnel', async () => {
  const here = world(1)
  await upWithin(here, 1_000)
  await here.network.run(70_000)
  here.lns.command({ type: 'dropSessions' })
  await here.network.run(70_100)
  assert.equal(here.router.up, false)
  assert.ok((await upWithin(here, 1_000)) < 500)
  assert.equal(dials(here.wire).length, 1)
  assert.equal(here.router.failures.at(-1), 'session_closed')
  await settled(here)
})

test('a tunnel closed by the LNS is dialled anew at once if it was stable', async () => {
  const here = world(1)
  await upWithin(here, 1_000)
  await here.network.run(70_000)
  here.lns.command({ type: 'dropTunnels' })
  await here.network.run(70_100)
  assert.ok((await upWithin(here, 1_000)) < 500)
  assert.equal(here.router.failures.at(-1), 'tunnel_closed')
  await settled(here)
})

for (const command of ['dropSessions', 'dropTunnels'] as const) {
  test(`${command} in any moment of a dial, and of the dial after that`, async () => {
    for (let at = 0; at <= 500; at += 7) {
      const here = world(at + 1)
      await here.network.run(at)
      here.lns.command({ type: command })
      await upWithin(here, 25_000)
      await here.network.run(here.network.now + 65_000)
      here.lns.command({ type: 'dropSessions' })
      await here.network.run(here.network.now + at)
      here.lns.command({ type: command })
      await here.network.run(here.network.now + 100)
      await upWithin(here, 25_000)
      await settled(here)
    }
  })
}

test('CDNs and StopCCNs that cross leave both ends able to go on', async () => {
  for (const command of ['dropSessions', 'dropTunnels'] as const) {
    for (let apart = -60; apart <= 60; apart += 6) {
      const here = world(apart + 100)
      await here.network.run(70_000)
      here.network.schedule(70_100, () => here.router.supervisor.reconnect())
      here.network.schedule(70_100 + apart, () => here.lns.command({ type: command }))
      await here.network.run(70_300)
      await upWithin(here, 3_000)
      await settled(here)
    }
  }
})

test('CDNs that cross on a path that loses a third', async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const here = world(seed)
    await here.network.run(70_000)
    here.network.path = LOSSY_PATH
    here.network.schedule(70_100, () => here.router.supervisor.reconnect())
    here.network.schedule(70_100 + seed, () => here.lns.command({ type: 'dropSessions' }))
    await here.network.run(71_000)
    await upWithin(here, 120_000)
    here.network.path = GOOD_PATH
    await here.network.run(here.network.now + 20_000)
    await upWithin(here, 60_000)
    await settled(here)
  }
})

test('two routers with one login pre-empt each other ever more slowly', async () => {
  const network = new Network(1, GOOD_PATH)
  const wire = new Wire(network)
  const lns = new SimLns(network, 1, { change: (options) => ({ ...options, oneSessionPerUser: true }) })
  const first = startRouter(network, 1)
  await network.run(100_000)
  const second = startRouter(network, 2, {}, '192.0.2.3')
  await network.run(1_300_000)
  const logins = lns.count('networkOpened') / 2
  assert.ok(logins > 10, `each tries again and again: ${logins}`)
  assert.ok(logins < 80, `but at the pace of the back-off: ${logins} logins in 20 minutes`)
  for (const host of [CLIENT, '192.0.2.3']) assert.ok(dials(wire, host).length < 60)
  void second.supervisor.down()
  await network.run(network.now + 61_000, () => first.up)
  assert.equal(first.up, true, 'the one that stays has it for itself')
  assert.equal(await network.run(network.now + 300_000, () => !first.up), false)
})

for (const manner of ['dropSessions', 'dropTunnels', 'both'] as const) {
  test(`an LNS that ends every session right after it is up (${manner}) is not stormed`, async () => {
    const here = world(1, {
      lns: {
        onEvent: (event) => {
          if (event.type !== 'networkOpened' || event.protocol !== 'ipv4' || !blocked) return
          here.network.schedule(here.network.now + 100, () => {
            if (manner !== 'dropTunnels') here.lns.command({ type: 'dropSessions' })
          })
          here.network.schedule(here.network.now + 150, () => {
            if (manner !== 'dropSessions') here.lns.command({ type: 'dropTunnels' })
          })
        },
      },
    })
    let blocked = true
    await here.network.run(600_000)
    const logins = here.wire.sent('chap 2', CLIENT).map(({ at }) => at)
    assert.ok(logins.length >= 10 && logins.length <= 25, `${logins.length} logins in 10 minutes: ${logins}`)
    logins.slice(1).forEach((at, index) => {
      const step = Math.min(1_000 * 2 ** index, 60_000)
      assert.ok(at - (logins[index] ?? 0) >= step * 0.8, `login ${index + 1} came early: ${logins}`)
    })
    blocked = false
    await upWithin(here, 62_000)
    await settled(here)
  })
}
