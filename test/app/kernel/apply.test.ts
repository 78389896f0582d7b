import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Apply } from '../../../src/app/kernel/apply.ts'
import { FiltersRefused, keepsDown } from '../../../src/app/kernel/apply-failure.ts'
import { Devices } from '../../../src/app/kernel/devices.ts'
import { FactsWatcher } from '../../../src/app/kernel/facts.ts'
import { desiredState } from '../../../src/core/system/desired.ts'
import { type DesiredState, NOTHING_DESIRED } from '../../../src/core/system/desired-state.ts'
import { nextState, type TunnelSession } from '../../../src/core/system/session.ts'
import { configOf, SESSION, SYSTEM, tunnelOf } from '../../core/system/samples.ts'
import { MemoryLog } from '../../memory-log.ts'
import { FakeSystem } from '../fake-system.ts'

const DEVICE = 'l2tp-aaisp'

async function setUp(system = new FakeSystem(SYSTEM)) {
  const log = new MemoryLog()
  const watcher = new FactsWatcher(system, log)
  await watcher.start()
  const devices = new Devices(system.tuns, system.tuns)
  const apply = new Apply({ watcher, devices, nft: system, sysctls: system, log })
  return { system, watcher, devices, apply, log }
}

function desiredWith(session: TunnelSession | undefined): DesiredState {
  const state = nextState(nextState(undefined, SESSION), session)
  return desiredState(configOf([tunnelOf('aaisp')]), SYSTEM, new Map([['aaisp', state]]))
}

const PORT = { device: 'eth0', localPort: 50123, server: '198.51.100.1' }
const UP = desiredWith(SESSION)
const DOWN = desiredWith(undefined)

