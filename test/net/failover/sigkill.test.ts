/** Sudden death of the daemon on either path: what is filtered stays so, and connections outlive it. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as common from '../addresses.ts'
import { answer } from '../echo.ts'
import { type KernelState, kernelState } from '../kernel-state.ts'
import type { Lifeline } from '../lifeline.ts'
import { Knocking } from '../strangers.ts'
import { waitFor } from '../wait.ts'
import * as address from './addresses.ts'
import { Flow, reflect, TALK_PORT } from './flows.ts'
import { PingWatch } from './outage.ts'
import { DEVICE, LOGIN, SECRET, start, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

/** A port on which router and LAN host listen, and which nobody allows. */
const CLOSED = 2222
const REDIRECTED = 8000
const CHANGES = {
  failover: { failback_delay: '1' },
  firewall: { allow_forward: [`${TALK_PORT}/tcp=${common.lan.ipv6}`] },
  redirect: {
    web: { proto: 'tcp', src_dport: `${REDIRECTED}`, dest_ip: common.lan.ipv4, dest_port: `${TALK_PORT}` },
  },
}

describe('SIGKILL of a daemon that has a failover section', { timeout: 300_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET })
    await Promise.all([
      reflect(net.internet.namespace),
      reflect(net.lan),
      answer(net.router.namespace, 'tcp', CLOSED),
      answer(net.lan, 'tcp', CLOSED),
    ])
  })
  after(() => net.close())

  test('on an uplink: nothing changes for traffic, neither then nor at the next start', async (t) => {
    const { namespace } = net.router
    const lifeline = await start(t, net, CHANGES)
    await isWarm(lifeline)
    const flows = await openAll(t, net)
    const strangers = await knock(t, net)
    const ping = new PingWatch(net.lan, common.internet.ipv4)
    t.after(() => ping.stop())
    const before = await kernelState(namespace)
    await lifeline.kill9()
    await sleep(2000)
    assert.deepEqual(await kernelState(namespace), before)
    await allLive(flows)
    const next = await start(t, net, CHANGES)
    await isWarm(next)
    await allLive(flows)
    assert.deepEqual(withoutGuard(await kernelState(namespace)), withoutGuard(before))
    assert.deepEqual(lost(ping), [])
    assert.ok(ping.answers.length > 100)
    assert.deepEqual(await strangers.stop(), [])
    assertNeverMoved(flows)
    assert.equal(await next.stop(), 0)
  })

  test('on the tunnel: filters stay, lookups fall through; the next start brings address and connections back', async (t) => {
    const { namespace } = net.router
    const lifeline = await start(t, net, CHANGES)
    const flows = await openAll(t, net)
    // As PPPoE does: main has no route over it any more.
    await net.fibre.remove()
    t.after(() => net.fibre.heal())
    await waitForPath(lifeline, TUNNEL)
    await allLive(flows)
    const strangers = await knock(t, net)
    const { nft } = await kernelState(namespace)

    await lifeline.kill9()
    const died = performance.now()
    await fallsThrough(net, 'wan-4g')
    t.diagnostic(`lookups fell through to main after ${(performance.now() - died).toFixed(0)} ms`)
    assert.deepEqual((await kernelState(namespace)).nft, nft)
    await reaches(net)

    const next = await start(t, net, CHANGES, TUNNEL)
    assert.equal((await next.status())?.tunnel[TUNNEL]?.ipv4.address, address.shared.ipv4)
    await allLive(flows)
    await net.fibre.heal()
    await waitForPath(next, 'fibre')
    await allLive(flows)
    assert.deepEqual(await strangers.stop(), [])
    assertNeverMoved(flows)
    assert.equal(await next.stop(), 0)
  })

  test('a leak would be seen', async (t) => {
    const allowed = {
      allow: [`${CLOSED}/tcp`],
      allow_forward: [`${CLOSED}/tcp=${common.lan.ipv6}`],
    }
    await start(t, net, { ...CHANGES, firewall: allowed })
    const strangers = await knock(t, net)
    await waitFor('strangers to be answered', async () => (await strangers.leaks()).length > 10)
  })

  test('while traffic waits for a tunnel: lookups fall through', async (t) => {
    const lns = net.lns.namespace
    t.after(async () => {
      await lns.nft('delete table inet mute')
      await net.fibre.heal()
    })
    const lifeline = await start(t, net, { ...CHANGES, failover: { dial_grace: '60' } })
    await isWarm(lifeline)
    await lns.nft(
      'table inet mute { chain input { type filter hook input priority 0; udp dport 1701 drop; }; }',
    )
    await net.fibre.remove()
    await waitForHold(lifeline)
    await wayOut(net, DEVICE)
    await lifeline.kill9()
    await fallsThrough(net, 'wan-4g')
    await reaches(net)
    const next = net.router.lifeline({ config: { tunnel: {} } })
    t.after(() => next.stop())
    await waitFor('the next one to be there', async () => (await next.status()) !== undefined)
    assert.equal(await next.stop(), 0)
  })
})

