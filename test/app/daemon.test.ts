/** The daemon as a whole over a system in memory: starts, reloads and stops that come at the wrong moment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Daemon } from '../../src/app/daemon.ts'
import { KnownTargets } from '../../src/app/failover/known-targets.ts'
import { Apply } from '../../src/app/kernel/apply.ts'
import { Conntrack } from '../../src/app/kernel/conntrack.ts'
import { Devices } from '../../src/app/kernel/devices.ts'
import { FactsWatcher } from '../../src/app/kernel/facts.ts'
import type { DatagramSocket, Datagrams, IcmpSocket, Resolution } from '../../src/app/ports.ts'
import { StatusStore } from '../../src/app/status-store.ts'
import { filterGates } from '../../src/app/tunnel/filter-gates.ts'
import { Memory } from '../../src/app/tunnel/memory.ts'
import { Names } from '../../src/app/tunnel/names.ts'
import { UTC } from '../../src/core/amounts.ts'
import type { Config, FailoverConfig } from '../../src/core/config/types.ts'
import { digests } from '../../src/core/digests/digests.ts'
import { ok } from '../../src/core/result.ts'
import type { TunnelSession } from '../../src/core/system/session.ts'
import { millis, seconds } from '../../src/core/time.ts'
import * as DEFAULTS from '../core/config/defaults.ts'
import {
  addressOn,
  configOf,
  defaultOver,
  FIREWALL,
  linkOf,
  SESSION,
  SYSTEM,
  tunnelOf,
  uplinkOf,
} from '../core/system/samples.ts'
import { MemoryFiles } from '../memory-files.ts'
import { MemoryLog } from '../memory-log.ts'
import { seededEntropy } from '../sim/random.ts'
import { FakeClock, FakeSystem } from './fake-system.ts'

const LITERAL = [{ host: '198.51.100.1', port: 1701 }]

const FAILOVER: FailoverConfig = { ...DEFAULTS.FAILOVER, paths: ['fibre', 'aaisp'] }

/** Nobody in the network answers; names are known once the test says so. `sessions`: what an earlier process remembered. */
function daemonOf(first: Config, sessions: Readonly<Record<string, TunnelSession>> = {}) {
  const clock = new FakeClock()
  const system = new FakeSystem(SYSTEM)
  const log = new MemoryLog()
  let openSockets = 0
  let sent = 0
  const socket = (): DatagramSocket => {
    let isOpen = true
    openSockets++
    return {
      local: { host: '192.0.2.2', port: 40_000 },
      send: () => {
        sent++
      },
      connect: () => {},
      expect: () => {},
      close: () => {
        if (isOpen) openSockets--
        isOpen = false
      },
    }
  }
  const pingers = { open: 0, opened: 0 }
  const pinger = (): IcmpSocket => {
    pingers.open++
    pingers.opened++
    return { send: () => {}, close: () => pingers.open-- }
  }
  const datagrams: Datagrams = { open: socket, openIcmp: pinger }
  const lookUps: ((found: Resolution) => void)[] = []
  const resolver = { resolve: () => new Promise<Resolution>((resolve) => lookUps.push(resolve)) }
  const files = new MemoryFiles()
  for (const [name, session] of Object.entries(sessions)) new Memory(files).remember(name, session)
  const status = new StatusStore(clock, 'test')
  const devices = new Devices(system.tuns, system.tuns)
  const watcher = new FactsWatcher(system, log)
  const apply = new Apply({ watcher, devices, nft: system, sysctls: system, log })
  const told: string[] = []
  let next = first
  const daemon = new Daemon(
    { config: first, warnings: [] },
    {
      clock,
      log,
      files,
      status,
      devices,
      watcher,
      datagrams,
      digests,
      entropy: seededEntropy(1),
      tcpProbes: { connect: () => () => {} },
      counters: { read: () => new Map(), bootId: 'boot' },
      systemResolvers: { forLink: () => ['192.0.2.53'] },
      apply,
      gates: filterGates(apply),
      refusals: apply,
      conntrack: new Conntrack({ netlinks: system, log }),
      names: new Names(resolver, files, clock),
      memory: new Memory(files),
      known: new KnownTargets(files),
      zone: UTC,
      publishers: {
        configure: () => void told.push('configure'),
        stop: async () => void told.push('stop'),
      },
      hostName: 'test',
      nft: system,
      readConfig: () => {
        here.onRead()
        return ok({ config: next, warnings: ['a warning'] })
      },
    },
  )
  const here = {
    /** Called when a reload has begun. */
    onRead: () => {},
    clock,
    system,
    daemon,
    status,
    devices,
    files,
    log,
    lookUps,
    pingers,
    told,
    get openSockets() {
      return openSockets
    },
    /** Messages to LNSes. */
    get sent() {
      return sent
    },
    async start() {
      await watcher.start()
      daemon.start()
      await clock.pass(10)
    },
    /** The configuration as the next reload reads it. */
    write(config: Config) {
      next = config
    },
    /** Lets time pass until a promise has come to its end. */
    async within<T>(span: number, promise: Promise<T>): Promise<T> {
      let result: { readonly value: T } | undefined
      void promise.then((value) => {
        result = { value }
      })
      for (let passed = 0; passed < span && result === undefined; passed += 10) await clock.pass(10)
      assert.ok(result, `not done within ${span} ms`)
      return result.value
    },
  }
  return here
}

