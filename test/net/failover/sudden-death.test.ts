/** The daemon is killed while traffic goes over fibre, and while it goes over the tunnel. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as common from '../addresses.ts'
import { kernelState } from '../kernel-state.ts'
import * as address from './addresses.ts'
import { Flow, reflect, TALK_PORT } from './flows.ts'
import { assertReaches, LOGIN, SECRET, start, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

/** ms for which things are watched after the death. */
const WATCH = 2000

describe('SIGKILL', { timeout: 300_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
    await reflect(net.internet.namespace)
  })
  after(() => net.close())

  test('on fibre: nothing changes for traffic, nor when it runs again', async (t) => {
    const lifeline = await start(t, net)
    const flows = await openFlows(net)
    t.after(() => flows.map((flow) => flow.close()))
    const before = await kernelState(net.router.namespace)
    await lifeline.kill9()
    await sleep(WATCH)
    const { routes, rules, nft } = await kernelState(net.router.namespace)
    assert.deepEqual({ routes, rules, nft }, { routes: before.routes, rules: before.rules, nft: before.nft })
    await Promise.all(flows.map((flow) => flow.lives()))
    await start(t, net)
    await Promise.all(flows.map((flow) => flow.lives()))
    for (const flow of flows) assert.equal(flow.seenAs.length, 1, `${flow.name}: ${flow.seenAs}`)
  })

  test('on the tunnel: filters stay, lookups fall through; then the address is back and connections go on', async (t) => {
    t.after(() => net.fibre.heal())
    await net.fibre.cut()
    const lifeline = await start(t, net, {}, TUNNEL)
    await assertReaches(net)
    const flows = await openFlows(net)
    t.after(() => flows.map((flow) => flow.close()))
    const before = await kernelState(net.router.namespace)
    await lifeline.kill9()
    const after = await kernelState(net.router.namespace)
    assert.deepEqual(after.nft, before.nft, 'the filters have changed')
    assert.deepEqual(after.rules, before.rules)
    const [route] = await net.router.namespace.show<{ dev: string }[]>('route', 'get', common.internet.ipv4)
    assert.notEqual(route?.dev, `l2tp-${TUNNEL}`, 'traffic goes into a device without a session')
    const again = await start(t, net, {}, TUNNEL)
    assert.equal((await again.status())?.internet.ipv4, address.shared.ipv4)
    await Promise.all(flows.map((flow) => flow.lives(60_000)))
    for (const flow of flows) assert.equal(flow.seenAs.length, 1, `${flow.name}: ${flow.seenAs}`)
    await net.fibre.heal()
    await waitForPath(again, 'fibre')
    await Promise.all(flows.map((flow) => flow.lives()))
  })
})

function openFlows(net: Provider): Promise<Flow[]> {
  const { ipv4, ipv6 } = common.internet
  return Promise.all([
    Flow.open('from the LAN', net.lan, 'tcp', ipv4, TALK_PORT, 'busy'),
    Flow.open('from the LAN', net.lan, 'tcp', ipv4, TALK_PORT, 'idle'),
    Flow.open('from the LAN', net.lan, 'udp', ipv4, TALK_PORT, 'idle'),
    Flow.open('from the LAN over IPv6', net.lan, 'tcp', ipv6, TALK_PORT, 'idle'),
  ])
}
