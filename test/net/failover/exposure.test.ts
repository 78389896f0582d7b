/** What strangers find of a server and its LAN, and of both kinds of machines while things change: what is allowed alone. */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as common from '../addresses.ts'
import { ask } from '../control.ts'
import type { Lifeline } from '../lifeline.ts'
import type { Namespace } from '../namespace.ts'
import { Scanner } from '../scan.ts'
import { globalIpv6, subscriber, TUNNEL_SECRET, tunnelOf } from '../scenario.ts'
import { Knocking } from '../strangers.ts'
import { buildNetwork, type Network } from '../topology.ts'
import { waitFor } from '../wait.ts'
import * as address from './addresses.ts'
import { configuration, LOGIN, SECRET, start, TUNNEL, waitForPath } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

const ALL_PORTS = Array.from({ length: 65_535 }, (_, i) => i + 1)
/** On which router and LAN host listen: what is allowed, its neighbours, and what strangers look for first. */
const TCP_OPEN = [21, 22, 23, 24, 25, 26, 53, 80, 442, 443, 444, 654, 655, 656, 3389, 8000, 8080, 49_152]
const UDP_OPEN = [
  22, 53, 67, 68, 80, 123, 161, 443, 500, 546, 547, 654, 655, 656, 1194, 1701, 5353, 8000, 51_820,
]
/** With all neighbours. */
const COMMON_UDP = [...new Set(UDP_OPEN.flatMap((port) => [port - 1, port, port + 1]))]
const FORWARDED = 443
const REDIRECTED = 8000
const REDIRECT = {
  web: { proto: 'tcp udp', src_dport: `${REDIRECTED}`, dest_ip: common.lan.ipv4, dest_port: '80' },
}
const FORWARD = [`${FORWARDED}/tcp=${common.lan.ipv6}`]
/** A port that is open on all hosts, and never allowed. */
const CLOSED = 23

interface Expected {
  readonly to: string
  readonly tcp: readonly number[]
  readonly udp: readonly number[]
}

describe('a router with failover', { timeout: 600_000 }, () => {
  const CHANGES = {
    failover: { failback_delay: '1' },
    firewall: { allow_forward: FORWARD },
    redirect: REDIRECT,
  }
  let net: Provider
  before(async () => {
    net = await buildProvider({ users: [LOGIN], tunnelSecret: SECRET, lte: { delay: 1 } })
    await Promise.all([net.router.namespace, net.lan].map(listen))
  })
  after(() => net.close())

  test('samples while it starts, switches, reloads, dies and starts again', async (t) => {
    t.after(() => net.fibre.heal())
    const before = await start(t, net, CHANGES)
    const targets = [address.shared.ipv4, common.routerAtLan.ipv6, common.lan.ipv6]
    const closed = await Knocking.start(net, targets, CLOSED)
    t.after(() => closed.close())
    let lifeline = before
    for (let times = 0; times < 2; times++) {
      await net.fibre.cut()
      await waitForPath(lifeline, TUNNEL)
      lifeline.reload(
        configuration({ ...CHANGES, firewall: { allow: ['22,24/tcp'], allow_forward: FORWARD } }),
      )
      await sleep(300)
      await ask(lifeline.socket, 'use', { path: 'lte' })
      await waitForPath(lifeline, 'lte')
      await ask(lifeline.socket, 'use', { path: 'auto' })
      await waitForPath(lifeline, TUNNEL)
      await lifeline.kill9()
      await sleep(300)
      lifeline = await start(t, net, CHANGES, TUNNEL)
      await net.fibre.heal()
      await waitForPath(lifeline, 'fibre')
      await lifeline.kill9()
      await sleep(300)
      lifeline = await start(t, net, CHANGES)
    }
    assert.deepEqual(await closed.stop(), [])
  })
})

