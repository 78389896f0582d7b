import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { BIN, HistoryRecord, MAX_BINS } from '../../../src/core/failover/history.ts'
import { columnsOf } from '../../../src/core/failover/history-columns.ts'
import { millis } from '../../../src/core/time.ts'

/** The wall clock at 0 on the monotonic one. */
const START = Date.parse('2026-03-01T12:00:00Z')

function read(record: HistoryRecord, now: number) {
  return record.read(millis(now), new Date(START + now))
}

function iso(now: number): string {
  return new Date(START + now).toISOString()
}

describe('bins', () => {
  test('fold samples of 100 s: least, mean, greatest, and the share that was lost', () => {
    const record = new HistoryRecord('fibre')
    for (const [at, rtt] of [
      [0, 10],
      [1000, 20],
      [99_999, 60],
      [100_000, 5],
      [150_000, undefined],
      [199_999, undefined],
      [300_000, undefined],
    ] as const)
      record.sample(millis(at), rtt)
    assert.deepEqual(read(record, 310_000), {
      path: 'fibre',
      interval: 100,
      at: iso(310_000),
      bins: [
        { at: iso(0), min: 10, mean: 30, max: 60, loss: 0, probes: 3 },
        { at: iso(100_000), min: 5, mean: 5, max: 5, loss: 2 / 3, probes: 3 },
        { at: iso(300_000), min: null, mean: null, max: null, loss: 1, probes: 1 },
      ],
      events: [],
    })
  })

  test('take back a loss that was late, also from the bin before', () => {
    const record = new HistoryRecord('fibre')
    record.sample(millis(50_000), undefined)
    record.sample(millis(99_000), undefined)
    record.sample(millis(103_000), 4000, true)
    record.sample(millis(104_000), undefined)
    record.sample(millis(106_000), 2000, true)
    assert.deepEqual(
      read(record, 110_000).bins.map(({ loss, probes }) => ({ loss, probes })),
      [
        { loss: 1, probes: 1 },
        { loss: 0, probes: 2 },
      ],
    )
  })

  test('last for 24 h', () => {
    const record = new HistoryRecord('fibre')
    for (let i = 0; i < 3 * MAX_BINS; i++) record.sample(millis(i * BIN), i)
    const now = 3 * MAX_BINS * BIN - 1
    const { bins } = read(record, now)
    assert.equal(bins.length, MAX_BINS)
    assert.equal(bins[0]?.min, 2 * MAX_BINS)
    assert.equal(bins.at(-1)?.min, 3 * MAX_BINS - 1)
    assert.equal(read(record, now + 100 * BIN).bins.length, MAX_BINS - 100)
    assert.deepEqual(read(record, now + MAX_BINS * BIN).bins, [])
  })

  test('are told by the wall clock of now', () => {
    const record = new HistoryRecord('fibre')
    record.sample(millis(0), 1)
    assert.equal(
      record.read(millis(1000), new Date(1_000_000_001_000)).bins[0]?.at,
      new Date(1e12).toISOString(),
    )
  })

  test('round to hundredths of a ms', () => {
    const record = new HistoryRecord('fibre')
    for (const rtt of [1.23456, 2, 2]) record.sample(millis(0), rtt)
    const [bin] = read(record, 1).bins
    assert.deepEqual([bin?.min, bin?.mean, bin?.max], [1.23, 1.74, 2])
  })
})

describe('events', () => {
  test('stand in their order, for 24 h, and are bounded', () => {
    const record = new HistoryRecord('fibre')
    for (let i = 0; i < 1000; i++) record.event(millis(i * 1000), 'health', `${i}`)
    const { events } = read(record, 1_000_000)
    assert.equal(events.length, 200)
    assert.deepEqual(events[0], { at: iso(800_000), event: 'health', text: '800' })
    assert.equal(events.at(-1)?.text, '999')
    assert.deepEqual(read(record, 999_000 + MAX_BINS * BIN).events, [])
  })
})

describe('columns', () => {
  function hours(count: number): HistoryRecord {
    const record = new HistoryRecord('fibre')
    for (let at = 0; at < count * 3_600_000; at += BIN) record.sample(millis(at), 10)
    return record
  }

  test('are bins while there is room', () => {
    const { columns, span, start } = columnsOf(read(hours(1), 3_600_000), 36)
    assert.deepEqual([columns.length, span, start], [36, BIN, START])
    assert.deepEqual(columns[0], { rtt: { min: 10, mean: 10, max: 10 }, loss: 0, probes: 1 })
  })

  test('are several bins beside one another, up to 24 h', () => {
    const day = read(hours(24), 24 * 3_600_000 - 1)
    for (const [room, expected, bins] of [
      [864, 864, 1],
      [500, 432, 2],
      [72, 72, 12],
      [70, 48, 18],
      [1, 1, 864],
    ] as const) {
      const { columns, span } = columnsOf(day, room)
      assert.deepEqual([columns.length, span], [expected, bins * BIN], `${room}`)
    }
  })

  test('weigh bins by what was probed in them', () => {
    const record = new HistoryRecord('fibre')
    for (let i = 0; i < 9; i++) record.sample(millis(0), 10)
    record.sample(millis(BIN), 110)
    for (let i = 0; i < 10; i++) record.sample(millis(BIN), undefined)
    const [column] = columnsOf(read(record, 2 * BIN), 1).columns
    assert.deepEqual(column, { rtt: { min: 10, mean: 20, max: 110 }, loss: 0.5, probes: 20 })
  })

  test('are empty where nothing was probed, and without times where all was lost', () => {
    const record = new HistoryRecord('fibre')
    record.sample(millis(0), 10)
    record.sample(millis(2 * BIN), undefined)
    const { columns } = columnsOf(read(record, 3 * BIN), 10)
    assert.deepEqual(columns.slice(1), [undefined, { rtt: undefined, loss: 1, probes: 1 }])
    assert.deepEqual(columnsOf(read(new HistoryRecord('x'), 5), 10).columns, [undefined])
  })
})

test('whatever is measured: bins ascend, are no more than 864, and hold their samples in order', () => {
  const step = fc.tuple(fc.nat(10 * BIN), fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const record = new HistoryRecord('fibre')
      let now = 0
      for (const [span, rtt] of steps) {
        now += span
        record.sample(millis(now), rtt ?? undefined)
      }
      const { bins } = read(record, now)
      assert.ok(bins.length <= MAX_BINS)
      for (const [i, bin] of bins.entries()) {
        assert.ok(bin.at > (bins[i - 1]?.at ?? ''))
        assert.ok(bin.loss >= 0 && bin.loss <= 1 && bin.probes > 0)
        if (bin.min === null) assert.equal(bin.loss, 1)
        else assert.ok(bin.min <= (bin.mean ?? 0) && (bin.mean ?? 0) <= (bin.max ?? 0))
      }
    }),
    { numRuns: 200 },
  )
})
