/** Start, reload, stop and sudden death: the peer is told, the kernel is as before, nothing opens meanwhile. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kernelState } from './kernel-state.ts'
import {
  assertCarriesTraffic,
  DEVICE,
  dial,
  LINE,
  lineOf,
  run,
  seenFrom,
  subscriber,
  TUNNEL_SECRET,
  tunnelOf,
  waitForAll,
} from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'
import { waitFor } from './wait.ts'

const alice = subscriber('alice', 1)
const bob = subscriber('bob', 2)

describe('the life of the daemon', { timeout: 600_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice, bob], tunnelSecret: TUNNEL_SECRET })
  })
  after(() => net.close())

  test('SIGTERM sends CDN and StopCCN, and leaves the kernel as it was', async (t) => {
    const before = await kernelState(net.router.namespace)
    const { lifeline } = await dial(t, net, alice)
    const capture = await net.lns.capture(`${net.folder}/sigterm.pcap`)
    assert.equal(await lifeline.stop('SIGTERM'), 0)
    await net.lns.waitForNoSession(alice.name)
    await waitFor('no tunnel at the LNS', async () => (await net.lns.tunnels()).length === 0)
    const packets = (await capture.stop()).join('\n')
    assert.match(packets, /MSGTYPE\(CDN\)/)
    assert.match(packets, /MSGTYPE\(StopCCN\)/i)
    assert.deepEqual(await kernelState(net.router.namespace), before)
  })

  test('SIGTERM while it dials ends it soon', async (t) => {
    // An LNS that is gone refuses, and each dial is over before it can be seen.
    await net.isp.nft(
      'table inet silent { chain forward { type filter hook forward priority 0; udp dport 1701 drop; }; }',
    )
    t.after(() => net.isp.nft('delete table inet silent'))
    const lifeline = run(t, net, lineOf(alice))
    await lifeline.waitForTunnel(LINE, 'to dial', ({ state }) => state === 'dialling')
    const began = performance.now()
    assert.equal(await lifeline.stop('SIGTERM'), 0)
    t.diagnostic(`ended after ${(performance.now() - began).toFixed(0)} ms`)
  })

  test('SIGKILL leaves filters in place and lookups to main; a restart reconnects; a stop cleans up', async (t) => {
    const before = await kernelState(net.router.namespace)
    const { lifeline, tunnel } = await dial(t, net, alice)
    await lifeline.kill9()
    const device = (await net.router.namespace.show<{ ifname: string }[]>('link', 'show')).find(
      ({ ifname }) => ifname === DEVICE,
    )
    assert.ok(device, 'the device stays')
    assert.match((await net.router.namespace.run(['nft', 'list', 'ruleset'])).stdout, new RegExp(DEVICE))
    await waitFor('the way through main', async () => (await seenFrom(net)) === net.uplinks[0].ipv4)
    const { lifeline: next, tunnel: again } = await dial(t, net, alice)
    assert.equal(again.ipv4.address, tunnel.ipv4.address)
    await assertCarriesTraffic(net, again)
    assert.equal(await seenFrom(net), alice.ipv4)
    await next.stop()
    assert.deepEqual(await kernelState(net.router.namespace), before)
  })

  test('a second daemon refuses in words', async (t) => {
    await dial(t, net, alice)
    const second = run(t, net, lineOf(bob))
    assert.notEqual(await second.process.exited, 0)
    assert.match(second.log, /another lifeline .*already works in this network namespace: stop it first/)
  })

  test('a reload touches only what changed', async (t) => {
    const lifeline = run(t, net, { tunnel: { first: tunnelOf(alice) } })
    await lifeline.waitForUp('first')
    const session = await net.lns.waitForSession(alice.name)
    const both = { tunnel: { first: tunnelOf(alice), second: tunnelOf(bob, { defaultroute: 0 }) } }
    lifeline.reload(both)
    await assertCarriesTraffic(net, await lifeline.waitForUp('second'))
    assert.deepEqual(await net.lns.session(alice.name), session, 'the first session is the same')

    lifeline.reload({ tunnel: { first: tunnelOf(alice) } })
    await net.lns.waitForNoSession(bob.name)
    assert.equal((await lifeline.status())?.tunnel.second, undefined)
    assert.deepEqual(await net.lns.session(alice.name), session, 'the first session is the same')
  })

  test('a wrong new configuration leaves the running one in place and says why', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    lifeline.reload(lineOf(alice, { mtu: 70_000 }))
    await waitFor('the reason in the log', () => /mtu/.test(lifeline.log))
    const { code, stdout, stderr } = await lifeline.cli('reload')
    assert.notEqual(code, 0)
    assert.match(stdout + stderr, /mtu.*576 to 1500/s)
    assert.equal((await lifeline.status())?.tunnel[LINE]?.since, tunnel.since)
    await assertCarriesTraffic(net, tunnel)
  })

  test('down lasts until up, and reconnect dials anew', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    assert.equal((await lifeline.cli('down', LINE)).code, 0)
    await lifeline.waitForTunnel(LINE, 'to be disabled', ({ state }) => state === 'disabled')
    await net.lns.waitForNoSession(alice.name)
    const { code, stderr } = await lifeline.cli('reconnect', LINE)
    assert.equal(code, 1)
    assert.match(stderr, /the tunnel line is switched off: switch it on with `lifeline up line`/)
    assert.equal((await lifeline.cli('up', LINE)).code, 0)
    const up = await waitForAll(lifeline)
    assert.equal((await lifeline.cli('reconnect', LINE)).code, 0)
    await lifeline.waitForTunnel(
      LINE,
      'to be up again',
      ({ state, since }) => state === 'up' && since > up.since,
    )
    assert.ok(up.since > tunnel.since)
  })

  test('a remembered LNS and address save a round trip after a restart', async (t) => {
    const { lifeline } = await dial(t, net, alice)
    await lifeline.stop()
    const capture = await net.lns.capture(`${net.folder}/again.pcap`)
    await dial(t, net, alice)
    const packets = (await capture.stop()).join('\n')
    assert.match(packets, new RegExp(`IPCP.*Conf-Request.*IP-Addr Option.*${alice.ipv4}`))
    assert.doesNotMatch(packets, /IPCP.*Conf-Nak.*IP-Addr Option/)
  })
})
