/** Failover over two uplinks in virtual time, as status, events and hooks show it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drillOutcome } from '../../../src/app/failover/drill.ts'
import { Failover } from '../../../src/app/failover/failover.ts'
import { Histories } from '../../../src/app/failover/histories.ts'
import { KnownTargets } from '../../../src/app/failover/known-targets.ts'
import { StatusStore } from '../../../src/app/status-store.ts'
import type { Supervisor } from '../../../src/app/tunnel/supervisor.ts'
import type { TunnelPath } from '../../../src/app/tunnel/tunnel-status.ts'
import { UTC } from '../../../src/core/amounts.ts'
import type { Readiness } from '../../../src/core/client/dialer-state.ts'
import type { FailoverConfig } from '../../../src/core/config/types.ts'
import { Sharing } from '../../../src/core/failover/sharing.ts'
import type { ActiveRoute } from '../../../src/core/failover/types.ts'
import { decodeEcho, encodeEcho } from '../../../src/core/ip/icmp.ts'
import type { DeviceTraffic } from '../../../src/core/system/device-traffic.ts'
import * as DEFAULTS from '../../core/config/defaults.ts'
import { configOf, tunnelOf, uplinkOf } from '../../core/system/samples.ts'
import { ofKind } from '../../events.ts'
import { MemoryFiles } from '../../memory-files.ts'
import { MemoryLog } from '../../memory-log.ts'
import { Machine } from '../../sim/machine.ts'
import { Network } from '../../sim/network.ts'

const FAILOVER: FailoverConfig = {
  ...DEFAULTS.FAILOVER,
  paths: ['fibre', 'lte'],
  probe: { ...DEFAULTS.PROBE, targets: [{ kind: 'icmp', address: '1.1.1.1' }] },
}

const NO_SESSION = {
  session: 'none' as TunnelPath['session'],
  failed: false,
  problem: null,
  control: false,
  heardAt: undefined,
  idleClosed: 0,
  address: undefined,
  addresses: [],
  dns: [],
}

/** Two lines whose internet answers pings while it is among `alive`. */
function make(
  carrying?: string,
  changes: Partial<FailoverConfig> = {},
  supervisor?: Pick<Supervisor, 'path' | 'want'> & Partial<Pick<Supervisor, 'afresh'>>,
) {
  const network = new Network(1, { delay: 10 })
  const machine = new Machine(network)
  machine.add('eth0', ['192.0.2.2'])
  machine.add('wwan0', ['198.51.100.2'])
  const alive = new Set(['eth0', 'wwan0'])
  machine.icmp = ({ device = '', family, onMessage }) => ({
    send(message, to) {
      const echo = decodeEcho(family, message)
      if (!echo.ok || !alive.has(device)) return
      const reply = encodeEcho(family, { ...echo.value, kind: 'echoReply' })
      network.schedule(network.now + 20, () => onMessage(to, reply, 60))
    },
    close() {},
  })
  const config = {
    ...configOf(supervisor ? [tunnelOf('aaisp')] : [], [uplinkOf('fibre', 'eth0'), uplinkOf('lte', 'wwan0')]),
    failover: FAILOVER,
  }
  const status = new StatusStore(network.clock, '0.1.0')
  status.configure({ node: 'router', tunnels: [], uplinks: config.uplinks })
  const routes: (ActiveRoute | undefined)[] = []
  const histories = new Histories({ clock: network.clock, files: new MemoryFiles() })
  const cutOff = new Set<string>()
  const traffic = new Map<string, DeviceTraffic>()
  histories.keep(FAILOVER.paths, [])
  /** ms that the kernel takes. */
  const kernel = { delay: 5 }
  const failover = new Failover(
    {
      config,
      failover: { ...FAILOVER, ...changes },
      carrying,
      supervisor: (name) => (name === 'aaisp' ? (supervisor as Supervisor | undefined) : undefined),
      resolvers: () => [],
      onChoice: () => {
        routes.push(failover.active)
        return new Promise((resolve) => {
          network.schedule(network.now + kernel.delay, resolve)
        })
      },
      histories,
      cutOff: () => cutOff,
      short: () => false,
      onSwitched: () => {},
    },
    {
      clock: network.clock,
      counters: { read: () => traffic, bootId: 'b' },
      datagrams: machine,
      tcpProbes: { connect: () => () => {} },
      entropy: (count) => new Uint8Array(count),
      log: new MemoryLog(),
      known: new KnownTargets(new MemoryFiles()),
      zone: UTC,
      status,
    },
  )
  status.uplink('fibre', { state: 'up', addresses: ['192.0.2.2'] })
  status.uplink('lte', { state: 'up', addresses: ['198.51.100.2'] })
  failover.factsChanged(machine.facts)
  const run = (span: number) => network.run(network.now + span)
  const kinds = () => status.events.map(({ event }) => event)
  return { network, machine, alive, cutOff, traffic, status, failover, histories, kernel, routes, run, kinds }
}