type Here = ReturnType<typeof daemonOf>

function assertNothingLeft({ system, devices, clock, openSockets, pingers }: Here): void {
  assert.deepEqual(system.facts.rules, [])
  assert.deepEqual(devices.names(), [])
  assert.equal(openSockets + pingers.open, 0, 'sockets')
  assert.equal(clock.armed, 0, 'alarms')
}

test('a reload that comes during the stop is refused, and begins nothing', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
  await here.start()
  assert.equal(here.openSockets, 1)
  here.write(configOf([tunnelOf('other', { servers: LITERAL })]))
  const stopping = here.daemon.stop()
  const reload = await here.within(5_000, here.daemon.reload())
  assert.deepEqual(reload, { ok: false, error: { code: 'refused', message: 'the daemon is stopping' } })
  await here.within(5_000, stopping)
  assertNothingLeft(here)
})

test('a reload that comes before the start is refused', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
  const reload = await here.daemon.reload()
  assert.deepEqual(reload, { ok: false, error: { code: 'refused', message: 'the daemon is starting' } })
  assert.equal(here.openSockets, 0)
})

test('a stop that comes during a reload lets nothing new begin, and says goodbye to brokers last', async () => {
  const config = configOf([tunnelOf('aaisp', { servers: LITERAL })], [uplinkOf('fibre', 'eth0')])
  const here = daemonOf({ ...config, failover: FAILOVER })
  await here.start()
  here.daemon.use('aaisp')
  await here.clock.pass(10)
  here.write({
    ...configOf([tunnelOf('aaisp', { servers: LITERAL, username: 'bob' })], config.uplinks),
    failover: FAILOVER,
  })
  let stopping: Promise<void> | undefined
  here.onRead = () => {
    stopping = here.daemon.stop()
  }
  assert.equal((await here.within(5_000, here.daemon.reload())).ok, false)
  assert.ok(stopping)
  await here.within(5_000, stopping)
  await here.clock.pass(60_000)
  assertNothingLeft(here)
  assert.equal(here.told.at(-1), 'stop')
})

for (const command of ['up', 'reconnect'] as const) {
  test(`${command} during the stop does not keep the daemon from ending`, async () => {
    const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
    await here.start()
    const stopping = here.daemon.stop()
    await here.clock.pass(10)
    here.daemon[command]('aaisp')
    await here.within(5_000, stopping)
    assertNothingLeft(here)
  })
}

test('a tunnel that the configuration leaves out cannot be switched on, one that is switched off not dialled anew', async () => {
  const here = daemonOf(
    configOf([tunnelOf('out', { enabled: false }), tunnelOf('off', { servers: LITERAL })]),
  )
  await here.start()
  const leftOut = {
    ok: false,
    error: {
      code: 'refused',
      message: 'the configuration leaves the tunnel out out (option enabled 0)',
    },
  }
  assert.deepEqual(here.daemon.up('out'), leftOut)
  assert.deepEqual(here.daemon.reconnect('out'), leftOut)
  here.daemon.down('off')
  await here.clock.pass(5_000)
  assert.deepEqual(here.daemon.reconnect('off'), {
    ok: false,
    error: {
      code: 'refused',
      message: 'the tunnel off is switched off: switch it on with `lifeline up off`',
    },
  })
  await here.clock.pass(60_000)
  const { out, off } = here.status.status().tunnel
  assert.deepEqual([out?.state, off?.state], ['disabled', 'disabled'])
  assert.ok(here.daemon.up('off').ok)
  assert.equal(here.status.status().tunnel.off?.state, 'dialling')
})

