import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Apply } from '../../../src/app/kernel/apply.ts'
import { Devices } from '../../../src/app/kernel/devices.ts'
import { FactsWatcher } from '../../../src/app/kernel/facts.ts'
import { Keeper } from '../../../src/app/kernel/keeper.ts'
import { scriptOf } from '../../../src/core/firewall/filters.ts'
import { encodeRuleRemoval } from '../../../src/core/netlink/rule.ts'
import { desiredState } from '../../../src/core/system/desired.ts'
import type { DesiredState } from '../../../src/core/system/desired-state.ts'
import { nextState } from '../../../src/core/system/session.ts'
import { configOf, SESSION, SYSTEM, tunnelOf } from '../../core/system/samples.ts'
import { MemoryLog } from '../../memory-log.ts'
import { dataSession } from '../../memory-tuns.ts'
import { FakeClock, FakeSystem, idle } from '../fake-system.ts'

const DEVICE = 'l2tp-aaisp'

const PORT = { device: 'eth0', localPort: 50123, server: '198.51.100.1' }

/** The same with other filters. */
function changed(desired: DesiredState): DesiredState {
  return { ...desired, filters: { kind: 'table', script: `${scriptOf(desired.filters)} ` } }
}

async function kept() {
  const system = new FakeSystem(SYSTEM)
  const clock = new FakeClock()
  const log = new MemoryLog()
  const watcher = new FactsWatcher(system, log)
  await watcher.start()
  const devices = new Devices(system.tuns, system.tuns)
  const apply = new Apply({ watcher, devices, nft: system, sysctls: system, log })
  const keeper = new Keeper({ apply, watcher, netlinks: system, clock, log })
  const state = nextState(undefined, SESSION)
  const desired = desiredState(configOf([tunnelOf('aaisp')]), SYSTEM, new Map([['aaisp', state]]))
  await apply.want(desired)
  await clock.pass(1000)
  system.done.length = 0
  /** Removes the first rule of ours, as `ip rule del` would. */
  const removeRule = () => {
    const rule = system.facts.rules[0]
    assert.ok(rule)
    system.announce(encodeRuleRemoval(rule))
  }
  return { system, clock, log, devices, apply, keeper, desired, removeRule }
}