describe('the server of the README', { timeout: 600_000 }, () => {
  const alice = subscriber('alice', 1)
  const DEV = 'l2tp-aaisp'
  const CONFIG = {
    tunnel: { aaisp: tunnelOf(alice, { defaultroute: false, ip6prefix: '2001:db8:2::/56' }) },
    firewall: { internet: { allow: ['25,443,655/tcp', '655/udp'], allow_forward: FORWARD } },
    redirect: REDIRECT,
  }
  let net: Network
  before(async () => {
    net = await buildNetwork({
      users: [{ ...alice, prefix: '2001:db8:2::/56' }],
      tunnelSecret: TUNNEL_SECRET,
    })
    await Promise.all([net.router.namespace, net.lan].map(listen))
  })
  after(() => net.close())

  test('a scan of everything', async (t) => {
    const lifeline = net.router.lifeline({ config: CONFIG })
    t.after(() => lifeline.stop())
    const own6 = await up(lifeline)
    const scanner = await Scanner.create(net.internet.namespace, common.internet, net.router.namespace, DEV)
    const open = [25, 443, 655]
    await assertExposed(t, scanner, { to: alice.ipv4, tcp: [...open, REDIRECTED], udp: [655, REDIRECTED] })
    await assertExposed(t, scanner, { to: own6, tcp: open, udp: [655] })
    await assertExposed(t, scanner, { to: common.lan.ipv6, tcp: [FORWARDED], udp: [] })
    await assertExposed(t, scanner, { to: common.routerAtLan.ipv6, tcp: open, udp: [655] }, TCP_OPEN)
  })

  test('samples while it dials, reloads, dies and starts again', async (t) => {
    let lifeline = net.router.lifeline({ config: CONFIG })
    const own6 = await up(lifeline)
    const closed = await Knocking.start(net, [alice.ipv4, own6, common.lan.ipv6], CLOSED)
    t.after(() => closed.close())
    for (let times = 0; times < 3; times++) {
      await lifeline.cli('reconnect', 'aaisp')
      await up(lifeline)
      lifeline.reload({ ...CONFIG, firewall: { internet: { allow: [`${CLOSED + 1}/tcp`] } } })
      await sleep(300)
      await lifeline.kill9()
      await sleep(300)
      lifeline = net.router.lifeline({ config: CONFIG })
      await up(lifeline)
      assert.equal(await lifeline.stop(), 0)
      lifeline = net.router.lifeline({ config: CONFIG })
      await up(lifeline)
    }
    assert.deepEqual(await closed.stop(), [])
    lifeline.reload({ ...CONFIG, firewall: { internet: { allow: [`${CLOSED}/tcp`] } } })
    const allowed = await Knocking.start(net, [alice.ipv4], CLOSED)
    t.after(() => allowed.close())
    await waitFor(
      'strangers to be answered once it is allowed',
      async () => (await allowed.leaks()).length > 10,
    )
    await lifeline.stop()
  })

  async function up(lifeline: Lifeline): Promise<string> {
    const tunnel = await lifeline.waitForTunnel(
      'aaisp',
      'to be up with both families',
      (now) => now.state === 'up' && globalIpv6(now) !== undefined,
    )
    return globalIpv6(tunnel) ?? ''
  }
})

/** All TCP ports, or some, and many UDP ports: those that are expected answer, all others are silent. */
async function assertExposed(
  t: TestContext,
  scanner: Scanner,
  { to, tcp, udp }: Expected,
  ports: readonly number[] = ALL_PORTS,
): Promise<void> {
  const began = performance.now()
  for (const [protocol, wanted, asked] of [
    ['tcp', tcp, ports],
    ['udp', udp, COMMON_UDP],
  ] as const) {
    const findings = await scanner.scan({ to, protocol, ports: asked })
    const silent = { refused: 0, complaints: 0, arrived: asked.length }
    assert.deepEqual(findings, { open: wanted, ...silent }, `${protocol} ports of ${to}`)
  }
  t.diagnostic(`${ports.length} TCP ports of ${to} in ${(performance.now() - began).toFixed(0)} ms`)
}

async function listen(host: Namespace): Promise<void> {
  const program = [process.execPath, '--import', 'tsx', resolve('test/net/listeners.ts')]
  await host.start('listeners', [...program, TCP_OPEN.join(), UDP_OPEN.join()]).waitForOutput(/ready/)
}
