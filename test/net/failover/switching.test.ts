/** Fibre fails and comes back: the same address all the time, over the tunnel meanwhile. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as common from '../addresses.ts'
import { waitFor } from '../wait.ts'
import * as address from './addresses.ts'
import { DEVICE, LOGIN, SECRET, start, TUNNEL, waitForPath, waitForWarm } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

/** s. */
const MAPPING = 4

describe('fibre, the tunnel over 4G, plain 4G', { timeout: 400_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
  })
  after(() => net.close())

  for (const [fails, how] of [
    ['loses its carrier', 'cut'],
    ['falls silent', 'silence'],
  ] as const) {
    test(`fibre ${fails}: the tunnel takes over, and fibre again when it is well`, async (t) => {
      t.after(() => net.fibre.heal())
      const lifeline = await start(t, net)
      await net.fibre[how]()
      await waitForPath(lifeline, TUNNEL)
      assert.equal((await lifeline.status())?.tunnel[TUNNEL]?.ipv4.address, address.shared.ipv4)
      assert.equal(await wayTo(net, common.internet.ipv4), DEVICE)
      await reaches(net)
      await net.fibre.heal()
      await waitForPath(lifeline, 'fibre')
      assert.equal(await wayTo(net, common.internet.ipv4), 'pppoe-aaisp')
      await reaches(net)
      await net.lns.waitForNoSession(LOGIN.name)
    })
  }
})

test('a carrier that has forgotten where the quiet control connection came from', {
  timeout: 120_000,
}, async (t) => {
  const net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET, mapping: MAPPING })
  t.after(() => net.close())
  const lifeline = await start(t, net)
  await waitForWarm(net)
  const warm = (await net.lns.tunnels()).map(({ id }) => id)
  // Longer than the mapping lives, shorter than the next HELLO.
  await sleep(2 * MAPPING * 1000)
  await net.fibre.cut()
  await waitForPath(lifeline, TUNNEL)
  await reaches(net)
  const session = await net.lns.waitForSession(LOGIN.name)
  assert.ok(!warm.includes(session.tunnel), 'the session is in a tunnel whose answers cannot arrive')
})

/** The device by which the router sends to an address. */
async function wayTo(net: Provider, to: string): Promise<string | undefined> {
  const [route] = await net.router.namespace.show<{ dev: string }[]>('route', 'get', to)
  return route?.dev
}

/** The router reaches the internet from the shared address. */
async function reaches(net: Provider): Promise<void> {
  await waitFor('the internet to answer', async () => {
    const { received } = await net.router.ping(common.internet.ipv4, { from: address.shared.ipv4, count: 2 })
    return received > 0
  })
}
