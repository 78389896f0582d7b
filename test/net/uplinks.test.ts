/** Uplinks that come, go and change under a tunnel. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as address from './addresses.ts'
import { answer, Conversation } from './echo.ts'
import {
  assertCarriesTraffic,
  assertReaches,
  dial,
  LINE,
  lineOf,
  lineOver,
  run,
  subscriber,
  TUNNEL_SECRET,
  WATCHFUL,
  waitForAll,
  waitForNewSession,
} from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'

const alice = subscriber('alice', 1)

describe('one uplink, the one of the default route', { timeout: 400_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET })
  })
  after(() => net.close())

  test('may be deleted and made again', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    t.after(() => net.uplinks[0].restore())
    await net.uplinks[0].remove()
    const { last_error: error } = await lifeline.waitForError(LINE)
    assert.equal(error?.message, 'the uplink wan0 went down')
    await net.uplinks[0].create()
    await assertCarriesTraffic(net, await waitForNewSession(lifeline, tunnel))
  })

  test('may lose its carrier for a moment', async (t) => {
    const { lifeline } = await dial(t, net, alice)
    t.after(() => net.uplinks[0].restore())
    await net.uplinks[0].cut()
    await net.uplinks[0].plug()
    await assertReaches(net, address.internet.ipv4, { from: alice.ipv4 })
    await assertCarriesTraffic(net, await waitForAll(lifeline))
  })

  test('may be renamed', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    t.after(() => net.uplinks[0].restore())
    await net.uplinks[0].rename('lte0')
    const again = await waitForNewSession(lifeline, tunnel)
    assert.equal(again.uplink, 'lte0')
    await assertCarriesTraffic(net, again)
  })

  test('may get another address', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice, WATCHFUL)
    t.after(() => net.uplinks[0].restore())
    await net.uplinks[0].readdress('100.64.0.77')
    const again = await waitForNewSession(lifeline, tunnel)
    await assertCarriesTraffic(net, again)
    assert.equal(await net.lns.peerOf(alice.name), '100.64.0.77')
  })

  test('is answered over by who was asked over it, before and after the tunnel takes everything else', async (t) => {
    const server = await answer(net.router.namespace, 'tcp', 7)
    t.after(() => server.stop('SIGKILL'))
    const ask = async () => {
      const conversation = await Conversation.open(net.internet.namespace, 'tcp', '100.64.0.2', 7)
      t.after(() => conversation.close())
      return conversation
    }
    const before = await ask()
    await dial(t, net, alice)
    await before.goesOn()
    const during = await ask()
    await Promise.all([before.goesOn(), during.goesOn()])
  })

  test('may be absent when lifeline starts', async (t) => {
    t.after(() => net.uplinks[0].restore())
    await net.uplinks[0].remove()
    const lifeline = net.router.lifeline({ config: lineOf(alice) })
    t.after(() => lifeline.stop())
    const { last_error: error } = await lifeline.waitForError(LINE)
    assert.equal(error?.message, 'no uplink is usable: this machine has no default route')
    await net.uplinks[0].create()
    await assertCarriesTraffic(net, await waitForAll(lifeline))
  })
})

describe('two uplinks in order of preference', { timeout: 400_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, uplinks: 2 })
  })
  after(() => net.close())
  const config = lineOver(alice, 'fibre', 'lte')

  test('carry the tunnel over the first', async (t) => {
    const tunnel = await waitForAll(run(t, net, config))
    assert.equal(tunnel.uplink, 'fibre')
    assert.equal(await net.lns.peerOf(alice.name), '100.64.0.2')
  })

  test('carry it over the second where the first has no carrier', async (t) => {
    t.after(() => net.uplinks[0].restore())
    await net.uplinks[0].cut()
    const lifeline = run(t, net, config)
    const tunnel = await waitForAll(lifeline)
    assert.equal(tunnel.uplink, 'lte')
    assert.equal((await lifeline.status())?.uplink.fibre?.state, 'down')
    await assertCarriesTraffic(net, tunnel)
  })

  test('carry it over the second where the first leads nowhere', async (t) => {
    t.after(() => net.uplinks[0].restore())
    await net.uplinks[0].lose(100)
    const lifeline = run(t, net, config)
    const tunnel = await waitForAll(lifeline, 120_000)
    t.diagnostic(`up ${(performance.now() - lifeline.startedAt).toFixed(0)} ms after run`)
    assert.equal(tunnel.uplink, 'lte')
    await assertCarriesTraffic(net, tunnel)
  })

  test('hand it over when the first loses its carrier', async (t) => {
    const lifeline = run(t, net, config)
    const tunnel = await waitForAll(lifeline)
    t.after(() => net.uplinks[0].restore())
    const cut = performance.now()
    await net.uplinks[0].cut()
    const again = await waitForNewSession(lifeline, tunnel)
    t.diagnostic(`carrier lost -> up on the other uplink: ${(performance.now() - cut).toFixed(0)} ms`)
    assert.equal(again.uplink, 'lte')
    await assertCarriesTraffic(net, again)
  })

  test('hand it over when the first falls silent', async (t) => {
    const lifeline = run(t, net, config)
    const tunnel = await waitForAll(lifeline)
    t.after(() => net.uplinks[0].restore())
    await net.uplinks[0].lose(100)
    const again = await waitForNewSession(lifeline, tunnel)
    assert.equal(again.uplink, 'lte')
    await assertCarriesTraffic(net, again)
  })

  test('are shown in the status', async (t) => {
    const lifeline = run(t, net, config)
    await waitForAll(lifeline)
    const uplinks = (await lifeline.status())?.uplink
    assert.deepEqual(Object.keys(uplinks ?? {}), ['fibre', 'lte'])
    assert.equal(uplinks?.lte?.device, 'wan1')
    assert.equal(uplinks?.lte?.state, 'up')
    assert.ok(uplinks?.lte?.addresses.some((text) => text.startsWith('100.64.1.2')))
  })
})
