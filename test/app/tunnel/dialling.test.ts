/** Dials: servers and addresses, refusals, back-off, and users who change their mind in the middle. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../../src/core/secret.ts'
import { seconds } from '../../../src/core/time.ts'
import { SimLns } from '../../sim/lns.ts'
import { Network } from '../../sim/network.ts'
import { SimRouter, startRouter } from '../../sim/router.ts'
import { Wire } from '../../sim/wire.ts'
import { CLIENT, dials, GOOD_PATH, settled, upWithin, within, world } from '../../sim/world.ts'

const NAME = 'l2tp.example.net'
const PATH = GOOD_PATH

test('a second server is up soon where the first is dead, whether it is silent, closed or refuses', async () => {
  const servers = [
    { host: '192.0.2.9', port: 1701 },
    { host: '192.0.2.1', port: 1701 },
  ]
  const silent = world(1, { tunnel: { servers } })
  assert.ok((await upWithin(silent, 5_000)) < 2_500)
  const closed = world(1, { tunnel: { servers }, closedHosts: ['192.0.2.9'] })
  assert.ok((await upWithin(closed, 5_000)) < 350)
  assert.ok(closed.router.failures.includes('port_closed'))
  const refusing = world(1, { tunnel: { servers } })
  new SimLns(refusing.network, 2, {
    address: { host: '192.0.2.9', port: 1701 },
    change: (options) => ({
      ...options,
      l2tp: { ...options.l2tp, refuseTunnels: { result: 2, error: 4, message: 'full' } },
    }),
  })
  assert.ok((await upWithin(refusing, 5_000)) < 600)
  assert.ok(refusing.router.failures.includes('tunnel_refused'))
  for (const here of [silent, closed, refusing]) {
    await here.network.run(here.network.now + 40_000)
    assert.equal(here.router.machine.openSockets, 1, 'what lost the race is gone')
  }
})

test('a server that asks for another one to be used is left for the next', async () => {
  const servers = [
    { host: '192.0.2.9', port: 1701 },
    { host: '192.0.2.1', port: 1701 },
  ]
  const another = { result: 2, error: 7 }
  const refusing = world(1, { tunnel: { servers } })
  new SimLns(refusing.network, 2, {
    address: { host: '192.0.2.9', port: 1701 },
    change: (options) => ({ ...options, l2tp: { ...options.l2tp, refuseCalls: another } }),
  })
  assert.ok((await upWithin(refusing, 5_000)) < 1_000)
  assert.deepEqual(refusing.router.failures, ['try_another'])
  assert.equal(refusing.router.shown.server, '192.0.2.1')
})

test('so is one that asks for it in the middle of a session', async () => {
  const here = world(1, {
    tunnel: { servers: ['192.0.2.1', '192.0.2.9'].map((host) => ({ host, port: 1701 })) },
  })
  new SimLns(here.network, 2, { address: { host: '192.0.2.9', port: 1701 } })
  await upWithin(here, 5_000)
  assert.equal(here.router.shown.server, '192.0.2.1')
  await here.network.run(60_000)
  here.lns.command({ type: 'dropSessions', result: 2, error: 7 })
  await here.network.run(60_100)
  await upWithin(here, 5_000)
  assert.equal(here.router.shown.server, '192.0.2.9')
  assert.deepEqual(here.router.failures, ['try_another'])
})

test('where a firewall of this machine forbids the packets, it is blamed, and not the LNS', async () => {
  const here = world(1, { forbiddenHosts: ['192.0.2.1'] })
  await here.network.run(here.network.now + 30_000)
  assert.deepEqual([...new Set(here.router.failures)], ['blocked_here'])
  const { complaints } = here.router.log
  assert.equal(complaints.length, 1, 'told once, not at each dial')
  here.router.machine.forbidden.clear()
  await upWithin(here, 61_000)
})

function dualStack(seed: number, path6: ConstructorParameters<typeof Network>[1]) {
  const network = new Network(seed, PATH)
  const wire = new Wire(network)
  const v4 = new SimLns(network, seed)
  const v6 = new SimLns(network, seed, { address: { host: '2001:db8::1', port: 1701 } })
  network.paths.set('2001:db8::1', path6)
  const router = new SimRouter(network, seed, { servers: [{ host: NAME, port: 1701 }] })
  router.machine.add('fibre', [CLIENT, '2001:db8::2'])
  router.resolver.names.set(NAME, ['2001:db8::1', '192.0.2.1'])
  router.supervisor.want('session')
  return { network, wire, v4, v6, router }
}

test('IPv6 is preferred, a broken one costs a quarter of a second, a slow one loses', async () => {
  const good = dualStack(1, PATH)
  await upWithin(good, 2_000)
  assert.equal(good.router.shown.server, `${NAME} (2001:db8::1)`)
  assert.equal(good.wire.sent('SCCRQ', CLIENT).length, 0)
  const broken = dualStack(2, { delay: 20, loss: 1 })
  assert.ok((await upWithin(broken, 2_000)) < 750)
  assert.equal(broken.router.shown.server, `${NAME} (192.0.2.1)`)
  const slow = dualStack(3, { delay: 400 })
  assert.ok((await upWithin(slow, 2_000)) < 750)
  assert.equal(slow.router.shown.server, `${NAME} (192.0.2.1)`)
  assert.equal(slow.v6.count('tunnelOpened'), 0)
  await slow.network.run(60_000)
  assert.equal(slow.wire.sent('StopCCN', '2001:db8::2').length > 0, true, 'the loser is told')
  assert.equal(slow.v6.peers, 0)
  assert.equal(slow.router.machine.openSockets, 1)
})

test('a name that does not resolve is asked again; a remembered answer is dialled at once', async () => {
  const network = new Network(1, PATH)
  new SimLns(network, 1)
  const router = startRouter(network, 1, { servers: [{ host: NAME, port: 1701 }] })
  await network.run(10_000)
  assert.deepEqual(new Set(router.failures), new Set(['name_not_found']))
  router.resolver.names.set(NAME, 'silent')
  await network.run(60_000)
  assert.ok(router.failures.includes('resolver_silent'))
  router.resolver.names.set(NAME, ['192.0.2.1'])
  await upWithin({ network, router }, 75_000)
  router.resolver.names.set(NAME, 'silent')
  await network.run(network.now + 70_000)
  router.supervisor.reconnect()
  await network.run(network.now + 30)
  assert.ok((await upWithin({ network, router }, 1_000)) < 500, 'without waiting for the resolver')
})

test('a wrong password never makes it give up, nor come faster than the back-off', async () => {
  const here = world(1, { tunnel: { password: new Secret('looking-glass') } })
  await here.network.run(3_600_000)
  const times = here.wire.sent('SCCRQ', CLIENT).map(({ at }) => at)
  assert.deepEqual(new Set(here.router.failures), new Set(['auth_failed']))
  assert.ok(times.length > 60 && times.length < 90, `${times.length} dials in an hour`)
  times.slice(1).forEach((at, index) => {
    const gap = at - (times[index] ?? 0)
    const step = Math.min(1_000 * 2 ** index, 60_000)
    assert.ok(gap >= 0.8 * step, `dial ${index + 1} came ${gap} ms after the one before`)
    assert.ok(gap <= step + 2_000, `dial ${index + 1} came ${gap} ms after the one before`)
  })
  // RFC 2661 section 5.7: the latest one may still acknowledge repetitions, for 31 s.
  assert.ok(here.router.machine.openSockets <= 1)
})

/** Moments from the first packet of a dial to a session of half a minute. */
const MOMENTS = [...Array.from({ length: 60 }, (_, index) => index * 8), 5_000, 30_000]