test('a look-up that ends when its tunnel has a new supervisor says nothing any more', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp')]))
  await here.start()
  here.write(configOf([tunnelOf('aaisp', { username: 'bob' })]))
  await here.within(5_000, here.daemon.reload())
  assert.equal(here.lookUps.length, 2)
  assert.equal(here.status.status().tunnel.aaisp?.state, 'resolving')
  const { length } = here.status.events
  here.lookUps[0]?.({ addresses: ['198.51.100.1'], ttl: millis(1000) })
  await here.clock.pass(10)
  assert.deepEqual(here.status.events.slice(length), [])
  assert.equal(here.status.status().tunnel.aaisp?.state, 'resolving')
})

test('a reload whose filters nft refuses leaves everything as it was, and says why', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
  await here.start()
  const { length } = here.system.done
  here.system.refuse = (what) => (what === 'nft check' ? 'EINVAL' : undefined)
  here.write(configOf([tunnelOf('aaisp', { servers: LITERAL, username: 'bob' }), tunnelOf('second')]))
  assert.deepEqual(await here.within(5_000, here.daemon.reload()), {
    ok: false,
    error: { code: 'system', message: 'its filters are refused: nft check is refused' },
  })
  assert.deepEqual(here.system.done.slice(length), ['nft check EINVAL'])
  assert.deepEqual(Object.keys(here.status.status().tunnel), ['aaisp'])
  assert.equal(here.log.lines.at(-1), 'error the new configuration cannot be used, the running one stays')

  here.system.refuse = () => undefined
  assert.ok((await here.within(5_000, here.daemon.reload())).ok)
  assert.deepEqual(Object.keys(here.status.status().tunnel), ['aaisp', 'second'])
})

test('while filters are refused no dial says a word, and the first one after that does', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
  here.system.refuse = (what) => (what === 'nft' ? 'EINVAL' : undefined)
  await here.start()
  // A dial that began beside the first load goes on.
  await here.clock.pass(60_000)
  const { sent } = here
  await here.clock.pass(600_000)
  assert.equal(here.sent, sent)
  const error = here.status.status().tunnel.aaisp?.last_error
  assert.equal(error?.code, 'firewall_refused')
  assert.match(error?.message ?? '', /nft is refused$/)
  here.system.refuse = () => undefined
  await here.clock.pass(60_000)
  assert.ok(here.sent > sent)
})

test('a tunnel that a user has switched off stays so when its section changes', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
  await here.start()
  here.daemon.down('aaisp')
  await here.clock.pass(5_000)
  here.write(configOf([tunnelOf('aaisp', { servers: LITERAL, username: 'bob' })]))
  await here.within(5_000, here.daemon.reload())
  await here.clock.pass(5_000)
  assert.equal(here.status.status().tunnel.aaisp?.state, 'disabled')
  here.daemon.up('aaisp')
  assert.equal(here.status.status().tunnel.aaisp?.state, 'dialling')
})

test('the history of a tunnel is kept without failover, and over a stop', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp')]))
  await here.start()
  here.status.failed('aaisp', { code: 'no_answer', server: 'lns.example' } as never)
  assert.equal(here.daemon.history('aaisp')?.events.length, 1)
  await here.within(5_000, here.daemon.stop())
  assert.match(here.files.read('history.json') ?? '', /"failed"/)
})

