/** Things that are dead at boot, come late or come back: all of it recovers without help. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import * as common from '../addresses.ts'
import type { Lifeline } from '../lifeline.ts'
import { ping } from '../ping.ts'
import { waitFor } from '../wait.ts'
import * as address from './addresses.ts'
import { configuration, LOGIN, SECRET, start, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, LNS_NAME, type Provider } from './topology.ts'

const CHANGES = { failover: { failback_delay: '1' } }
/** In the provider's network, where nobody has it. */
const DEAD_LNS = '192.0.2.99'

describe('boot, with something missing', { timeout: 300_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
  })
  after(() => net.close())

  test('fibre is dead: the tunnel comes up by itself; fibre is taken when it comes', async (t) => {
    t.after(() => net.fibre.heal())
    await net.fibre.cut()
    const lifeline = await start(t, net, CHANGES, TUNNEL)
    await carries(net, lifeline, TUNNEL)
    await net.fibre.heal()
    await waitForPath(lifeline, 'fibre')
    await carries(net, lifeline, 'fibre')
  })

  test('fibre is silent: the same', async (t) => {
    t.after(() => net.fibre.heal())
    await net.fibre.silence()
    const lifeline = await start(t, net, CHANGES, TUNNEL)
    await carries(net, lifeline, TUNNEL)
    await net.fibre.heal()
    await waitForPath(lifeline, 'fibre')
    await carries(net, lifeline, 'fibre')
  })

  test('the device of PPPoE appears only later', async (t) => {
    await net.fibre.remove()
    t.after(() => net.fibre.heal())
    const lifeline = await start(t, net, CHANGES, TUNNEL)
    await carries(net, lifeline, TUNNEL)
    await net.fibre.create()
    await waitForPath(lifeline, 'fibre')
    await carries(net, lifeline, 'fibre')
  })

  test('no line at all: 4G comes first, then fibre', async (t) => {
    await net.fibre.remove()
    await net.lte.remove()
    t.after(() => healAll(net))
    const lifeline = run(t, net)
    await waitFor('it to say so', async () => (await lifeline.status())?.internet.state === 'down')
    await net.lte.create()
    await waitForPath(lifeline, TUNNEL)
    await carries(net, lifeline, TUNNEL)
    await net.fibre.create()
    await waitForPath(lifeline, 'fibre')
    await carries(net, lifeline, 'fibre')
  })

  test('no line at all: fibre comes first, and fails when 4G is there', async (t) => {
    await net.fibre.remove()
    await net.lte.remove()
    t.after(() => healAll(net))
    const lifeline = run(t, net)
    await waitFor('it to say so', async () => (await lifeline.status())?.internet.state === 'down')
    await net.fibre.create()
    await waitForPath(lifeline, 'fibre')
    await net.lte.create()
    await waitFor('the tunnel to stand by', async () => (await lifeline.status())?.uplink.lte?.state === 'up')
    await net.fibre.remove()
    await waitForPath(lifeline, TUNNEL)
    await carries(net, lifeline, TUNNEL)
  })

  test('wan-4g is pulled under the tunnel and plugged in again', async (t) => {
    t.after(() => healAll(net))
    await net.fibre.cut()
    const lifeline = await start(t, net, CHANGES, TUNNEL)
    for (let times = 0; times < 2; times++) {
      await net.lte.remove()
      await waitFor('no way out', async () => (await lifeline.status())?.internet.state === 'down')
      await net.lte.create()
      await waitForPath(lifeline, TUNNEL)
      await carries(net, lifeline, TUNNEL)
    }
  })

  test('wan-4g is pulled and plugged in while fibre works: it is of use afterwards', async (t) => {
    t.after(() => healAll(net))
    const lifeline = await start(t, net, CHANGES)
    await net.lte.remove()
    await waitFor('its absence', async () => (await lifeline.status())?.uplink.lte?.state === 'absent')
    await net.lte.create()
    await net.fibre.cut()
    await waitForPath(lifeline, TUNNEL)
    await carries(net, lifeline, TUNNEL)
  })

  test('DNS is dead and fibre too: 4G itself, and the tunnel once names are answered', async (t) => {
    t.after(async () => {
      await net.dns.stop()
      await net.dns.start()
      await net.fibre.heal()
    })
    await forget(net)
    await net.dns.stop()
    await net.fibre.cut()
    const lifeline = await start(t, net, CHANGES, 'lte')
    await net.dns.start()
    await waitForPath(lifeline, TUNNEL)
    await carries(net, lifeline, TUNNEL)
  })

  test('DNS is dead, but the name was known at the last run', async (t) => {
    t.after(async () => {
      await net.dns.start()
      await net.fibre.heal()
    })
    await forget(net)
    const first = await start(t, net, CHANGES)
    await first.process.waitForOutput(/packet="SCCCN/)
    await first.stop()
    await net.dns.stop()
    await net.fibre.cut()
    const lifeline = await start(t, net, CHANGES, TUNNEL)
    await carries(net, lifeline, TUNNEL)
  })

  test('the first LNS is dead, and fibre too', async (t) => {
    t.after(() => net.fibre.heal())
    await net.fibre.cut()
    const changes = { ...CHANGES, tunnel: { server: [DEAD_LNS, LNS_NAME] } }
    const lifeline = await start(t, net, changes, TUNNEL)
    await carries(net, lifeline, TUNNEL)
  })

  const ORDERS = [
    ['the LNS', '4G', 'fibre'],
    ['the LNS', 'fibre', '4G'],
    ['4G', 'the LNS', 'fibre'],
    ['4G', 'fibre', 'the LNS'],
    ['fibre', '4G', 'the LNS'],
    ['fibre', 'the LNS', '4G'],
  ] as const
  for (const order of ORDERS) {
    test(`all is dead, and comes back: ${order.join(', then ')}`, async (t) => {
      t.after(() => net.lns.running || net.lns.start())
      t.after(() => healAll(net))
      await net.lns.kill()
      await net.fibre.cut()
      await net.lte.cut()
      const lifeline = run(t, net)
      await waitFor('it to say so', async () => (await lifeline.status())?.internet.state === 'down')
      const back = new Set<string>()
      for (const what of order) {
        back.add(what)
        if (what === 'the LNS') await net.lns.start()
        else await (what === 'fibre' ? net.fibre : net.lte).heal()
        const over4G = back.has('the LNS') ? TUNNEL : 'lte'
        const path = back.has('fibre') ? 'fibre' : back.has('4G') ? over4G : undefined
        if (path) await waitForPath(lifeline, path, 90_000)
      }
      await net.fibre.cut()
      await waitForPath(lifeline, TUNNEL, 90_000)
      await carries(net, lifeline, TUNNEL)
    })
  }
})

function run(t: TestContext, net: Provider): Lifeline {
  const lifeline = net.router.lifeline({ config: configuration(CHANGES) })
  t.after(() => lifeline.stop())
  return lifeline
}

/** What earlier runs have learnt is gone. */
async function forget(net: Provider): Promise<void> {
  await net.router.namespace.run(['rm', '-rf', net.router.stateFolder])
}

async function healAll(net: Provider): Promise<void> {
  await net.lte.heal()
  await net.fibre.heal()
}

/** The LAN reaches the internet, under the address that belongs to the path, which is in use until then. */
async function carries(net: Provider, lifeline: Lifeline, path: string): Promise<void> {
  let last = ''
  await waitFor(
    `${path} to carry pings of the LAN`,
    async () => {
      const { received, output } = await ping(net.lan, common.internet.ipv4)
      last = output
      return received === 1
    },
    { explain: () => `${last}\n${lifeline.log.slice(-3000)}` },
  )
  const { internet } = (await lifeline.status()) ?? {}
  assert.equal(internet?.path, path)
  assert.equal(internet?.ipv4, address.shared.ipv4)
  if (path === TUNNEL) assert.ok(await net.lns.session(LOGIN.name))
}