test('down in any moment ends all of it: the LNS is told, nothing more is sent, and up dials again', async () => {
  for (const moment of MOMENTS) {
    const here = world(moment + 1)
    const { network, wire, lns, router } = here
    await network.run(moment)
    const wasOpen = wire.sent('ICCN', CLIENT).length > 0
    assert.ok((await within(network, 2_000, router.supervisor.down())) <= 1_500, `at ${moment}`)
    assert.equal(router.shown.state, 'disabled')
    assert.ok(wire.sent('StopCCN', CLIENT).length > 0, `StopCCN at ${moment}`)
    assert.equal(wire.sent('CDN', CLIENT).length > 0, wasOpen, `CDN at ${moment}`)
    await network.run(network.now + 60_000)
    assert.equal(lns.peers, 0, `at ${moment}`)
    assert.equal(router.machine.openSockets, 0)
    const quiet = wire.seen.length
    await network.run(network.now + 600_000)
    assert.equal(wire.seen.length, quiet, 'silence')
    router.supervisor.up()
    await upWithin({ network, router }, 1_000)
  }
})

test('SIGTERM in any moment: CDN and StopCCN leave, and the process need not wait long', async () => {
  for (const moment of MOMENTS) {
    const { network, wire, lns, router } = world(moment + 1)
    await network.run(moment)
    const wasUp = router.up
    await within(network, 2_000, router.stop())
    assert.ok(wire.sent('StopCCN', CLIENT).length > 0, `StopCCN at ${moment}`)
    if (wasUp) {
      assert.ok(wire.sent('CDN', CLIENT).length > 0, `CDN at ${moment}`)
      assert.ok(wire.sent('lcp 5', CLIENT).length > 0, `Terminate-Request at ${moment}`)
      assert.equal(router.device.carrier, false)
    }
    const gone = network.now
    assert.equal(router.machine.openSockets, 0)
    await network.run(network.now + 120_000)
    assert.ok(
      wire.seen.every(({ from, at }) => from.host !== CLIENT || at <= gone),
      'nothing after the end',
    )
    assert.equal(lns.peers, 0, `at ${moment}`)
  }
})