describe('Apply', () => {
  it('writes in order: filters, device, its settings, up, addresses, routes, rules, carrier', async () => {
    const { system, apply } = await setUp()
    assert.deepEqual(await apply.want(UP), [])
    const steps = system.done.filter((what, i) => what !== system.done[i - 1])
    assert.deepEqual(steps, [
      'nft',
      `open ${DEVICE}`,
      `carrier ${DEVICE} off`,
      'link',
      'sysctl ignore_routes_with_linkdown',
      'sysctl disable_ipv6',
      'sysctl addr_gen_mode',
      'sysctl accept_ra',
      'sysctl ignore_routes_with_linkdown',
      'link',
      'add address',
      'add route',
      'add rule',
      `carrier ${DEVICE} on`,
    ])
    assert.deepEqual(apply.pending(), [])
  })

  it('says which addresses the kernel refused, until it takes them', async () => {
    const { system, apply } = await setUp()
    const told: string[][] = []
    apply.onWritten(() => told.push([...apply.refusedAddresses(DEVICE).values()]))
    let added = 0
    system.refuse = (what) => (what === 'add address' && ++added === 3 ? 'EACCES' : undefined)
    await apply.want(UP)
    const off = `IPv6 is switched off there, see sysctl net.ipv6.conf.${DEVICE}.disable_ipv6`
    assert.deepEqual(told, [[`is refused on ${DEVICE} by this machine (EACCES): ${off}`]])
    const [address = ''] = apply.refusedAddresses(DEVICE).keys()
    assert.ok(
      SESSION.ipv6?.addresses.some((each) => each.address === address),
      address,
    )
    assert.deepEqual([...apply.refusedAddresses('l2tp-other')], [])
    await apply.again()
    assert.deepEqual(told.at(-1), [])
  })

  it('does nothing for the same state, and only what is missing when asked to look again', async () => {
    const { system, apply, watcher } = await setUp()
    await apply.want(UP)
    system.done.length = 0
    await apply.want(desiredWith(SESSION))
    assert.deepEqual(system.done, [])
    system.inSilence((facts) => ({ ...facts, rules: [] }))
    system.loseAnnouncements()
    await new Promise((resolve) => watcher.onChange(resolve))
    await apply.again()
    assert.deepEqual(new Set(system.done), new Set(['add rule']))
  })

  it('turns a carrier off at once, while an older state is still being written', async () => {
    const { system, apply } = await setUp()
    let carrier: boolean | undefined
    system.onRequest = (type) => {
      if (type !== 20) return
      system.onRequest = () => {}
      void apply.want(DOWN)
      carrier = system.facts.links.find(({ name }) => name === DEVICE)?.carrier
    }
    await apply.want(UP)
    assert.equal(carrier, false)
    assert.ok(!system.done.includes(`carrier ${DEVICE} on`))
  })

  it('writes the latest of several desired states, and all are told when it is written', async () => {
    const { system, apply } = await setUp()
    const told = await Promise.all([apply.want(UP), apply.want(DOWN), apply.want(UP)])
    assert.deepEqual(told, [[], [], []])
    assert.deepEqual(apply.pending(), [])
    assert.equal(system.done.at(-1), `carrier ${DEVICE} on`)
    assert.equal(system.done.filter((what) => what === 'nft').length, 1)
  })

  it('writes no switch of paths while a newer state waits, which may lead elsewhere', async () => {
    const { system, apply } = await setUp()
    const [{ table } = assert.fail()] = UP.routes
    const rest = UP.routes.filter((route) => route.table !== table)
    await Promise.all([apply.want({ ...UP, switchTable: table }), apply.want({ ...UP, routes: rest })])
    assert.equal(system.done.filter((what) => what === 'add route').length, rest.length)
    assert.deepEqual(apply.pending(), [])
  })

  it('brings up no device and turns on no carrier without filters', async () => {
    const { system, apply, log } = await setUp()
    system.refuse = (what) => (what === 'nft' ? 'EINVAL' : undefined)
    const [failure, ...more] = await apply.want(UP)
    assert.deepEqual(more, [])
    assert.ok(failure && keepsDown(failure, DEVICE))
    assert.equal(failure.message, 'could not load nft table inet lifeline: nft is refused')
    assert.deepEqual(system.done, ['nft EINVAL'])
    assert.deepEqual(log.lines, ['warn the system refused a change'])
  })

  it('turns the carrier of a running device off if new filters are refused', async () => {
    const { system, apply } = await setUp()
    await apply.want(UP)
    system.refuse = (what) => (what === 'nft' ? 'EINVAL' : undefined)
    await apply.want(desiredWith({ ...SESSION, mtu: 1400 }))
    assert.equal(system.done.at(-1), `carrier ${DEVICE} off`)
  })

  it('goes on where a part is refused, says which, and does it when asked again', async () => {
    const { system, apply } = await setUp()
    system.refuse = (what) => (what === 'add route' ? 'ENETUNREACH' : undefined)
    const failures = await apply.want(UP)
    assert.ok(failures.length > 3)
    assert.ok(failures.every(({ code, change }) => code === 'ENETUNREACH' && change.kind === 'addRoute'))
    assert.ok(!failures.some((failure) => keepsDown(failure, DEVICE)))
    assert.equal(system.done.at(-1), `carrier ${DEVICE} on`)
    system.refuse = () => undefined
    assert.deepEqual(await apply.again(), [])
    assert.deepEqual(apply.pending(), [])
  })

  it('leaves the carrier off where the device cannot be had', async () => {
    const { system, apply } = await setUp()
    system.refuse = (what) => (what === `open ${DEVICE}` ? 'EBUSY' : undefined)
    const [failure, ...more] = await apply.want(UP)
    assert.deepEqual(more, [])
    assert.ok(failure?.code === 'EBUSY' && keepsDown(failure, DEVICE))
    assert.ok(!system.done.some((what) => /^(carrier|link|sysctl|add address)/.test(what)))
  })

  it('takes what is gone already for removed, and a rule that is there for added', async () => {
    const { system, apply } = await setUp()
    await apply.want(UP)
    system.refuse = (what) =>
      what.startsWith('remove') ? 'ESRCH' : what === 'add rule' ? 'EEXIST' : undefined
    const moved = { ...SESSION, ipv4: { address: '203.0.113.99', peer: undefined } }
    assert.deepEqual(await apply.want(desiredWith(moved)), [])
  })

  it('removes everything, filters last', async () => {
    const { system, apply } = await setUp()
    await apply.want(UP)
    system.done.length = 0
    assert.deepEqual(await apply.want(NOTHING_DESIRED), [])
    assert.deepEqual(system.done.slice(0, 2), [`destroy ${DEVICE}`, 'unlink'])
    assert.equal(system.done.at(-1), 'nft remove')
    assert.deepEqual(system.facts, SYSTEM)
    assert.equal(system.table, undefined)
  })

  it('removes a device that a session has opened and nothing marks as ours', async () => {
    const { system, devices, apply } = await setUp()
    system.refuse = (what) => (what === 'nft' ? 'EINVAL' : undefined)
    await apply.want(UP)
    devices.open(DEVICE)
    await apply.again()
    assert.ok(devices.get(DEVICE), 'while it is wanted it stays')
    assert.deepEqual(await apply.want(NOTHING_DESIRED), [])
    assert.deepEqual(system.facts, SYSTEM)
    assert.deepEqual(devices.names(), [])
  })

  it('goes on where such a device cannot be removed', async () => {
    const { system, devices, apply, log } = await setUp()
    devices.open('l2tp-second')
    system.refuse = (what) => (what.startsWith('destroy') ? 'EBUSY' : undefined)
    assert.deepEqual(await apply.want(UP), [])
    assert.deepEqual(log.lines, ['warn a device could not be removed'])
  })

  it('opens no device for an older state that a newer one does without', async () => {
    const { system, apply } = await setUp()
    let stopped: Promise<unknown> | undefined
    system.onNft = () => {
      stopped ??= apply.want(NOTHING_DESIRED)
    }
    await apply.want(UP)
    await stopped
    assert.ok(!system.done.includes(`open ${DEVICE}`))
    assert.equal(system.facts.links.length, SYSTEM.links.length)
  })

  it('removes the device that it holds, by whichever index facts know it', async () => {
    const { system, apply } = await setUp()
    await apply.want(UP)
    system.inSilence((facts) => ({
      ...facts,
      links: facts.links.map((link) => (link.name === DEVICE ? { ...link, index: link.index + 50 } : link)),
    }))
    await apply.want(NOTHING_DESIRED)
    assert.equal(system.facts.links.length, SYSTEM.links.length)
  })

  it('lets no dial begin while nft hangs, and all of them once it is done', async () => {
    const { system, apply } = await setUp()
    const load = system.load.bind(system)
    let release = () => {}
    const hanging = new Promise<void>((resolve) => {
      release = resolve
    })
    system.load = async (text) => {
      await hanging
      return load(text)
    }
    let begun = 0
    void apply.want(UP)
    const dials = [apply.filtersLoaded(), apply.filtersLoaded()].map((dial) => dial.then(() => begun++))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(begun, 0)
    release()
    await Promise.all(dials)
    assert.equal(begun, 2)
    assert.ok(system.table !== undefined)
  })

  it('guards no port without filters: they are tried again, and refused again', async () => {
    const { system, apply } = await setUp()
    system.refuse = (what) => (what === 'nft' ? 'EINVAL' : undefined)
    void apply.want(UP)
    await assert.rejects(apply.guardPort(PORT), FiltersRefused)
    await assert.rejects(apply.guardPort(PORT), FiltersRefused)
    system.refuse = () => undefined
    await apply.guardPort(PORT)
    assert.equal(system.table?.match(/udp dport 50123/g)?.length, 2, 'once, and nobody else')
  })

  it('has a port guarded when it says so, also after announcements were lost', async () => {
    const { system, apply } = await setUp()
    await apply.want(UP)
    apply.tableUnknown()
    await apply.guardPort(PORT)
    assert.match(system.table ?? '', /udp dport 50123/)
  })

  it('takes over what a killed process left, without touching it', async () => {
    const { system, apply } = await setUp()
    await apply.want(UP)
    const next = await setUp(new FakeSystem({ ...system.facts }))
    for (const { path, value } of UP.devices[0]?.sysctls ?? []) next.system.write(path, value)
    next.system.done.length = 0
    assert.deepEqual(await next.apply.want(UP), [])
    assert.deepEqual(next.system.done, [
      'nft',
      `open ${DEVICE}`,
      `carrier ${DEVICE} off`,
      `carrier ${DEVICE} on`,
    ])
  })
})