describe('Keeper', () => {
  it('does nothing while all is well', async () => {
    const { system, clock, log } = await kept()
    system.setLink('usb0', {})
    await clock.pass(60_000)
    assert.deepEqual([system.done, log.lines], [[], []])
  })

  it('does again what somebody undid, soon, and says so', async () => {
    const { system, clock, log, removeRule } = await kept()
    removeRule()
    await clock.pass(49)
    assert.deepEqual(system.done, [])
    await clock.pass(1)
    await idle()
    assert.equal(system.done[0], 'add rule')
    assert.deepEqual(log.lines, ['info the system is not as it should be, correcting it'])
  })

  for (const change of ['removeTable', 'removeFilter'] as const) {
    it(`lets nothing pass while filters are broken, and mends them at once: ${change}`, async () => {
      const { system, clock, devices } = await kept()
      devices.get(DEVICE)?.attach(dataSession())
      const passes = () => system.tuns.devices.get(DEVICE)?.session?.ipv4
      assert.equal(passes(), true)
      system[change]()
      assert.equal(passes(), false)
      await clock.pass(0)
      await idle()
      assert.equal(system.done[0], 'nft')
      assert.ok(system.table)
      assert.equal(passes(), true)
    })
  }

  for (const when of ['before', 'after'] as const) {
    for (const what of ['a guard', 'the table'] as const) {
      it(`notices that somebody removes the table while ${what} is loaded, ${when} the kernel takes it`, async () => {
        const { system, clock, devices, apply, desired, log } = await kept()
        devices.get(DEVICE)?.attach(dataSession())
        const passes = () => system.tuns.devices.get(DEVICE)?.session?.ipv4
        system.onNft = (now) => {
          if (now !== when) return
          system.onNft = () => {}
          system.removeTable()
        }
        const loading = what === 'a guard' ? apply.guardPort(PORT) : apply.want(changed(desired))
        await loading.catch(() => {})
        assert.equal(passes(), false)
        assert.ok(log.lines.some((line) => line.includes('somebody changed our filters')))
        await clock.pass(0)
        await idle()
        assert.ok(
          system.table?.startsWith(
            scriptOf((what === 'a guard' ? desired : changed(desired)).filters) ?? '-',
          ),
        )
        assert.equal(passes(), true)
        assert.deepEqual(apply.pending(), [])
      })
    }
  }

  it('loads filters again after announcements were lost, and lets packets pass meanwhile', async () => {
    const { system, clock, devices } = await kept()
    devices.get(DEVICE)?.attach(dataSession())
    system.loseAnnouncements()
    assert.equal(system.tuns.devices.get(DEVICE)?.session?.ipv4, true)
    await clock.pass(50)
    await idle()
    assert.equal(system.done[0], 'nft')
  })

  it('loads filters again where announcements were lost while it loaded some', async () => {
    const { system, clock, apply, desired } = await kept()
    system.onNft = (when) => {
      if (when !== 'after') return
      system.onNft = () => {}
      system.loseAnnouncements()
    }
    await apply.want(changed(desired))
    await clock.pass(100)
    await idle()
    assert.equal(system.done.filter((what) => what === 'nft').length, 2)
    assert.deepEqual(apply.pending(), [])
  })

  it('lets nothing pass by a device that is down or has lost its name', async () => {
    const { system, clock, devices } = await kept()
    devices.get(DEVICE)?.attach(dataSession())
    const passes = () => system.tuns.devices.get(DEVICE)?.session?.ipv4
    system.setLink(DEVICE, { up: false })
    assert.equal(passes(), false)
    await clock.pass(50)
    await idle()
    assert.equal(passes(), true)
  })

  it('opens a device anew that somebody removed', async () => {
    const { system, clock, apply } = await kept()
    system.removeLink(DEVICE)
    await clock.pass(50)
    await idle()
    assert.ok(system.done.includes(`open ${DEVICE}`))
    assert.equal(system.done.at(-1), `carrier ${DEVICE} on`)
    assert.deepEqual(apply.pending(), [])
  })

  it('answers somebody who keeps at it ever more rarely, but at least every 30 s', async () => {
    const { system, clock, removeRule } = await kept()
    const intervals: number[] = []
    for (let i = 0; i < 13; i++) {
      removeRule()
      const from = clock.now()
      const count = system.done.length
      while (system.done.length === count) await clock.pass(10)
      await idle()
      intervals.push(clock.now() - from)
    }
    const expected = [50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000]
    intervals.forEach((interval, i) => {
      assert.ok(Math.abs(interval - (expected[i] ?? 0)) <= 10, `${i}: ${interval} ms`)
    })
  })

  it('is quick again after a calm minute', async () => {
    const { system, clock, removeRule } = await kept()
    for (let i = 0; i < 8; i++) {
      removeRule()
      await clock.pass(15_000)
    }
    await clock.pass(61_000)
    system.done.length = 0
    removeRule()
    await clock.pass(60)
    await idle()
    assert.ok(system.done.includes('add rule'))
  })

  it('tries again what was refused', async () => {
    const { system, clock, apply, removeRule } = await kept()
    system.refuse = (what) => (what === 'add rule' ? 'EPERM' : undefined)
    removeRule()
    await clock.pass(50)
    assert.equal(apply.pending().length, 1)
    system.refuse = () => undefined
    await clock.pass(6_000)
    assert.deepEqual(apply.pending(), [])
  })

  it('tries again what was refused, though nothing changes', async () => {
    const { system, clock, log, apply, desired } = await kept()
    system.refuse = (what) => (what === 'nft remove' ? 'EINVAL' : undefined)
    await apply.want({ ...desired, filters: { kind: 'none' } })
    await clock.pass(60_000)
    const tried = () => system.done.filter((what) => what.startsWith('nft remove')).length
    assert.ok(tried() > 3)
    assert.ok(tried() < 12, 'ever more rarely')
    assert.equal(log.lines.filter((line) => line.includes('refused')).length, tried())
    system.refuse = () => undefined
    await clock.pass(30_000)
    assert.equal(system.table, undefined)
    assert.deepEqual(apply.pending(), [])
  })

  it('is silent after close', async () => {
    const { system, clock, keeper, removeRule } = await kept()
    keeper.close()
    removeRule()
    system.removeTable()
    await clock.pass(60_000)
    assert.deepEqual(system.done, [])
  })
})
