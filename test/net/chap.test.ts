/** A login by CHAP against l2tpns: the tunnel carries packets, the status is right, and no secret shows. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import * as address from './addresses.ts'
import {
  assertCarriesTraffic,
  assertReaches,
  DEVICE,
  dial,
  globalIpv6,
  LINE,
  seenFrom,
  subscriber,
  TUNNEL_SECRET,
} from './scenario.ts'
import { type DialTimes, timedDial } from './timing.ts'
import { buildNetwork, type Network } from './topology.ts'

const alice = subscriber('alice', 1)
const bob = { name: 'bob@example', password: 'password-of-bob' }
const carol = subscriber('carol', 3)

describe('a login by CHAP', { timeout: 300_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice, bob, carol], tunnelSecret: TUNNEL_SECRET })
  })
  after(() => net.close())

  test('gives an address, a device and the internet', async (t) => {
    const { tunnel } = await dial(t, net, alice)
    assert.equal(tunnel.ipv4.address, alice.ipv4)
    await assertCarriesTraffic(net, tunnel)
    await assertReaches(net, address.internet.ipv6)
    assert.equal(await seenFrom(net), alice.ipv4)
    assert.equal(await seenFrom(net, 6), globalIpv6(tunnel))
    assert.equal((await net.lns.waitForSession(alice.name)).ipv4, alice.ipv4)
  })

  test('is reachable from the internet by ICMP', async (t) => {
    const { tunnel } = await dial(t, net, alice)
    for (const to of [alice.ipv4, globalIpv6(tunnel) ?? 'no IPv6 address']) {
      const { received, output } = await net.internet.ping(to, { count: 5 })
      assert.ok(received > 0, output)
    }
  })

  test('gives an address of the pool to those without one', async (t) => {
    const { tunnel } = await dial(t, net, bob)
    assert.match(tunnel.ipv4.address ?? '', /^203\.0\.113\.(1[2-9]\d|2\d\d)$/)
    await assertCarriesTraffic(net, tunnel)
  })

  test('shows in the status what was negotiated', async (t) => {
    const began = Date.now()
    const { lifeline, tunnel } = await dial(t, net, carol)
    const [session] = (await net.lns.sessions()).filter(({ user }) => user === carol.name)
    const { code, stdout } = await lifeline.cli('status', '--json')
    assert.equal(code, 0)
    const status = JSON.parse(stdout)
    assert.equal(status.schema, 1)
    assert.match(status.version, /^\d+\.\d+\.\d+/)
    assert.deepEqual(
      { ...status.internet, since: undefined },
      { state: 'ok', path: LINE, ipv4: carol.ipv4, ipv6: globalIpv6(tunnel), since: undefined },
    )
    const line = status.tunnel[LINE]
    assert.equal(line.state, 'up')
    const since = Date.parse(line.since)
    assert.ok(since >= began && since <= Date.now(), line.since)
    assert.equal(line.device, DEVICE)
    assert.equal(line.uplink, 'wan0')
    assert.match(line.server, /192\.0\.2\.1/)
    assert.deepEqual(line.peer, {
      tunnel_id: session?.tunnel,
      session_id: session?.id,
      host_name: 'lns.example',
      vendor: line.peer.vendor,
    })
    assert.ok(line.local.tunnel_id > 0 && line.local.session_id > 0)
    assert.equal(line.auth, 'chap')
    assert.equal(line.mtu, 1462)
    assert.deepEqual(line.ipv4, { address: carol.ipv4, peer: address.tunnel.lns, reason: null })
    assert.equal(line.ipv6.interface_id.split(':').length, 4)
    assert.deepEqual(line.ipv6.addresses, [`${carol.ipv6}/64`])
    assert.deepEqual(line.dns, [...address.tunnel.dns, address.tunnel.ipv6Dns])
    assert.equal(typeof line.datapath, 'string')
    assert.equal(line.attempts, 0)
    assert.equal(line.retry_at, null)
    assert.equal(line.last_error, null)
  })

  test('counts packets, and measures the round trip by its echoes', async (t) => {
    const { lifeline, tunnel } = await dial(t, net, alice)
    await net.router.ping(address.internet.ipv4, { count: 10, interval: 0.01, from: alice.ipv4 })
    const later = await lifeline.waitForTunnel(
      LINE,
      'to have counted',
      ({ tx, rx, rtt_ms: rtt }) =>
        tx.packets >= tunnel.tx.packets + 10 && rx.packets >= tunnel.rx.packets + 10 && rtt !== null,
    )
    assert.ok(later.tx.octets >= tunnel.tx.octets + 840, `${later.tx.octets} octets`)
    assert.ok((later.rtt_ms ?? -1) > 0, `${later.rtt_ms} ms`)
    assert.equal(later.loss, 0)
  })

  test('shows no secret in arguments, environment, log, status or check', async (t) => {
    const { lifeline } = await dial(t, net, alice)
    const secrets = [alice.password, TUNNEL_SECRET]
    const shown = {
      log: lifeline.log,
      status: JSON.stringify(await lifeline.status()),
      plain: (await lifeline.cli('status')).stdout,
      events: JSON.stringify(await lifeline.events()),
      check: await net.router.check(lifeline.file).then(({ stdout, stderr }) => stdout + stderr),
      processes: readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => commandAndEnvironment(pid))
        .join('\n'),
    }
    assert.match(shown.check, /line/)
    for (const [where, text] of Object.entries(shown)) {
      for (const secret of secrets) assert.ok(!text.includes(secret), `a secret stands in the ${where}`)
    }
  })
})

describe('how long it takes', { timeout: 120_000 }, () => {
  let net: Network
  before(async () => {
    net = await buildNetwork({ users: [alice], tunnelSecret: TUNNEL_SECRET, openInternet: false })
  })
  after(() => net.close())

  test('from run to the first ping through the tunnel', async (t) => {
    const dials: DialTimes[] = []
    for (let count = 0; count < 5; count++) {
      const dial = await timedDial(net, alice, (lifeline) => {
        t.after(() => lifeline.stop())
      })
      dials.push(dial)
      await dial.lifeline.stop()
    }
    const list = (values: readonly number[]) => values.map((ms) => ms.toFixed(0)).join(' ')
    t.diagnostic(`run -> first ping: ${list(dials.map(({ runToPing }) => runToPing))} ms (wanted: under 150)`)
    t.diagnostic(
      `dialling -> up: ${list(dials.map(({ diallingToUp }) => diallingToUp))} ms (wanted: under 40)`,
    )
  })
})

test('a configuration by hand: the shortest useful one', { timeout: 120_000 }, async (t) => {
  const net = await buildNetwork({ users: [alice], names: { 'lns.example': [address.lns.ipv4] } })
  t.after(() => net.close())
  const lifeline = net.router.lifeline({
    config: `
config lifeline 'main'
\toption state_dir '${net.router.stateFolder}'

config tunnel 'aaisp'
\tlist server 'lns.example'
\toption username '${alice.name}'
\toption password_file '${net.router.secretFile('aaisp', alice.password)}'
`,
  })
  t.after(() => lifeline.stop())
  await assertCarriesTraffic(net, await lifeline.waitForUp('aaisp'))
})

function commandAndEnvironment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1') + readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}
