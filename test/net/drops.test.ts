/** The LNS ends sessions and tunnels, or dies: the tunnel comes back by itself, and the status says what happened. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { ofKind } from '../events.ts'
import * as address from './addresses.ts'
import type { Lifeline } from './lifeline.ts'
import {
  assertCarriesTraffic,
  dial,
  LINE,
  lineOf,
  run,
  subscriber,
  TUNNEL_SECRET,
  WATCHFUL,
  waitForAll,
  waitForNewSession,
} from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'

const alice = subscriber('alice', 1)

describe('a session that is up', { timeout: 400_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET })
  })
  after(() => net.close())

  test('is dialled again after the LNS dropped it', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    await net.lns.dropSession(alice.name)
    const again = await waitForNewSession(lifeline, tunnel)
    await printOutage(t, lifeline)
    assert.equal(again.ipv4.address, tunnel.ipv4.address)
    assert.match(again.last_error?.message ?? '', /^the LNS closed the session: /)
    await assertCarriesTraffic(net, again)
  })

  test('is dialled again after the LNS dropped its tunnel', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    await net.lns.dropTunnel(alice.name)
    const again = await waitForNewSession(lifeline, tunnel)
    await printOutage(t, lifeline)
    assert.match(again.last_error?.message ?? '', /^the LNS closed the tunnel: /)
    await assertCarriesTraffic(net, again)
  })

  test('comes back after each of five drops in a row', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    let last = tunnel
    for (let count = 0; count < 5; count++) {
      await net.lns.waitForSession(alice.name)
      await net.lns.dropSession(alice.name)
      last = await waitForNewSession(lifeline, last)
    }
    await assertCarriesTraffic(net, last)
  })

  test('is found dead after the LNS was killed, and comes back with it', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice, WATCHFUL)
    await net.lns.kill()
    await lifeline.waitForTunnel(LINE, 'to be down', ({ state }) => state !== 'up')
    await net.lns.start()
    const again = await waitForNewSession(lifeline, tunnel)
    assert.notEqual(again.last_error, null)
    await assertCarriesTraffic(net, again)
  })

  test('is found dead after the LNS was restarted and knows nothing of it', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice, WATCHFUL)
    await net.lns.kill()
    await net.lns.start()
    await assertCarriesTraffic(net, await waitForNewSession(lifeline, tunnel))
  })
})

describe('an LNS that is not there', { timeout: 200_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET })
  })
  after(() => net.close())

  test('is named in the status, and dialled until it is there', async (t) => {
    await net.lns.kill()
    const lifeline = run(t, net, lineOf(alice))
    const { last_error: error } = await lifeline.waitForError(LINE)
    assert.match(error?.message ?? '', new RegExp(`${address.lns.ipv4.replaceAll('.', '\\.')}.* answer`))
    await net.lns.start()
    await assertCarriesTraffic(net, await waitForAll(lifeline, 120_000))
  })
})

/** From the moment we noticed to the new session. */
async function printOutage(t: TestContext, lifeline: Lifeline): Promise<void> {
  const states = ofKind(await lifeline.events(), 'state')
  const up = states.filter(({ state }) => state === 'up').at(-1)
  const lost = states.filter(({ from, seq }) => from === 'up' && seq < (up?.seq ?? 0)).at(-1)
  if (lost === undefined || up === undefined) return
  t.diagnostic(`lost -> up again: ${Date.parse(up.at) - Date.parse(lost.at)} ms`)
}