test('SIGTERM on a path that loses a third: the goodbye is repeated while there is time', async () => {
  let told = 0
  for (let seed = 1; seed <= 100; seed++) {
    const { network, lns, router } = world(seed)
    await network.run(10_000)
    network.path = { ...PATH, loss: 0.3 }
    const took = await within(network, 2_000, router.stop())
    assert.ok(took <= 1_500)
    await network.run(network.now + 100)
    told += lns.count('tunnelClosed')
  }
  assert.ok(told >= 90, `${told} of 100 LNSes know; said only once it would be about 70`)
})

test('reconnect, once or twice, in any moment ends in one session', async () => {
  for (const apart of [0, 5, 60, 1_500]) {
    for (const moment of MOMENTS) {
      const { network, lns, router } = world(moment + 1)
      await network.run(moment)
      router.supervisor.reconnect()
      await network.run(network.now + apart)
      router.supervisor.reconnect()
      await network.run(network.now + 100)
      await upWithin({ network, router }, 5_000)
      assert.equal(await network.run(network.now + 60_000, () => !router.up), false)
      assert.equal(router.machine.openSockets, 1)
      assert.equal(lns.peers, 1)
    }
  }
})

test('with a fixed port, an LNS that holds on to our old tunnel is dialled until it lets go', async () => {
  const { network, wire, lns, router } = world(1, { tunnel: { localPort: 1701 } })
  await upWithin({ network, router }, 1_000)
  await network.run(70_000)
  // Too short for the LNS, long enough for us.
  network.cut = true
  await network.run(85_000)
  network.cut = false
  await upWithin({ network, router }, 180_000)
  assert.ok(wire.seen.every(({ from }) => from.host !== CLIENT || from.port === 1701))
  assert.deepEqual(router.log.complaints, [])
  assert.ok(!router.failures.includes('system_refused'), `the port was free: ${router.failures}`)
  assert.equal(await network.run(network.now + 150_000, () => !router.up), false)
  assert.equal(lns.peers, 1)
  router.supervisor.reconnect()
  await network.run(network.now + 100)
  assert.ok((await upWithin({ network, router }, 5_000)) < 3_000, 'where both know of the end it is quick')
})