test('the kernel is told of each choice at once, also while it is still busy with the one before', async () => {
  const { failover, status, kernel, routes, run, kinds } = make()
  await run(3000)
  kernel.delay = 300
  const before = routes.length
  const events = kinds().length
  failover.use('lte')
  failover.use('fibre')
  assert.deepEqual(routes.slice(before), [
    { kind: 'path', name: 'lte' },
    { kind: 'path', name: 'fibre' },
  ])
  await run(299)
  assert.equal(status.status().failover?.active, 'fibre')
  assert.deepEqual(kinds().slice(events), [], 'nothing is told that the kernel does not do yet')
  await run(10)
  assert.deepEqual(
    ofKind(status.events.slice(events), 'manual').map(({ to }) => to),
    ['lte', 'fibre'],
  )
})

test('status follows the path that the kernel uses, with the health of all', async () => {
  const { status, run, kinds } = make()
  await run(3000)
  const { internet, failover } = status.status()
  assert.deepEqual([internet.state, internet.path, internet.ipv4], ['ok', 'fibre', '192.0.2.2'])
  assert.equal(failover?.mode, 'auto')
  assert.equal(failover?.active, 'fibre')
  assert.equal(failover?.problem, null)
  assert.deepEqual(
    Object.entries(failover?.path ?? {}).map(([name, { health, readiness, rtt_ms }]) => [
      name,
      health,
      readiness,
      rtt_ms,
    ]),
    [
      ['fibre', 'up', 'active', 20],
      ['lte', 'up', 'hot', 20],
    ],
  )
  assert.deepEqual([failover?.last_switch?.from, failover?.last_switch?.to], [null, 'fibre'])
  assert.ok(kinds().includes('start'))
})

test('no path counts before the kernel uses it, though it be up', async () => {
  const { status, run } = make()
  await run(3000)
  const moves = ofKind(status.events, 'internet')
  assert.deepEqual(
    moves.map(({ state, path }) => [state, path]),
    [['ok', 'fibre']],
  )
})

test('after a reload the path that carries traffic already counts all the time', async () => {
  const { status, run } = make('lte')
  assert.equal(status.status().internet.path, 'lte')
  await run(3000)
  const moves = ofKind(status.events, 'internet')
  assert.ok(!moves.some(({ state }) => state === 'down'))
})

test('a silent death: backup with the cause and the outage; back when it is well again', async () => {
  const { alive, status, run } = make()
  await run(20_000)
  alive.delete('eth0')
  await run(10_000)
  const backup = status.status()
  assert.deepEqual([backup.internet.state, backup.internet.path], ['backup', 'lte'])
  assert.equal(backup.internet.ipv4, '198.51.100.2')
  assert.equal(backup.failover?.path.fibre?.health, 'down')
  assert.equal(backup.failover?.path.lte?.readiness, 'active')
  const last = backup.failover?.last_switch
  assert.deepEqual([last?.from, last?.to], ['fibre', 'lte'])
  const outage = last?.outage_ms ?? Number.NaN
  assert.ok(outage > 0 && outage < 2000, `${outage} ms`)
  const event = status.events.find((each) => each.event === 'failover')
  assert.equal(event?.outage_ms, outage)
  assert.equal(event?.cause, last?.cause)
  alive.add('eth0')
  await run(30_000)
  assert.equal(status.status().internet.path, 'fibre')
  const [back, ...more] = status.events.filter((each) => each.event === 'failback')
  assert.deepEqual(more, [])
  assert.equal(back?.outage_ms, null, 'no outage was measured on the way back')
  assert.equal(status.status().failover?.last_switch?.outage_ms, null)
})

test('the path counts once the kernel uses it, not when it is chosen', async () => {
  const { machine, failover, status, kernel, run } = make()
  await run(20_000)
  kernel.delay = 500
  machine.setUp('eth0', false)
  failover.factsChanged(machine.facts)
  await run(400)
  assert.equal(status.status().failover?.active, 'fibre')
  assert.equal(status.status().internet.state, 'down', 'a dead path carries nothing')
  await run(200)
  assert.equal(status.status().internet.path, 'lte')
})

test('a drill ends with an event of its own kind', async () => {
  const { failover, status, run, kinds } = make()
  await run(20_000)
  const drilled = failover.drill(undefined)
  await run(1000)
  assert.equal(status.status().internet.path, 'lte')
  await run(60_000)
  const report = await drilled
  assert.equal(report?.path, 'fibre')
  assert.deepEqual(
    kinds().filter((kind) => kind.startsWith('drill')),
    // There, and back again.
    ['drill', 'drill_ended', 'drill'],
  )
})

