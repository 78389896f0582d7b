import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budgets } from '../../../src/app/failover/budgets.ts'
import { StatusStore } from '../../../src/app/status-store.ts'
import type { UplinkConfig } from '../../../src/core/config/types.ts'
import type { DeviceTraffic } from '../../../src/core/system/device-traffic.ts'
import { type Facts, NO_FACTS } from '../../../src/core/system/facts.ts'
import { configuredUplinks } from '../../../src/core/system/uplinks.ts'
import { linkOf, uplinkOf } from '../../core/system/samples.ts'
import { ofKind } from '../../events.ts'
import { MemoryFiles } from '../../memory-files.ts'
import { VirtualClock } from '../../virtual-clock.ts'

const FIBRE = uplinkOf('fibre', 'eth0')
const LTE = uplinkOf('lte', 'wwan0', { metered: true, monthlyBudget: 1e9, budgetCutoff: true })
const FACTS = { ...NO_FACTS, links: [linkOf(2, 'eth0'), linkOf(3, 'wwan0')] }

function make(files = new MemoryFiles(), uplinks: readonly UplinkConfig[] = [FIBRE, LTE]) {
  const clock = new VirtualClock({ wallOffset: Date.UTC(2027, 2, 10) })
  const status = new StatusStore(clock, '0.1.0')
  status.configure({ node: 'router', tunnels: [], uplinks })
  const traffic = new Map<string, DeviceTraffic>([
    ['eth0', { receivedOctets: 0, receivedPackets: 0, sentOctets: 0 }],
    ['wwan0', { receivedOctets: 0, receivedPackets: 0, sentOctets: 0 }],
  ])
  const said: string[] = []
  const budgets = new Budgets({ clock, counters: { read: () => traffic, bootId: 'b' }, status, files }, () =>
    said.push([...budgets.cutOff].join()),
  )
  budgets.configure({ uplinks })
  const factsChanged = (facts: Facts) => budgets.uplinksChanged(configuredUplinks({ uplinks }, facts))
  factsChanged(FACTS)
  const carry = (octets: number) => {
    const { receivedOctets = 0, sentOctets = 0 } = traffic.get('wwan0') ?? {}
    traffic.set('wwan0', {
      receivedOctets: receivedOctets + octets,
      receivedPackets: 0,
      sentOctets,
    })
  }
  const shown = () => status.status().uplink.lte?.budget
  return { budgets, factsChanged, traffic, status, files, clock, said, carry, shown }
}

test('a metered uplink is counted, another is not', () => {
  const { status, clock, carry, shown } = make()
  carry(3e6)
  clock.advance(10_000)
  assert.deepEqual(shown(), { used: 3e6, limit: 1e9, period_start: '2027-03-01' })
  assert.equal(status.status().uplink.fibre?.budget, null)
})

test('warnings are events, and a spent budget cuts off until the month ends', () => {
  const { budgets, status, clock, said, carry } = make()
  carry(0.85e9)
  clock.advance(10_000)
  assert.equal(budgets.short('lte'), true)
  assert.deepEqual(said, [])
  carry(0.2e9)
  clock.advance(10_000)
  assert.deepEqual([...budgets.cutOff], ['lte'])
  assert.deepEqual(said, ['lte'])
  const told = ofKind(status.events, 'budget')
  assert.deepEqual(
    told.map(({ uplink, percent, used, limit }) => [uplink, percent, used, limit]),
    [
      ['lte', 80, 0.85e9, 1e9],
      ['lte', 100, 1.05e9, 1e9],
    ],
  )
  clock.wallOffset = Date.UTC(2027, 3, 1)
  clock.advance(10_000)
  assert.deepEqual([...budgets.cutOff], [])
  assert.deepEqual(said, ['lte', ''])
})

test('what was counted survives a restart, and the configuration without it', () => {
  const files = new MemoryFiles()
  const first = make(files)
  first.carry(3e6)
  first.clock.advance(3000)
  first.budgets.close()
  const second = make(files, [FIBRE])
  assert.equal(second.shown(), undefined)
  second.budgets.close()
  const third = make(files)
  assert.equal(third.shown()?.used, 3e6)
  third.budgets.configure({ uplinks: [FIBRE, uplinkOf('lte', 'wwan0')] })
  assert.equal(third.shown(), null)
  third.budgets.configure({ uplinks: [FIBRE, { ...LTE, monthlyBudget: 2e6 }] })
  assert.equal(third.shown()?.limit, 2e6)
  assert.deepEqual([...third.budgets.cutOff], ['lte'])
})

test('a device that is not there is not counted, and harms nobody', () => {
  const { factsChanged, clock, carry, shown } = make()
  factsChanged(NO_FACTS)
  carry(5e6)
  clock.advance(10_000)
  assert.equal(shown()?.used, 0)
  factsChanged({ ...FACTS, links: [linkOf(9, 'wwan0')] })
  assert.equal(shown()?.used, 5e6)
})

test('an uplink whose device is another one from now on has carried all the same what it carried by the first', () => {
  const { budgets, traffic, clock, carry, shown } = make()
  carry(5e6)
  clock.advance(10_000)
  // Too little to be written at once.
  carry(5e5)
  clock.advance(10_000)
  traffic.set('wwan1', { receivedOctets: 1e6, receivedPackets: 0, sentOctets: 0 })
  const uplinks = [FIBRE, { ...LTE, device: { by: 'name', name: 'wwan1' } as const }]
  budgets.configure({ uplinks })
  budgets.uplinksChanged(configuredUplinks({ uplinks }, { ...FACTS, links: [linkOf(7, 'wwan1')] }))
  assert.equal(shown()?.used, 6.5e6)
})

test('nothing runs and nothing is written where nothing is metered', () => {
  const files = new MemoryFiles()
  const { budgets } = make(files, [FIBRE])
  budgets.close()
  assert.equal(files.read('budgets.json'), undefined)
})
