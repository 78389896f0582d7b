/** Connections live on while the path under them changes, again and again. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as common from '../addresses.ts'
import * as address from './addresses.ts'
import { Flow, Load, reflect, TALK_PORT } from './flows.ts'
import { LOGIN, SECRET, start, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

const TIMES = 10
const REDIRECTED = 8000
const CHANGES = {
  // Going back at once, else ten times would be taken for flapping.
  failover: { failback_delay: '0' },
  firewall: { allow_forward: [`${TALK_PORT}/tcp=${common.lan.ipv6}`] },
  redirect: {
    web: { proto: 'tcp', src_dport: `${REDIRECTED}`, dest_ip: common.lan.ipv4, dest_port: `${TALK_PORT}` },
  },
}

describe('flows through fibre, tunnel and fibre', { timeout: 600_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
    await Promise.all([reflect(net.internet.namespace), reflect(net.lan)])
  })
  after(() => net.close())

  test(`survive it ${TIMES} times in a row`, async (t) => {
    t.after(() => net.fibre.heal())
    const lifeline = await start(t, net, CHANGES)
    const flows = await openAll(net)
    const sleeping = await openSleeping(net)
    t.after(() => [...flows, ...sleeping].map((flow) => flow.close()))
    for (let time = 0; time < TIMES; time++) {
      await net.fibre.cut()
      await waitForPath(lifeline, TUNNEL)
      await allLive(flows, `over the tunnel, time ${time + 1}`)
      await net.fibre.heal()
      await waitForPath(lifeline, 'fibre')
      await allLive(flows, `back on fibre, time ${time + 1}`)
    }
    await allLive(sleeping, 'after having said nothing all the time')
    for (const flow of [...flows, ...sleeping])
      assert.equal(flow.seenAs.length, 1, `${flow.name}: ${flow.seenAs}`)
  })

  test('a download goes on after each switch, though the MTU changes', async (t) => {
    t.after(() => net.fibre.heal())
    const lifeline = await start(t, net, CHANGES)
    const downloads = [
      await Load.open(net.lan, 'download', common.internet.ipv4),
      await Load.open(net.lan, 'download', common.internet.ipv6),
    ]
    t.after(() => downloads.map((download) => download.close()))
    for (let time = 0; time < 3; time++) {
      await net.fibre.silence()
      await waitForPath(lifeline, TUNNEL)
      await Promise.all(downloads.map((download) => download.progresses()))
      await net.fibre.heal()
      await waitForPath(lifeline, 'fibre')
      await Promise.all(downloads.map((download) => download.progresses()))
    }
  })
})

function openAll(net: Provider): Promise<Flow[]> {
  const { ipv4, ipv6 } = common.internet
  const outside = net.internet.namespace
  const open = Flow.open
  return Promise.all([
    open('from the LAN', net.lan, 'tcp', ipv4, TALK_PORT, 'busy'),
    open('from the LAN', net.lan, 'tcp', ipv4, TALK_PORT, 'idle'),
    open('from the LAN', net.lan, 'udp', ipv4, TALK_PORT, 'busy'),
    open('from the LAN', net.lan, 'udp', ipv4, TALK_PORT, 'idle'),
    open('from the LAN over IPv6', net.lan, 'tcp', ipv6, TALK_PORT, 'busy'),
    open('from the LAN over IPv6', net.lan, 'tcp', ipv6, TALK_PORT, 'idle'),
    open('to a redirect', outside, 'tcp', address.shared.ipv4, REDIRECTED, 'busy'),
    open('to a redirect', outside, 'tcp', address.shared.ipv4, REDIRECTED, 'idle'),
    open('to the LAN over IPv6', outside, 'tcp', common.lan.ipv6, TALK_PORT, 'busy'),
    open('to the LAN over IPv6', outside, 'tcp', common.lan.ipv6, TALK_PORT, 'idle'),
  ])
}

/** They say nothing before all is over. */
function openSleeping(net: Provider): Promise<Flow[]> {
  const outside = net.internet.namespace
  return Promise.all([
    Flow.open('sleeping, from the LAN', net.lan, 'tcp', common.internet.ipv4, TALK_PORT, 'idle'),
    Flow.open('sleeping, from the LAN over IPv6', net.lan, 'tcp', common.internet.ipv6, TALK_PORT, 'idle'),
    Flow.open('sleeping, to a redirect', outside, 'tcp', address.shared.ipv4, REDIRECTED, 'idle'),
    Flow.open('sleeping, to the LAN over IPv6', outside, 'tcp', common.lan.ipv6, TALK_PORT, 'idle'),
  ])
}

async function allLive(flows: readonly Flow[], when: string): Promise<void> {
  const outcomes = await Promise.allSettled(flows.map((flow) => flow.lives()))
  const dead = outcomes.flatMap((outcome, index) =>
    outcome.status === 'rejected' ? [`${flows[index]?.name}: ${outcome.reason}`] : [],
  )
  assert.deepEqual(dead, [], when)
}