test('a drill of a path that carries nothing tests it, and makes no outage of it', async () => {
  const { failover, alive, status, routes, run, kinds } = make()
  await run(20_000)
  const before = routes.length
  const well = failover.drill('lte')
  await run(1000)
  assert.deepEqual((await well)?.standby, { ok: true, message: 'lte works: its probes are answered.' })
  alive.delete('wwan0')
  await run(100)
  const dead = failover.drill('lte')
  await run(6000)
  assert.deepEqual((await dead)?.standby, {
    ok: false,
    message: 'lte does not work: no probe was answered over it.',
  })
  assert.equal(routes.length, before)
  assert.equal(status.status().failover?.standby_check?.ok, false)
  assert.deepEqual(
    kinds().filter((kind) => /^(drill|manual|failover)/.test(kind)),
    [],
  )
})

test('a drill from which nobody could take over is not made, and says so', async () => {
  const { failover, alive, status, routes, run, kinds } = make()
  await run(20_000)
  const before = routes.length
  const told = async () => {
    const report = await failover.drill(undefined)
    const outcome = report && drillOutcome(report)
    return outcome?.ok === false ? outcome.error : outcome
  }
  failover.use('fibre')
  const pinned = 'it is pinned (lifeline use auto lets others take over)'
  const refused = (why: string) => ({
    code: 'refused',
    message: `No drill of fibre was made, as nothing could take over: ${why}.`,
  })
  assert.deepEqual(await told(), refused(pinned))
  failover.use('auto')
  alive.delete('wwan0')
  await run(20_000)
  assert.deepEqual(await told(), refused('lte has no answer from 1.1.1.1'))
  assert.equal(routes.length, before)
  assert.equal(status.status().internet.path, 'fibre')
  assert.ok(!kinds().includes('drill'))
})

test('what a drill came to is a failure where nobody took over', () => {
  const report = { path: 'fibre', to: 'lte', outage_ms: 200, return_ms: null, standby: null }
  assert.deepEqual(drillOutcome(report), { ok: true, value: report })
  const failed = (changes: object) => {
    const outcome = drillOutcome({ ...report, to: null, ...changes })
    return outcome.ok ? undefined : outcome.error.message
  }
  assert.equal(failed({}), 'fibre was treated as dead, and no other path took over.')
  assert.equal(failed({ standby: { ok: false, message: 'lte does not work.' } }), 'lte does not work.')
  assert.equal(failed({ standby: { ok: true, message: 'lte works.' } }), undefined)
})

test('what stands by is tested at its time, and not while the traffic is elsewhere than it belongs', async () => {
  const { alive, status, routes, run } = make(undefined, {
    standbyCheck: { day: undefined, hour: 0, minute: 1 },
  })
  const checks = () => ofKind(status.events, 'standby_checked')
  await run(59_000)
  const before = routes.length
  assert.deepEqual(checks(), [])
  await run(3000)
  const [{ seq: _seq, at, ...told } = assert.fail(), ...more] = checks()
  assert.deepEqual(more, [], 'the path that carries the traffic proves itself')
  const found = { path: 'lte', ok: true, message: 'lte works: its probes are answered.' }
  assert.deepEqual([told, at.slice(11, 16)], [{ event: 'standby_checked', ...found }, '00:01'])
  assert.deepEqual(status.status().failover?.standby_check, { at, ...found })
  assert.equal(routes.length, before)

  await run(86_400_000 - 120_000)
  alive.delete('eth0')
  await run(600_000)
  assert.equal(status.status().internet.path, 'lte')
  assert.equal(checks().length, 1)
  alive.add('eth0')
  await run(120_000)
  assert.equal(checks().length, 2)
  assert.equal(checks()[1]?.path, 'lte')
})

test('a readiness for less that a newer one overtakes, while the kernel is slow, ends no session', async () => {
  const wanted: Readiness[] = []
  const path = { ...NO_SESSION, device: 'l2tp-aaisp', dialable: true }
  const told = make(
    undefined,
    { paths: ['fibre', 'aaisp'] },
    {
      path,
      want(readiness) {
        wanted.push(readiness)
        path.session = readiness === 'session' ? 'up' : 'none'
        told.failover.tunnelChanged('aaisp')
      },
    },
  )
  const { failover, kernel, run } = told
  await run(5000)
  failover.use('aaisp')
  await run(1000)
  assert.deepEqual([wanted.at(-1), told.status.status().failover?.active], ['session', 'aaisp'])
  kernel.delay = 500
  failover.use('fibre')
  await run(100)
  const before = wanted.length
  failover.use('aaisp')
  await run(5000)
  assert.deepEqual(new Set(wanted.slice(before)), new Set(['session']))
  assert.equal(told.status.status().failover?.active, 'aaisp')
})

