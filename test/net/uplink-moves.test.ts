/** What happens to uplinks in real life, under a tunnel that is up: it is up again soon, and over the best of them. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { TunnelStatus } from '../../src/core/status/status.ts'
import * as address from './addresses.ts'
import type { Lifeline } from './lifeline.ts'
import {
  assertCarriesTraffic,
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
import type { Uplink } from './uplink.ts'
import { waitFor } from './wait.ts'

const alice = subscriber('alice', 1)

describe('uplinks', { timeout: 600_000 }, () => {
  let net: Network
  let wan0: Uplink
  let wan1: Uplink
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, uplinks: 2 })
    const [first, second] = net.uplinks
    assert.ok(second)
    wan0 = first
    wan1 = second
  })
  after(() => net.close())

  describe('named by their devices', () => {
    const both = lineOver(alice, 'fibre', 'lte')
    const only = lineOver(alice, 'fibre')

    test('a device that is pulled and plugged in again and again', async (t) => {
      const lifeline = run(t, net, only)
      t.after(() => wan0.restore())
      let tunnel = await waitForAll(lifeline)
      const indexes = new Set([await indexOf(net, 'wan0')])
      for (let times = 0; times < 5; times++) {
        await wan0.remove()
        await wan0.create()
        indexes.add(await indexOf(net, 'wan0'))
      }
      assert.equal(indexes.size, 6)
      tunnel = await timed(t, 'plugged in', () => waitForNewSession(lifeline, tunnel))
      await assertCarriesTraffic(net, tunnel)
      await assertSettled(lifeline)
    })

    test('a device that is renamed away and back', async (t) => {
      const lifeline = run(t, net, only)
      t.after(() => wan0.restore())
      const tunnel = await waitForAll(lifeline)
      await wan0.rename('old0')
      const { last_error: error } = await lifeline.waitForError(LINE)
      assert.equal(error?.message, 'the uplink fibre went down')
      assert.equal((await lifeline.status())?.uplink.fibre?.state, 'absent')
      await wan0.rename('wan0')
      const again = await timed(t, 'named again', () => waitForNewSession(lifeline, tunnel))
      await assertCarriesTraffic(net, again)
    })

    test('two devices that change names', async (t) => {
      const lifeline = run(t, net, both)
      t.after(async () => {
        await wan0.remove()
        await wan1.remove()
        await wan0.restore()
        await wan1.restore()
      })
      const tunnel = await waitForAll(lifeline)
      assert.equal(await net.lns.peerOf(alice.name), '100.64.0.2')
      await wan0.rename('tmp0')
      await wan1.rename('wan0')
      await wan0.rename('wan1')
      const again = await timed(t, 'renamed', async () => {
        await waitForNewSession(lifeline, tunnel)
        // The tunnel may have found the other uplink in between: the better one wins in the end.
        return lifeline.waitForTunnel(
          LINE,
          'to be on fibre',
          (now) => now.state === 'up' && now.uplink === 'fibre',
        )
      })
      await assertCarriesTraffic(net, again)
      assert.equal(await net.lns.peerOf(alice.name), '100.64.1.2')
    })

    test('a carrier that is lost for long, and comes back', async (t) => {
      const lifeline = run(t, net, only)
      t.after(() => wan0.restore())
      const tunnel = await waitForAll(lifeline)
      await wan0.cut()
      await lifeline.waitForTunnel(LINE, 'to wait', ({ state }) => state === 'waiting')
      await wan0.plug()
      await assertCarriesTraffic(net, await timed(t, 'carrier', () => waitForNewSession(lifeline, tunnel)))
    })

    test('a device that is set down and up', async (t) => {
      const lifeline = run(t, net, only)
      t.after(() => wan0.restore())
      const tunnel = await waitForAll(lifeline)
      await wan0.setDown()
      await lifeline.waitForTunnel(LINE, 'to wait', ({ state }) => state === 'waiting')
      await wan0.configure()
      await assertCarriesTraffic(net, await timed(t, 'set up', () => waitForNewSession(lifeline, tunnel)))
    })

    test('a new address that is there before the old one goes', async (t) => {
      const lifeline = run(t, net, only)
      t.after(() => wan0.restore())
      const tunnel = await waitForAll(lifeline)
      const { namespace } = net.router
      await namespace.ip('addr add 100.64.0.88/24 dev wan0')
      await net.router.ping('192.0.2.1', { from: '100.64.0.88' })
      assert.equal((await lifeline.status())?.tunnel[LINE]?.since, tunnel.since)
      await namespace.ip('addr del 100.64.0.2/24 dev wan0', 'addr replace 100.64.0.88/24 dev wan0')
      await namespace.ip('route replace default via 100.64.0.1 dev wan0 metric 10')
      const again = await timed(t, 'readdressed', () => waitForNewSession(lifeline, tunnel))
      await assertCarriesTraffic(net, again)
      assert.equal(await net.lns.peerOf(alice.name), '100.64.0.88')
    })

    test('another subnet and gateway', async (t) => {
      const lifeline = run(t, net, only)
      t.after(() => wan0.restore())
      const tunnel = await waitForAll(lifeline)
      await net.isp.ip('addr add 100.65.7.1/24 dev cust0')
      await net.router.namespace.ip(
        'addr del 100.64.0.2/24 dev wan0',
        'addr add 100.65.7.2/24 dev wan0',
        'route replace default via 100.65.7.1 dev wan0 metric 10',
      )
      const again = await timed(t, 'renumbered', () => waitForNewSession(lifeline, tunnel))
      await assertCarriesTraffic(net, again)
      assert.equal(await net.lns.peerOf(alice.name), '100.65.7.2')
    })

    test('another gateway alone leaves the session as it is', async (t) => {
      const lifeline = run(t, net, only)
      t.after(() => wan0.restore())
      const tunnel = await waitForAll(lifeline)
      const { namespace } = net.router
      await net.isp.sysctl('net.ipv4.conf.cust0.promote_secondaries=1')
      await net.isp.ip('addr add 100.64.0.9/24 dev cust0')
      await namespace.ip('route replace default via 100.64.0.9 dev wan0 metric 10')
      await waitFor('the new gateway', async () => {
        const routes = await namespace.show<{ gateway: string }[]>('route', 'get', '192.0.2.1', 'oif', 'wan0')
        return routes[0]?.gateway === '100.64.0.9'
      })
      await net.isp.ip('addr del 100.64.0.1/24 dev cust0')
      await assertCarriesTraffic(net, tunnel)
      assert.equal((await lifeline.status())?.tunnel[LINE]?.since, tunnel.since)
    })

    test('the first absent at boot, then silent, then well: the tunnel moves to it once it is proved', async (t) => {
      await wan0.remove()
      t.after(() => wan0.restore())
      const lifeline = run(t, net, both)
      const tunnel = await timed(t, 'run', () => waitForAll(lifeline))
      assert.equal(tunnel.uplink, 'lte')
      assert.equal((await lifeline.status())?.uplink.fibre?.state, 'absent')

      await wan0.lose(100)
      await wan0.create()
      const began = performance.now()
      await waitFor('a try over fibre', async () => (await triesOver(net, 'cust0')) > 0, { within: 60_000 })
      const tried = ((performance.now() - began) / 1000).toFixed(1)
      assert.equal((await lifeline.status())?.tunnel[LINE]?.since, tunnel.since, 'lte was given up too early')
      await assertCarriesTraffic(net, tunnel)

      const ping = ['ping', '-n', '-i', '0.02', '-I', alice.ipv4, address.internet.ipv4]
      const pings = net.router.namespace.start('ping', ping)
      await wan0.lose(0)
      const moved = await timed(t, `fibre plugged in, tried after ${tried} s; healed`, () =>
        waitForNewSession(lifeline, tunnel),
      )
      assert.equal(moved.uplink, 'fibre')
      await assertCarriesTraffic(net, moved)
      await pings.stop('SIGINT')
      t.diagnostic(
        `while it moves: ${/\d+ packets transmitted.*?loss/.exec(pings.output)?.[0]}, one each 20 ms`,
      )
      assert.equal(await net.lns.peerOf(alice.name), '100.64.0.2')
      await assertSettled(lifeline)
    })
  })

  describe('chosen by the default route of main', () => {
    test('the tunnel follows it from device to device and back', async (t) => {
      const { lifeline, tunnel } = await dial(t, net, alice, WATCHFUL)
      assert.equal(tunnel.uplink, 'wan0')
      const { namespace } = net.router
      const better = 'default via 100.64.1.1 dev wan1 metric 1'
      t.after(() => namespace.run(['ip', 'route', 'del', ...better.split(' ')], { mayFail: true }))
      await namespace.ip(`route add ${better}`)
      const there = await timed(t, 'better route', () => waitForNewSession(lifeline, tunnel))
      assert.equal(there.uplink, 'wan1')
      await assertCarriesTraffic(net, there)
      assert.equal(await net.lns.peerOf(alice.name), '100.64.1.2')
      await namespace.ip(`route del ${better}`)
      const back = await timed(t, 'route gone', () => waitForNewSession(lifeline, there))
      assert.equal(back.uplink, 'wan0')
      await assertCarriesTraffic(net, back)
      await assertSettled(lifeline)
    })

    test('the tunnel takes the next where it vanishes with its device', async (t) => {
      const { lifeline, tunnel } = await dial(t, net, alice, WATCHFUL)
      t.after(() => wan0.restore())
      await wan0.remove()
      const there = await timed(t, 'device gone', () => waitForNewSession(lifeline, tunnel))
      assert.equal(there.uplink, 'wan1')
      await assertCarriesTraffic(net, there)
    })

    test('the tunnel waits while there is none, and starts when there is', async (t) => {
      const { namespace } = net.router
      const routes = [
        'default via 100.64.0.1 dev wan0 metric 10',
        'default via 100.64.1.1 dev wan1 metric 20',
      ]
      await namespace.ip(...routes.map((route) => `route del ${route}`))
      t.after(async () => {
        await wan0.restore()
        await wan1.restore()
      })
      const lifeline = run(t, net, lineOf(alice))
      const { last_error: error } = await lifeline.waitForError(LINE)
      assert.equal(error?.message, 'no uplink is usable: this machine has no default route')
      await namespace.ip(`route add ${routes[1]}`)
      const tunnel = await timed(t, 'route', () => waitForAll(lifeline))
      assert.equal(tunnel.uplink, 'wan1')
      await assertCarriesTraffic(net, tunnel)
    })
  })
})

async function timed(
  t: TestContext,
  from: string,
  until: () => Promise<TunnelStatus>,
): Promise<TunnelStatus> {
  const began = performance.now()
  const tunnel = await until()
  t.diagnostic(`${from} -> up: ${(performance.now() - began).toFixed(0)} ms`)
  return tunnel
}

async function indexOf(net: Network, device: string): Promise<number> {
  const [link] = await net.router.namespace.show<{ ifindex: number }[]>('link', 'show', 'dev', device)
  return link?.ifindex ?? 0
}

/** How many packets a path that loses everything has swallowed. */
async function triesOver({ isp }: Network, far: string): Promise<number> {
  const { stdout } = await isp.run(['nft', 'list', 'chain', 'inet', 'path', far])
  return Number(/iifname "\w+" counter packets (\d+)/.exec(stdout)?.[1] ?? 0)
}

/** Nothing of earlier uplinks is left in the kernel, and nothing is missing. */
async function assertSettled(lifeline: Lifeline): Promise<void> {
  await waitFor('nothing left to change', async () =>
    /^Nothing would change\./.test((await lifeline.cli('plan')).stdout),
  )
}