/** The port of the tunnel is another one after each dial. */
function withoutGuard(state: KernelState): KernelState {
  const { nftables } = state.nft as { nftables: { rule?: { table: string; chain: string } }[] }
  const others = nftables.filter(({ rule }) => rule?.table !== 'lifeline' || rule.chain !== 'guard')
  assert.ok(others.length < nftables.length, 'there is no guard')
  return { ...state, nft: others }
}

/** Its control connection stands: the LNS may remember others, of those who were killed. */
async function isWarm(lifeline: Lifeline): Promise<void> {
  await lifeline.process.waitForOutput(/packet="SCCCN/)
}

async function openAll(t: TestContext, net: Provider): Promise<Flow[]> {
  const outside = net.internet.namespace
  const flows = await Promise.all([
    Flow.open('from the LAN', net.lan, 'tcp', common.internet.ipv4, TALK_PORT, 'busy'),
    Flow.open('from the LAN', net.lan, 'udp', common.internet.ipv4, TALK_PORT, 'busy'),
    Flow.open('from the LAN over IPv6', net.lan, 'tcp', common.internet.ipv6, TALK_PORT, 'idle'),
    Flow.open('to a redirect', outside, 'tcp', address.shared.ipv4, REDIRECTED, 'idle'),
    Flow.open('to the LAN over IPv6', outside, 'tcp', common.lan.ipv6, TALK_PORT, 'busy'),
  ])
  t.after(() => {
    for (const flow of flows) flow.close()
  })
  return flows
}

async function allLive(flows: readonly Flow[]): Promise<void> {
  await Promise.all(flows.map((flow) => flow.lives()))
}

/** Each was seen under one address and port all the time. */
function assertNeverMoved(flows: readonly Flow[]): void {
  for (const flow of flows) assert.equal(flow.seenAs.length, 1, `${flow.name}: ${flow.seenAs}`)
}

async function knock(t: TestContext, net: Provider): Promise<Knocking> {
  const strangers = await Knocking.start(net, [address.shared.ipv4, common.lan.ipv6], CLOSED)
  t.after(() => strangers.close())
  return strangers
}

/** The numbers of the pings without an answer, but for the last. */
function lost(ping: PingWatch): number[] {
  const answered = new Set(ping.numbers)
  const last = Math.max(...answered)
  return Array.from({ length: last }, (_, i) => i + 1).filter((number) => !answered.has(number))
}

/** With no process behind the tunnel, router and LAN go the way of the main table. */
async function fallsThrough(net: Provider, device: string): Promise<void> {
  // The kernel acts on a carrier that goes within a second (net/core/link_watch.c).
  await wayOut(net, device)
}

async function wayOut({ router }: Provider, device: string): Promise<void> {
  const { ipv4 } = common.internet
  const lookups = [`route get ${ipv4}`, `route get ${ipv4} from ${common.lan.ipv4} iif lan0`]
  let answers = ''
  await waitFor(
    `lookups to lead to ${device}`,
    async () => {
      const input = lookups.join('\n')
      answers = (await router.namespace.run(['ip', '-o', '-batch', '-'], { input })).stdout
      const devices = [...answers.matchAll(/ dev (\S+)/g)].map(([, name]) => name)
      return devices.length === lookups.length && devices.every((name) => name === device)
    },
    { every: 20, explain: () => answers },
  )
}

/** A new connection of the LAN gets an answer. */
async function reaches(net: Provider): Promise<void> {
  const flow = await Flow.open('new', net.lan, 'tcp', common.internet.ipv4, TALK_PORT, 'idle')
  flow.close()
}

async function waitForHold(lifeline: Lifeline): Promise<void> {
  let seen: unknown
  await waitFor(
    'traffic to be held',
    async () => {
      seen = (await lifeline.status())?.failover
      return (seen as { active?: string | null } | undefined)?.active === null
    },
    { every: 25, explain: () => `${JSON.stringify(seen, null, 2)}\n${lifeline.log.slice(-5000)}` },
  )
}