test('a standby whose session would take an address of a line is tested no further than its LNS', async () => {
  const wanted: Readiness[] = []
  const path = { ...NO_SESSION, device: 'l2tp-aaisp', dialable: true, control: true, address: '203.0.113.10' }
  const want = (readiness: Readiness) => void wanted.push(readiness)
  const { failover, run } = make(undefined, { paths: ['fibre', 'aaisp'] }, { path, want, afresh: () => {} })
  const plan = { backsUp: undefined }
  failover.sharingChanged(
    new Sharing([
      { ...plan, name: 'fibre', kind: 'uplink', addresses: ['192.168.100.2', '203.0.113.10'] },
      { ...plan, name: 'aaisp', kind: 'tunnel', addresses: ['203.0.113.10'] },
    ]),
  )
  await run(5000)
  const drilled = failover.drill('aaisp')
  await run(30_000)
  const message =
    'The LNS of aaisp answers; its session was not dialled, as it would take the address of fibre.'
  assert.deepEqual((await drilled)?.standby, { ok: true, message })
  assert.ok(!wanted.includes('session'))
})

test('after the end nothing is written any more', async () => {
  const { failover, alive, status, run, kinds } = make(undefined, {
    standbyCheck: { day: undefined, hour: 0, minute: 1 },
  })
  await run(20_000)
  failover.close()
  status.failover(undefined)
  alive.clear()
  await run(120_000)
  assert.equal(status.status().failover, null)
  assert.ok(!kinds().includes('standby_checked'))
})

test('the history of each path holds its round-trip times, its losses, and the switches from and to it', async () => {
  const { alive, histories, run } = make()
  await run(20_000)
  alive.delete('eth0')
  await run(10_000)
  alive.add('eth0')
  await run(60_000)
  const fibre = histories.read('fibre')
  assert.deepEqual([fibre?.bins[0]?.min, fibre?.bins[0]?.max], [20, 20])
  const { loss = 0, probes = 0 } = fibre?.bins[0] ?? {}
  assert.ok(loss > 0.05 && loss < 0.3, `${loss}`)
  assert.ok(probes > 70, `${probes}`)
  const told = (path: string) => histories.read(path)?.events.map(({ event, text }) => `${event} ${text}`)
  assert.deepEqual(told('fibre'), [
    'health up: probes are answered',
    'start start on fibre',
    'health down: no answer from 1.1.1.1',
    'failover failover from fibre to lte: fibre: no answer from 1.1.1.1',
    'health up: probes are answered',
    'failback failback from lte to fibre: fibre works again',
  ])
  assert.deepEqual(
    told('lte')?.filter((text) => !text.startsWith('health')),
    told('fibre')?.filter((text) => /^fail/.test(text)),
  )
  assert.equal(histories.read('lte')?.bins[0]?.loss, 0)

  histories.keep(['lte'], [])
  assert.equal(histories.read('fibre'), undefined)
  assert.notDeepEqual(histories.read('lte')?.bins, [])
})

test('packets that still arrive delay the verdict of lost probes, by 10 s at most', async () => {
  const { alive, traffic, status, network, run } = make()
  const arriving = () => {
    const receivedPackets = (traffic.get('eth0')?.receivedPackets ?? 0) + 1
    traffic.set('eth0', { receivedOctets: 0, receivedPackets, sentOctets: 0 })
    network.schedule(network.now + 50, arriving)
  }
  arriving()
  await run(20_000)
  alive.delete('eth0')
  await run(9000)
  assert.equal(status.status().internet.path, 'fibre')
  await run(4000)
  assert.equal(status.status().internet.path, 'lte')
})

test('an uplink whose budget is spent is left', async () => {
  const { cutOff, failover, machine, status, run } = make()
  await run(20_000)
  cutOff.add('fibre')
  failover.factsChanged(machine.facts)
  await run(3000)
  assert.equal(status.status().internet.path, 'lte')
})

test('what has answered on one path counts on another, though the link of the first is down by then', async () => {
  const { alive, failover, machine, status, run } = make()
  const link = async (device: string, up: boolean) => {
    machine.setUp(device, up)
    failover.factsChanged(machine.facts)
    await run(5000)
  }
  alive.delete('eth0')
  await link('eth0', false)
  assert.equal(status.status().internet.path, 'lte')
  await link('wwan0', false)
  await link('eth0', true)
  assert.equal(status.status().failover?.path.fibre?.health, 'down')
  await link('wwan0', true)
  assert.equal(status.status().internet.path, 'lte')
})
