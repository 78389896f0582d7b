/** What is dead at the start, dies later, or comes late: traffic finds its way without help. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import * as common from '../addresses.ts'
import type { Lifeline } from '../lifeline.ts'
import { waitFor } from '../wait.ts'
import * as address from './addresses.ts'
import {
  assertReaches,
  type Changes,
  configuration,
  LOGIN,
  SECRET,
  start,
  TUNNEL,
  waitForPath,
} from './scenario.ts'
import { buildProvider, LNS_NAME, type Provider } from './topology.ts'

/** Nobody has it. */
const DEAD_LNS = '192.0.2.99'
const SOON = { failover: { failback_delay: '1' } }

describe('trouble at the start and later', { timeout: 900_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
  })
  after(() => net.close())

  /** All as it was, after the test. */
  function healAfter(t: TestContext): void {
    t.after(async () => {
      await net.fibre.heal()
      await net.lte.heal()
    })
  }

  for (const [state, fail] of [
    ['has no carrier', () => net.fibre.cut()],
    ['is silent', () => net.fibre.silence()],
    ['has no device', () => net.fibre.remove()],
  ] as const) {
    test(`fibre ${state} at the start: the tunnel comes up, and fibre is taken when it comes`, async (t) => {
      healAfter(t)
      await fail()
      const lifeline = await start(t, net, SOON, TUNNEL)
      await assertReaches(net)
      assert.equal((await lifeline.status())?.internet.ipv4, address.shared.ipv4)
      await net.fibre.heal()
      await waitForPath(lifeline, 'fibre')
      await assertReaches(net)
    })
  }

  test('4G comes late', async (t) => {
    healAfter(t)
    await net.fibre.cut()
    await net.lte.remove()
    const lifeline = run(t, SOON)
    await waitForNoPath(lifeline)
    await net.lte.create()
    await waitForPath(lifeline, TUNNEL)
    await assertReaches(net)
  })

  test('names cannot be looked up at the start', async (t) => {
    healAfter(t)
    await net.fibre.cut()
    await net.dns.stop()
    const lifeline = run(t, { ...SOON, main: { state_dir: `${net.folder}/no-names` } })
    await waitForPath(lifeline, 'lte')
    await net.dns.start()
    await waitForPath(lifeline, TUNNEL)
    await assertReaches(net)
  })

  test('the first LNS is dead', async (t) => {
    healAfter(t)
    const lifeline = await start(t, net, { ...SOON, tunnel: { server: [DEAD_LNS, LNS_NAME] } })
    await net.fibre.cut()
    await waitForPath(lifeline, TUNNEL)
    await assertReaches(net)
  })

  test('the LNS dies under the tunnel: plain 4G, and the tunnel again when it is back', async (t) => {
    healAfter(t)
    await net.fibre.cut()
    const lifeline = await start(t, net, { ...SOON, tunnel: { echo_interval: 1 } }, TUNNEL)
    await net.lns.kill()
    t.after(async () => {
      if (!net.lns.running) await net.lns.start()
    })
    await waitForPath(lifeline, 'lte')
    await assertReaches(net, common.internet.ipv4)
    await net.lns.start()
    await waitForPath(lifeline, TUNNEL, 120_000)
    await assertReaches(net)
  })

  for (const first of ['fibre', 'lte'] as const) {
    test(`all is dead, and ${first} comes back first`, async (t) => {
      healAfter(t)
      const lifeline = await start(t, net, SOON)
      await net.lte.silence()
      await net.fibre.silence()
      await waitForNoPath(lifeline)
      await net[first].heal()
      await waitForPath(lifeline, first === 'fibre' ? 'fibre' : TUNNEL, 120_000)
      await assertReaches(net)
      await net[first === 'fibre' ? 'lte' : 'fibre'].heal()
      await waitForPath(lifeline, 'fibre')
      await assertReaches(net)
    })
  }

  test('wan-4g is deleted and made again under the tunnel', async (t) => {
    healAfter(t)
    await net.fibre.cut()
    const lifeline = await start(t, net, SOON, TUNNEL)
    await net.lte.remove()
    await waitForNoPath(lifeline)
    await net.lte.create()
    await waitForPath(lifeline, TUNNEL)
    await assertReaches(net)
  })

  test('the PPPoE device goes and comes back as another one', async (t) => {
    healAfter(t)
    const lifeline = await start(t, net, SOON)
    await net.fibre.remove()
    await waitForPath(lifeline, TUNNEL)
    await assertReaches(net)
    await net.fibre.create()
    await waitForPath(lifeline, 'fibre')
    await assertReaches(net)
  })

  function run(t: TestContext, changes: Changes): Lifeline {
    const lifeline = net.router.lifeline({ config: configuration(changes) })
    t.after(() => lifeline.stop())
    return lifeline
  }
})

/** Waits until no path carries traffic. */
async function waitForNoPath(lifeline: Lifeline): Promise<void> {
  await waitFor('no path to work', async () => {
    const status = await lifeline.status()
    return status?.failover?.active === null || status?.internet.state === 'down'
  })
}
