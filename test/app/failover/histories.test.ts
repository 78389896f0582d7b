import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histories } from '../../../src/app/failover/histories.ts'
import type { StatusEvent } from '../../../src/core/status/event.ts'
import { MemoryFiles } from '../../memory-files.ts'
import { VirtualClock } from '../../virtual-clock.ts'

const HOUR = 3_600_000
const NOON = Date.UTC(2026, 2, 1, 12)

/** A process: its monotonic clock begins where the test says, and alarms ring as time passes. */
class Process extends VirtualClock {
  readonly histories: Histories

  constructor(files: MemoryFiles, { boot = 0, wall = NOON }: { boot?: number; wall?: number } = {}) {
    super({ start: boot, wallOffset: wall - boot })
    this.histories = new Histories({ clock: this, files })
  }
}

/** A probe or echo that took so many ms, or was lost. */
function took(rttMs: number | undefined, late = false) {
  return { rttMs, late }
}

const UP: StatusEvent<'state'> = {
  seq: 1,
  at: '',
  event: 'state',
  tunnel: 'aaisp',
  state: 'up',
  from: 'configuring',
  cause: null,
}

test('a tunnel that no path of failover is has a history of its echoes and states', () => {
  const { histories } = new Process(new MemoryFiles())
  histories.keep(['fibre', 'lte'], ['aaisp', 'lte'])
  histories.told({ ...UP, state: 'configuring', from: 'authenticating' })
  histories.told(UP)
  histories.echo('aaisp', took(20))
  histories.echo('aaisp', took(undefined))
  histories.told({
    seq: 2,
    at: '',
    event: 'failed',
    tunnel: 'aaisp',
    code: 'no_answer',
    message: 'the LNS does not answer',
  })
  histories.told({ ...UP, state: 'waiting', from: 'up' })
  histories.told({ ...UP, state: 'dialling', from: 'waiting' })
  const { bins = [], events = [] } = histories.read('aaisp') ?? {}
  assert.deepEqual(
    bins.map(({ min, loss, probes }) => [min, loss, probes]),
    [[20, 0.5, 2]],
  )
  assert.deepEqual(
    events.map(({ event, text }) => `${event} ${text}`),
    ['state up', 'failed the LNS does not answer', 'state no longer up'],
  )
  histories.echo('aaisp', took(4000, true))
  assert.equal(histories.read('aaisp')?.bins[0]?.loss, 0)
  // Of a path its probes are what counts.
  histories.echo('lte', took(20))
  histories.told({ ...UP, tunnel: 'lte' })
  assert.deepEqual([histories.read('lte')?.bins, histories.read('lte')?.events], [[], []])
  assert.equal(histories.read('nobody'), undefined)
})

test('what was measured survives an orderly stop, in its place', () => {
  const files = new MemoryFiles()
  const first = new Process(files, { boot: 5_000_123 })
  first.histories.keep(['fibre'], ['aaisp'])
  first.histories.sample('fibre', took(10))
  first.histories.sample('fibre', took(30.12))
  first.advance(200_000)
  first.histories.sample('fibre', took(undefined))
  first.histories.switched('failover', undefined, 'fibre', 'a cause')
  first.advance(HOUR)
  const before = first.histories.read('fibre')
  first.histories.close()

  const second = new Process(files, { boot: 77, wall: first.wall().getTime() })
  second.histories.keep(['fibre'], ['aaisp'])
  const after = second.histories.read('fibre')
  const without = (bins = before?.bins) => bins?.map(({ at: _at, ...bin }) => bin)
  assert.deepEqual(without(after?.bins), without())
  assert.deepEqual(after?.events, before?.events)
  for (const [i, { at }] of (after?.bins ?? []).entries())
    assert.ok(Math.abs(Date.parse(at) - Date.parse(before?.bins[i]?.at ?? '')) <= 100_000, at)
  second.histories.sample('fibre', took(50))
  assert.equal(second.histories.read('fibre')?.bins.at(-1)?.max, 50)
})

test('of a crash no more than six hours are lost, and nothing is written oftener', () => {
  const files = new MemoryFiles()
  const first = new Process(files)
  first.histories.keep([], ['aaisp'])
  first.histories.echo('aaisp', took(10))
  first.advance(6 * HOUR - 1)
  assert.equal(files.writes, 0)
  first.advance(1)
  assert.equal(files.writes, 1)
  const second = new Process(files, { wall: NOON + 7 * HOUR })
  second.histories.keep([], ['aaisp'])
  assert.deepEqual(
    second.histories.read('aaisp')?.bins.map(({ max }) => max),
    [10],
  )
  first.advance(24 * HOUR)
  assert.equal(files.writes, 5)
})

test('what is older than a day, or of a tunnel that is gone, is left behind', () => {
  const files = new MemoryFiles()
  const first = new Process(files)
  first.histories.keep([], ['aaisp', 'gone'])
  first.histories.echo('aaisp', took(10))
  first.histories.told(UP)
  first.histories.echo('gone', took(10))
  first.advance(3 * HOUR)
  first.histories.echo('aaisp', took(20))
  first.histories.close()
  const second = new Process(files, { wall: NOON + 26 * HOUR })
  second.histories.keep([], ['aaisp'])
  assert.deepEqual(
    second.histories.read('aaisp')?.bins.map(({ max }) => max),
    [20],
  )
  assert.deepEqual(second.histories.read('aaisp')?.events, [])
  assert.equal(second.histories.read('gone'), undefined)
})

test('a clock that stands before the last save, as on a router without a battery, loses nothing', () => {
  const files = new MemoryFiles()
  const first = new Process(files)
  first.histories.keep([], ['aaisp'])
  first.histories.echo('aaisp', took(10))
  first.histories.close()
  const second = new Process(files, { boot: 500_000, wall: 0 })
  second.histories.keep([], ['aaisp'])
  assert.deepEqual(
    second.histories.read('aaisp')?.bins.map(({ max }) => max),
    [10],
  )
})

test('a file that is not as we wrote it is no history', () => {
  for (const text of ['', '{', '[]', 'null', '{"at":"x"}', '{"at":1,"records":[[]]}']) {
    const files = new MemoryFiles()
    files.write('history.json', text)
    const { histories } = new Process(files)
    histories.keep([], ['aaisp'])
    assert.deepEqual(histories.read('aaisp')?.bins, [])
  }
  const files = new MemoryFiles()
  const bins = [[NOON], [NOON, 1, 0, 5, 5, -1], [NOON, 1, 0, null, 5, 5], 7, [NOON, 1, 0, 5, 5, 5]]
  files.write(
    'history.json',
    JSON.stringify({
      at: NOON,
      records: { aaisp: { bins, events: [1, [NOON, 2, 3], [NOON, 'state', 'up']] } },
    }),
  )
  const { histories } = new Process(files)
  histories.keep([], ['aaisp'])
  assert.equal(histories.read('aaisp')?.bins.length, 1)
  assert.equal(histories.read('aaisp')?.events.length, 1)
})

test('a day of a path, with all the events there can be, is bounded', () => {
  const files = new MemoryFiles()
  const process = new Process(files)
  process.histories.keep(['fibre'], [])
  for (let i = 0; i < 1500; i++) {
    process.histories.sample('fibre', took(123.456))
    process.histories.sample('fibre', took(undefined))
    process.histories.switched('failover', 'fibre', 'fibre', 'x'.repeat(5000))
    process.advance(100_000)
  }
  process.histories.close()
  const { length } = files.read('history.json') ?? ''
  assert.ok(length > 50_000 && length < 150_000, `${length}`)
})
