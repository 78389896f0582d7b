/** Paths that lose packets: some while dialling and while up, or all of them for a while. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ofKind } from '../events.ts'
import type { Lifeline } from './lifeline.ts'
import {
  assertCarriesTraffic,
  dial,
  LINE,
  lineOf,
  run,
  subscriber,
  TUNNEL_SECRET,
  waitForAll,
  waitForNewSession,
} from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'

const alice = subscriber('alice', 1)
/** Percent of the packets of either direction. */
const LOSS = 30
const RUNS = 3
/**
 * ms within which the tunnel must be up: mostly 10 to 30 s are enough, but this LNS repeats a Challenge only four times
 * and a Configure-Request ten, and may hang up more than once. Then it is watched for so many ms.
 */
const UP_WITHIN = 300_000
const WATCHED = 15_000
/** ms without a path. */
const CUT = 42_000

describe(`${LOSS} % of the packets lost both ways`, { timeout: 1_200_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET })
  })
  after(() => net.close())

  for (let number = 1; number <= RUNS; number++) {
    test(`dials, and stays up (run ${number} of ${RUNS})`, async (t) => {
      const [uplink] = net.uplinks
      t.after(() => uplink.lose(0))
      await uplink.lose(LOSS)
      const lifeline = run(t, net, lineOf(alice))
      const tunnel = await waitForAll(lifeline, UP_WITHIN)
      t.diagnostic(`up ${(performance.now() - lifeline.startedAt).toFixed(0)} ms after run`)
      await sleep(WATCHED)
      const later = (await lifeline.status())?.tunnel[LINE]
      assert.equal(later?.state, 'up')
      assert.equal(later?.since, tunnel.since, 'it is the same session still')
      assert.ok((later?.loss ?? 0) > 0, 'the status shows the loss')
      await assertCarriesTraffic(net, tunnel)
    })
  }
})

describe('a path that loses everything for a while', { timeout: 600_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, idleTimeout: 20 })
  })
  after(() => net.close())

  test('long enough for both ends to notice: there is a new session soon after', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    const [uplink] = net.uplinks
    t.after(() => uplink.lose(0))
    await uplink.lose(100)
    await sleep(CUT)
    const noticed = (await lifeline.status())?.tunnel[LINE]
    assert.notEqual(noticed?.state, 'up', 'we have noticed')
    assert.equal(await net.lns.session(alice.name), undefined, 'the LNS has noticed')
    await uplink.lose(0)
    const healed = Date.now()
    const again = await waitForNewSession(lifeline, tunnel)
    const back = Date.now()
    const waits = await waitsOf(lifeline)
    t.diagnostic(
      `path back -> up again: ${back - healed} ms; waited ${waits.map(({ from, to }) => to - from).join(', ')} ms`,
    )
    // The dial that was under way may still have failed, but not the next one.
    assert.ok(waits.filter(({ from }) => from > healed).length <= 1)
    await assertCarriesTraffic(net, again)
  })

  test('too short for the session to end: it goes on', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    const [uplink] = net.uplinks
    t.after(() => uplink.lose(0))
    await uplink.lose(100)
    await sleep(4000)
    await uplink.lose(0)
    await assertCarriesTraffic(net, tunnel)
    assert.equal((await lifeline.status())?.tunnel[LINE]?.since, tunnel.since)
  })
})

/** When it waited before the next dial, from its start on, in ms since 1970. */
async function waitsOf(lifeline: Lifeline): Promise<{ from: number; to: number }[]> {
  const states = ofKind(await lifeline.events(), 'state').filter(({ tunnel }) => tunnel === LINE)
  return states.flatMap(({ at, state }, i) => {
    const next = states[i + 1]
    return state === 'waiting' && next ? [{ from: Date.parse(at), to: Date.parse(next.at) }] : []
  })
}