test('a reload that would leave no tunnel where one runs is refused until it is forced', async () => {
  const off = tunnelOf('off', { servers: LITERAL, enabled: false })
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL }), off]))
  await here.start()
  const { length } = here.system.done
  here.write(configOf([]))
  const message =
    'the new configuration has no tunnel, so the running one stays (with aaisp): to remove all tunnels use `lifeline reload --force`'
  assert.deepEqual(await here.within(5_000, here.daemon.reload()), {
    ok: false,
    error: { code: 'refused', message },
  })
  assert.equal(here.log.lines.at(-1), `error ${message}`)
  assert.deepEqual(here.system.done.slice(length), [])
  assert.deepEqual(Object.keys(here.status.status().tunnel), ['aaisp', 'off'])

  // Uplinks alone do not make up for it.
  here.write({ ...configOf([], [uplinkOf('fibre', 'eth0')]), failover: { ...FAILOVER, paths: ['fibre'] } })
  assert.equal((await here.within(5_000, here.daemon.reload())).ok, false)

  assert.ok((await here.within(5_000, here.daemon.reload(true))).ok)
  assert.deepEqual(here.status.status().tunnel, {})
})

test('tunnels that are switched off by the configuration are removed without force', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
  await here.start()
  here.write(configOf([tunnelOf('aaisp', { servers: LITERAL, enabled: false })]))
  assert.ok((await here.within(5_000, here.daemon.reload())).ok)
  here.write(configOf([]))
  assert.ok((await here.within(5_000, here.daemon.reload())).ok)
  assert.deepEqual(here.status.status().tunnel, {})
})

test('the path that a user has chosen outlives a reload, unless the mode itself changes', async () => {
  const config: Config = {
    ...configOf([tunnelOf('aaisp', { servers: LITERAL })], [uplinkOf('fibre', 'eth0')]),
    failover: FAILOVER,
  }
  const here = daemonOf(config)
  await here.start()
  assert.ok(here.daemon.use('aaisp').ok)
  here.write({ ...config, failover: { ...FAILOVER, failbackDelay: seconds(20) } })
  await here.within(5_000, here.daemon.reload())
  assert.equal(here.status.status().failover?.mode, 'aaisp')
  here.write({ ...config, failover: { ...FAILOVER, mode: 'fibre' } })
  await here.within(5_000, here.daemon.reload())
  assert.equal(here.status.status().failover?.mode, 'fibre')
})

test('a reload logs its warnings, and says what takes a restart', async () => {
  const config = configOf([tunnelOf('aaisp', { servers: LITERAL })])
  const here = daemonOf(config)
  await here.start()
  here.write({ ...config, lifeline: { ...config.lifeline, stateDir: '/srv/lifeline' } })
  const { length } = here.log.lines
  const reload = await here.within(5_000, here.daemon.reload())
  const restart = 'option state_dir counts from the next start on: restart lifeline'
  assert.deepEqual(reload.ok && reload.value.warnings, ['a warning', restart])
  assert.deepEqual(here.log.lines.slice(length), ['warn a warning', `warn ${restart}`])
})

test('a path cannot be chosen where there is no failover', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
  await here.start()
  assert.equal(here.daemon.use('auto').ok, false)
})

test('probes leave by sockets of the device that bears the name now, however quickly it was replaced', async () => {
  const config = configOf([tunnelOf('aaisp', { servers: LITERAL })], [uplinkOf('fibre', 'eth0')])
  const here = daemonOf({ ...config, failover: FAILOVER })
  await here.start()
  await here.clock.pass(1_000)
  const { open, opened } = here.pingers
  assert.ok(open > 0)
  here.system.inSilence((facts) => ({
    ...facts,
    links: facts.links.map((link) => (link.name === 'eth0' ? { ...link, index: 9 } : link)),
    addresses: facts.addresses.map((address) => ({ ...address, link: 9 })),
    routes: [defaultOver(9, '192.0.2.1'), defaultOver(9, '2001:db8:f::1')],
  }))
  here.system.loseAnnouncements()
  await here.clock.pass(3_000)
  assert.deepEqual(here.pingers, { open, opened: opened + open })
  const stopping = here.daemon.stop()
  await here.within(5_000, stopping)
  assertNothingLeft(here)
})

test('a hanging nft: said within 2 s, no message leaves, and a stop ends within 5 s with the device gone', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
  here.system.load = () => new Promise(() => {})
  const started = here.start()
  await here.clock.pass(1_900)
  await started
  const { aaisp } = here.status.status().tunnel
  assert.match(aaisp?.last_error?.message ?? '', /load the filters: nft has not ended for 1\.5 s/)
  await here.clock.pass(30_000)
  assert.equal(here.sent, 0)
  await here.within(4_900, here.daemon.stop())
  assert.deepEqual(here.devices.names(), [])
  assert.equal(here.openSockets, 0)
  assert.ok(here.log.lines.some((line) => line.includes('nft does not end, so our filters stay')))
})