test('a device that another program holds is waited for', async () => {
  const { network, router } = world(1)
  router.tuns.busy.add('l2tp-aaisp')
  await network.run(20_000)
  assert.ok(router.failures.includes('device_busy'))
  router.tuns.busy.clear()
  await upWithin({ network, router }, 62_000)
})

test('a silent LNS does not hold the others up for longer than it must', async () => {
  // It takes the call and never speaks PPP.
  const network = new Network(1, PATH)
  const servers = [
    { host: '192.0.2.9', port: 1701 },
    { host: '192.0.2.1', port: 1701 },
  ]
  new SimLns(network, 1)
  const mute = new SimLns(network, 2, {
    address: { host: '192.0.2.9', port: 1701 },
    change: (options) => ({
      ...options,
      l2tp: { ...options.l2tp, retransmission: { answer: seconds(600) } },
    }),
  })
  const router = startRouter(network, 1, { servers })
  await network.run(60)
  const { send } = network
  network.send = (from, to, bytes) => {
    const isData = ((bytes[0] ?? 0) & 0x80) === 0
    if (!(isData && from.host === mute.address.host)) send.call(network, from, to, bytes)
  }
  await upWithin({ network, router }, 70_000)
  assert.ok(router.failures.includes('lcp_silent'))
})

test('an LNS that answers too late is told so under its own id, and dialled again at once', async () => {
  const here = world(1, { path: { delay: 6_000 } })
  await here.network.run(30_000)
  // A dial is given up after 11.5 s, and the back-off of about a second ends with the answer.
  assert.deepEqual(
    dials(here.wire).map((at) => Math.round(at / 100)),
    [0, 120, 240],
  )
  here.network.path = GOOD_PATH
  await upWithin(here, 13_000)
  await settled(here)
})

test('only an ICMP error about our own request, and of a closed port the LNS itself, ends a dial', async () => {
  const LNS = '192.0.2.1'
  const STRANGER = '198.51.100.66'
  for (const [code, from, part, ends] of [
    ['ECONNREFUSED', LNS, 'all', 'port_closed'],
    ['ECONNREFUSED', STRANGER, 'all', undefined],
    ['ECONNREFUSED', LNS, 'header', undefined],
    ['ECONNREFUSED', LNS, 'other', undefined],
    ['EHOSTUNREACH', STRANGER, 'all', 'unreachable'],
    ['ENETUNREACH', STRANGER, 'header', undefined],
    ['EACCES', STRANGER, 'other', undefined],
    ['EACCES', STRANGER, 'all', 'unreachable'],
  ] as const) {
    const { network, router } = world(1, { path: { delay: 20, loss: 1 } })
    let request = new Uint8Array()
    const seen = network.onSend
    network.onSend = (sender, to, bytes) => {
      if (sender.host === CLIENT) request = bytes.slice()
      seen?.(sender, to, bytes)
    }
    await network.run(600)
    assert.ok(request.length > 0)
    const quote = { all: request, header: request.slice(0, 12), other: request.map((octet) => octet ^ 1) }[
      part
    ]
    router.machine.notice(code, { from, quote })
    await network.run(700)
    assert.deepEqual(router.failures, ends ? [ends] : [], `${code} from ${from}, ${part}`)
  }
})

test('a dial lets only its own LNS and tunnel reach it', async () => {
  const here = world(1)
  await upWithin(here, 1_000)
  assert.deepEqual(here.router.machine.expected, [
    { host: '192.0.2.1', tunnelId: here.router.shown.local?.tunnel_id },
  ])
})
