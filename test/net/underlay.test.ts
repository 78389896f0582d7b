/** What carries the tunnel: IPv6, names, small links; and two tunnels over one uplink. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as address from './addresses.ts'
import {
  assertCarriesTraffic,
  assertReaches,
  assertTooLarge,
  dial,
  LINE,
  lineOf,
  run,
  subscriber,
  TUNNEL_SECRET,
  tunnelOf,
  waitForAll,
} from './scenario.ts'
import { buildNetwork, type Network } from './topology.ts'

const alice = subscriber('alice', 1)
const bob = subscriber('bob', 2)
const NAME = 'lns.example'

describe('an LNS that is reached by IPv6 and IPv4', { timeout: 400_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({
      users: [alice, bob],
      tunnelSecret: TUNNEL_SECRET,
      ipv6Underlay: true,
      names: { [NAME]: [address.lns.ipv4, address.lns.ipv6] },
    })
  })
  after(() => net.close())

  test('carries a tunnel over IPv6, with the smaller MTU', async (t) => {
    const { tunnel } = await dial(t, net, alice, { server: `[${address.lns.ipv6}]` })
    assert.match(tunnel.server ?? '', /2001:db8:192::1/)
    // RFC 8200 section 3: the IPv6 header is 20 octets longer.
    assert.equal(tunnel.mtu, 1442)
    await assertCarriesTraffic(net, tunnel)
    await assertReaches(net, address.internet.ipv4, { from: alice.ipv4, size: 1442, dontFragment: true })
    await assertTooLarge(net, address.internet.ipv4, { from: alice.ipv4, size: 1443 })
  })

  test('is found by its name', async (t) => {
    const { tunnel } = await dial(t, net, alice, { server: NAME })
    assert.match(tunnel.server ?? '', /^lns\.example \((192\.0\.2\.1|2001:db8:192::1)\)/)
    await assertCarriesTraffic(net, tunnel)
  })

  test('is reached by IPv4 where its IPv6 address leads nowhere', async (t) => {
    await net.dns?.set({ 'half.example': ['2001:db8:dead::1', address.lns.ipv4] })
    const { lifeline, tunnel } = await dial(t, net, alice, { server: 'half.example' })
    t.diagnostic(`up ${(performance.now() - lifeline.startedAt).toFixed(0)} ms after run`)
    assert.match(tunnel.server ?? '', /192\.0\.2\.1/)
  })

  test('whose name does not exist is dialled once it does', async (t) => {
    await net.dns?.set({})
    const lifeline = run(t, net, lineOf(alice, { server: 'new.example' }))
    const { last_error: error } = await lifeline.waitForError(LINE)
    assert.equal(error?.message, 'the server name new.example does not exist: check option server')
    await net.dns?.set({ 'new.example': [address.lns.ipv4] })
    await waitForAll(lifeline, 120_000)
  })

  test('is tried after a server that does not answer', async (t) => {
    const { tunnel } = await dial(t, net, alice, { server: ['192.0.2.99', address.lns.ipv4] })
    assert.match(tunnel.server ?? '', /192\.0\.2\.1/)
  })

  test('carries two tunnels at once, each with its own address', async (t) => {
    const lifeline = run(t, net, {
      tunnel: { first: tunnelOf(alice), second: tunnelOf(bob, { defaultroute: 0 }) },
    })
    const [first, second] = await Promise.all([lifeline.waitForUp('first'), lifeline.waitForUp('second')])
    assert.notEqual(first.device, second.device)
    await assertCarriesTraffic(net, first)
    await assertCarriesTraffic(net, second)
    await assertReaches(net, address.internet.ipv4, { from: first.device })
    await assertReaches(net, address.internet.ipv4, { from: second.device })
    assert.equal((await net.lns.session(alice.name))?.ipv4, first.ipv4.address)
    assert.equal((await net.lns.session(bob.name))?.ipv4, second.ipv4.address)
  })
})

describe('links of the usual size', { timeout: 200_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET })
  })
  after(() => net.close())

  test('carry 1462 octets inside, and larger packets in fragments', async (t) => {
    const { tunnel } = await dial(t, net, alice)
    assert.equal(tunnel.mtu, 1462)
    const from = alice.ipv4
    await assertReaches(net, address.internet.ipv4, { from, size: 1462, dontFragment: true })
    await assertTooLarge(net, address.internet.ipv4, { from, size: 1463 })
    await assertReaches(net, address.internet.ipv4, { from, size: 3000 })
    const { received, output } = await net.internet.ping(from, { count: 5, size: 1462 })
    assert.ok(received > 0, output)
  })

  test('carry as much as is configured, if that is less', async (t) => {
    const { tunnel } = await dial(t, net, alice, { mtu: 1300 })
    assert.equal(tunnel.mtu, 1300)
    const from = alice.ipv4
    await assertReaches(net, address.internet.ipv4, { from, size: 1300, dontFragment: true })
    await assertTooLarge(net, address.internet.ipv4, { from, size: 1301 })
  })
})

describe('a narrow link on the way', { timeout: 200_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, lnsMtu: 1400 })
  })
  after(() => net.close())

  test('carries full packets in fragments of the outer ones', async (t) => {
    const { tunnel } = await dial(t, net, alice)
    const size = tunnel.mtu ?? 0
    await assertReaches(net, address.internet.ipv4, { from: alice.ipv4, size, dontFragment: true })
  })
})

describe('a narrow uplink', { timeout: 200_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, uplinkMtu: 1400 })
  })
  after(() => net.close())

  test('makes the tunnel narrower by 38 octets', async (t) => {
    const { tunnel } = await dial(t, net, alice)
    assert.equal(tunnel.mtu, 1362)
    await assertReaches(net, address.internet.ipv4, { from: alice.ipv4, size: 1362, dontFragment: true })
  })
})