test('an nft that begins to hang while it works does not hold up the stop either', async () => {
  const here = daemonOf(configOf([tunnelOf('aaisp', { servers: LITERAL })]))
  await here.start()
  here.system.load = () => new Promise(() => {})
  await here.within(4_900, here.daemon.stop())
  assert.deepEqual(here.devices.names(), [])
  assert.equal(here.openSockets, 0)
})

/**
 * Two lines in order of preference, `eth0` at 192.0.2.2 and `further` addresses and `eth1` at the address given, while a
 * user changes to the second.
 */
async function changeOver(address: string, further: readonly string[] = []): Promise<string[]> {
  const config = configOf([], [uplinkOf('fibre', 'eth0'), uplinkOf('lte', 'eth1')])
  const here = daemonOf({ ...config, failover: { ...FAILOVER, paths: ['fibre', 'lte'] } })
  here.system.inSilence((facts) => ({
    ...facts,
    links: [...facts.links, linkOf(9, 'eth1')],
    addresses: [
      ...facts.addresses,
      ...facts.addresses
        .filter((each) => each.address === '192.0.2.2')
        .map((each) => ({ ...each, address, link: 9 })),
      ...further.map((each) => addressOn(2, each)),
    ],
    routes: [...facts.routes, { ...defaultOver(9, '192.0.2.1'), metric: 200 }],
  }))
  await here.start()
  here.daemon.use('fibre')
  await here.clock.pass(2_000)
  here.log.entries.length = 0
  here.daemon.use('lte')
  await here.clock.pass(2_000)
  assert.equal(here.status.status().failover?.active, 'lte')
  await here.within(5_000, here.daemon.stop())
  return here.log.lines.filter((line) => line.includes('were forgotten'))
}

test('connections are forgotten after a change between two lines, also when they bear the same address', async () => {
  const forgotten = ['info connections of the old address were forgotten']
  assert.deepEqual(await changeOver('192.0.2.2'), forgotten)
  assert.deepEqual(await changeOver('192.0.2.77'), forgotten)
  assert.deepEqual(await changeOver('192.0.2.77', ['203.0.113.7/24']), [...forgotten, ...forgotten])
})

/** A line with these addresses, in this order, and a hot tunnel behind it that had 203.0.113.10 last. */
async function hotBehind(addresses: readonly string[]): Promise<Here> {
  const tunnel = tunnelOf('aaisp', { servers: LITERAL, standby: 'hot' })
  const config = { ...configOf([tunnel], [uplinkOf('fibre', 'eth0')]), firewalls: [FIREWALL] }
  const here = daemonOf({ ...config, failover: FAILOVER }, { aaisp: { ...SESSION, ipv6: undefined } })
  here.system.inSilence((facts) => ({ ...facts, addresses: addresses.map((each) => addressOn(2, each)) }))
  await here.start()
  return here
}

/** What filters and failover each make of it. */
function sharedBy({ system, status }: Here) {
  const both = 'ip saddr 203.0.113.10/32 oifname { "eth0", "l2tp-aaisp" } accept'
  const { problem } = status.status().failover ?? {}
  const refused = /^aaisp cannot be hot: its session would take the address of a line that works/
  return { filters: system.table?.includes(both), failover: refused.test(problem ?? '') }
}

test('an address is shared for filters and failover alike, whichever of the line it is', async () => {
  for (const { addresses, shared } of [
    { addresses: ['203.0.113.10/24'], shared: true },
    { addresses: ['203.0.113.10/24', '192.168.100.2/24'], shared: true },
    { addresses: ['192.168.100.2/24', '203.0.113.10/24'], shared: true },
    { addresses: ['192.168.100.2/24', '203.0.113.11/24'], shared: false },
  ]) {
    const here = await hotBehind(addresses)
    assert.deepEqual(sharedBy(here), { filters: shared, failover: shared }, addresses.join())
    await here.within(5_000, here.daemon.stop())
  }
})
