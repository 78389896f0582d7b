/** What dies later than at the start, and comes back: traffic finds its way without help. */
import { after, before, describe, type TestContext, test } from 'node:test'
import * as common from '../addresses.ts'
import { assertReaches, LOGIN, SECRET, start, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

const SOON = { failover: { failback_delay: '1' } }

describe('trouble while all works', { timeout: 300_000 }, () => {
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
})
