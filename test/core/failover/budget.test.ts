import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  Budget,
  type BudgetLimit,
  formatBudgets,
  parseBudgets,
  type SavedBudget,
} from '../../../src/core/failover/budget.ts'
import { octetsBetween } from '../../../src/core/failover/counters.ts'
import { millis } from '../../../src/core/time.ts'

const GB = 1e9
const WRAP = 2 ** 32
const LIMIT: BudgetLimit = { octets: 5 * GB, cutoff: true }
const MARCH = Date.UTC(2027, 2, 10)
const APRIL = Date.UTC(2027, 3, 1)
/** What a clock without a battery shows after a boot. */
const UNSET = Date.UTC(1970, 0, 1)
const DAY = 86_400_000

/** A budget, its monotonic clock, wall clock and device. */
class Script {
  budget: Budget
  now = 1000
  wall = MARCH
  instance = 'a/3'
  received = 0
  sent = 0
  readonly #limit: BudgetLimit

  constructor(limit: BudgetLimit = LIMIT, saved?: SavedBudget) {
    this.#limit = limit
    this.budget = new Budget(limit, saved)
  }

  /** Some octets pass, half of them each way, within `span` ms; then the device is looked at. */
  pass(octets: number, span = 10_000): this {
    this.received += octets / 2
    this.sent += octets / 2
    return this.look(span)
  }

  look(span = 10_000): this {
    this.now += span
    this.wall += span
    const { instance, received, sent } = this
    this.budget.count(millis(this.now), this.wall, { instance, received, sent })
    return this
  }

  /** The daemon again, with what was saved last. */
  restart(saved: SavedBudget = this.budget.save(millis(this.now))): this {
    this.budget = new Budget(this.#limit, parseBudgets(formatBudgets(new Map([['lte', saved]]))).get('lte'))
    this.now = 500
    return this
  }

  /** The machine again: device and clock begin anew. */
  reboot(saved?: SavedBudget): this {
    this.restart(saved)
    this.instance = 'b/3'
    this.received = 0
    this.sent = 0
    this.wall = UNSET
    return this
  }

  warnings(): number[] {
    const percents: number[] = []
    for (let warning = this.budget.pollWarning(); warning; warning = this.budget.pollWarning())
      percents.push(warning.percent)
    return percents
  }
}

describe('counters', () => {
  const at = (received: number, sent = 0, instance = 'a/3') => ({ instance, received, sent })
  const second = millis(1000)

  test('advance in both directions', () => {
    assert.equal(octetsBetween(at(100, 50), at(130, 55), second), 35)
    assert.equal(octetsBetween(at(100, 50), at(100, 50), second), 0)
  })

  test('begin again with a new device, or where the driver forgot', () => {
    assert.equal(octetsBetween(at(1000, 500), at(70, 7, 'a/4'), second), 77)
    assert.equal(octetsBetween(at(1000, 500), at(2000, 600, 'b/3'), second), 2600)
    assert.equal(octetsBetween(at(5 * GB, 500), at(70, 7), second), 77)
  })

  test('wrap at 32 bits if the line can have done that', () => {
    assert.equal(octetsBetween(at(WRAP - 10), at(20), second), 30)
    // 2.5 Gbit/s are 312.5 MB/s.
    assert.equal(octetsBetween(at(WRAP - 312.5e6), at(0), second), 312.5e6)
    assert.equal(octetsBetween(at(WRAP - 312.5e6 - 1), at(0), second), 0)
    assert.equal(octetsBetween(at(3 * GB), at(20), second), 20)
    assert.equal(octetsBetween(at(WRAP - 10), at(20), undefined), 20)
    assert.equal(octetsBetween(at(WRAP), at(20), second), 20)
  })

  test('each way by itself', () => {
    assert.equal(octetsBetween(at(WRAP - 10, 5 * GB), at(20, 5 * GB + 3), second), 33)
  })
})

describe('a month', () => {
  test('holds what passes after the first look', () => {
    const script = new Script()
    script.received = 7 * GB
    script.look()
    assert.equal(script.budget.used, 0)
    assert.equal(script.pass(1e6).pass(2e6).budget.used, 3e6)
    assert.equal(script.budget.periodStart, '2027-03-01')
  })

  test('ends with the next one, in UTC', () => {
    const script = new Script().look().pass(1e6)
    script.wall = APRIL - 10_001
    script.look(10_000)
    assert.deepEqual([script.budget.periodStart, script.budget.used], ['2027-03-01', 1e6])
    script.pass(500, 1)
    assert.deepEqual([script.budget.periodStart, script.budget.used], ['2027-04-01', 500])
  })

  test('survives a device that goes and comes', () => {
    const script = new Script().look().pass(1e6)
    Object.assign(script, { instance: 'a/9', received: 0, sent: 0 })
    assert.equal(script.pass(2e6).budget.used, 3e6)
  })

  test('survives a restart of the daemon, and what passed meanwhile counts', () => {
    const script = new Script().look().pass(1e6).restart()
    assert.equal(script.budget.used, 1e6)
    assert.equal(script.pass(3e6).budget.used, 4e6)
    assert.equal(script.budget.periodStart, '2027-03-01')
  })

  test('survives a reboot', () => {
    const script = new Script().look().pass(1e6).reboot().pass(3e6)
    script.wall = MARCH + DAY
    assert.equal(script.look().budget.used, 4e6)
  })
})

describe('a clock that is not set', () => {
  test('assigns nothing to a month', () => {
    const script = new Script()
    script.wall = UNSET
    script.look().pass(1e6)
    assert.deepEqual([script.budget.periodStart, script.budget.used], [undefined, 1e6])
    script.wall = MARCH
    script.look()
    assert.deepEqual([script.budget.periodStart, script.budget.used], ['2027-03-01', 1e6])
  })

  test('leaves what passed to the month in which it is set', () => {
    const script = new Script().look().pass(1e6).reboot().pass(3e6)
    assert.deepEqual([script.budget.periodStart, script.budget.used], ['2027-03-01', 4e6])
    script.wall = APRIL
    script.look()
    assert.deepEqual([script.budget.periodStart, script.budget.used], ['2027-04-01', 3e6])
  })

  test('may show an old date, of a file, which ends no month', () => {
    const script = new Script().look().pass(1e6).reboot()
    script.wall = Date.UTC(2027, 0, 5)
    script.pass(3e6)
    assert.deepEqual([script.budget.periodStart, script.budget.used], ['2027-03-01', 4e6])
    script.wall = MARCH + DAY
    script.look()
    assert.deepEqual([script.budget.periodStart, script.budget.used], ['2027-03-01', 4e6])
  })

  test('cuts nothing off and warns of nothing, as the month may be over', () => {
    const script = new Script().look().pass(6 * GB)
    assert.equal(script.budget.cutOff, true)
    script.reboot().pass(6 * GB)
    script.warnings()
    assert.equal(script.budget.cutOff, false)
    script.wall = MARCH + DAY
    assert.equal(script.look().budget.cutOff, true)
  })

  test('set back a little over the end of a month changes nothing', () => {
    const script = new Script().look().pass(1e6)
    script.wall = APRIL
    script.pass(500)
    script.wall = APRIL - 20_000
    script.pass(500).pass(500, 30_000)
    assert.deepEqual([script.budget.periodStart, script.budget.used], ['2027-04-01', 1500])
  })

  test('that was far ahead is overcome within a day', () => {
    const script = new Script().look().pass(1e6)
    script.wall = Date.UTC(2038, 0, 19)
    script.pass(500)
    assert.equal(script.budget.periodStart, '2038-01-01')
    script.wall = MARCH
    script.pass(500, 1000).pass(500, DAY)
    assert.deepEqual([script.budget.periodStart, script.budget.used], ['2027-03-01', 1e6 + 1500])
  })
})

describe('warnings', () => {
  test('come at 80 % and at 100 %, once each', () => {
    const script = new Script().look().pass(3.9 * GB)
    assert.deepEqual(script.warnings(), [])
    assert.equal(script.budget.short, false)
    script.pass(0.1 * GB)
    assert.deepEqual(script.budget.pollWarning(), { percent: 80, used: 4 * GB, limit: 5 * GB })
    assert.equal(script.budget.short, true)
    script.pass(0.5 * GB)
    assert.deepEqual(script.warnings(), [])
    script.pass(0.5 * GB).pass(GB)
    assert.deepEqual(script.warnings(), [100])
  })

  test('are not repeated after a restart, but in the next month', () => {
    const script = new Script().look().pass(4.5 * GB)
    assert.deepEqual(script.warnings(), [80])
    script.restart().pass(0.1 * GB)
    assert.deepEqual(script.warnings(), [])
    script.wall = APRIL
    script.look().pass(6 * GB)
    assert.deepEqual(script.warnings(), [100])
  })

  test('follow a limit that is changed', () => {
    const script = new Script().look().pass(4.5 * GB)
    script.warnings()
    script.budget.setLimit({ octets: 10 * GB, cutoff: true })
    assert.equal(script.budget.short, false)
    script.pass(4 * GB)
    assert.deepEqual(script.warnings(), [80])
    script.budget.setLimit({ octets: GB, cutoff: true })
    assert.deepEqual(script.warnings(), [100])
    assert.equal(script.budget.cutOff, true)
    script.budget.setLimit({ octets: undefined, cutoff: true })
    assert.deepEqual([script.budget.cutOff, script.budget.short], [false, false])
  })

  test('cut off only where that is wanted, and until the month ends', () => {
    const lenient = new Script({ octets: GB, cutoff: false }).look().pass(2 * GB)
    assert.equal(lenient.budget.cutOff, false)
    const strict = new Script({ octets: GB, cutoff: true }).look().pass(GB - 2)
    assert.equal(strict.budget.cutOff, false)
    assert.equal(strict.pass(2).budget.cutOff, true)
    strict.wall = APRIL
    assert.equal(strict.look().budget.cutOff, false)
  })
})

describe('saving', () => {
  const due = (script: Script) => script.budget.saveDue(millis(script.now))
  const save = (script: Script) => script.budget.save(millis(script.now))

  test('is due for a new month and a warning at once', () => {
    const script = new Script()
    assert.equal(due(script), false)
    assert.equal(due(script.look()), true)
    save(script)
    assert.equal(due(script.pass(0.79 * 5 * GB, 1)), false)
    assert.equal(due(script.pass(0.05 * 5 * GB, 1)), true)
  })

  test('is due after 10 minutes if it is worth it', () => {
    const script = new Script().look()
    save(script)
    assert.equal(due(script.pass(2e6, 599_999)), false)
    assert.equal(due(script.look(1)), true)
    save(script)
    assert.equal(due(script.pass(999_999, DAY)), false)
  })

  test('is due for volume, though not each minute', () => {
    const script = new Script().look()
    save(script)
    assert.equal(due(script.pass(49e6, 60_000)), false)
    assert.equal(due(script.pass(1e6, 1)), true)
    save(script)
    assert.equal(due(script.pass(GB, 59_999)), false)
    const small = new Script({ octets: 100e6, cutoff: false }).look()
    save(small)
    assert.equal(due(small.pass(10e6, 60_000)), true)
  })

  test('a budget spent evenly over a month is written each 10 minutes', () => {
    const script = new Script().look()
    let writes = 0
    for (let second = 0; second < 30 * 86_400; second += 10) {
      script.pass((5 * GB) / (30 * 8640))
      if (due(script)) {
        save(script)
        writes++
      }
    }
    // 30 days of 144, and the first one for the month itself; those for the warnings replace others.
    assert.ok(writes > 4300 && writes <= 4323, `${writes} writes`)
  })
})

describe('the file', () => {
  test('reads back what was written, and leaves out what it cannot be', () => {
    const saved = new Script().look().pass(1e6).restart().budget.save(millis(0))
    const budgets = new Map([
      ['lte', saved],
      ['usb', { ...saved, period: null, counters: null, warned: 80 as const }],
    ])
    assert.deepEqual(parseBudgets(formatBudgets(budgets)), budgets)
    assert.deepEqual(saved.counters, { instance: 'a/3', received: 5e5, sent: 5e5 })
    for (const text of [
      undefined,
      '',
      '[',
      'null',
      '[]',
      '7',
      '{"lte":7}',
      '{"lte":{"period":"March","used":1}}',
    ])
      assert.deepEqual(parseBudgets(text), new Map())
    const odd = { ...saved, used: -1 }
    assert.deepEqual(
      parseBudgets(JSON.stringify({ odd, lte: { ...saved, counters: { instance: 'x' }, warned: 3 } })),
      new Map([['lte', { ...saved, counters: null, warned: 0 }]]),
    )
  })
})

test('whatever clock and counters do, nothing throws, used is a count, and no month is warned of twice', () => {
  const step = fc.record({
    span: fc.nat(1_000_000),
    wall: fc.oneof(
      fc.constant(UNSET),
      fc.integer({ min: 0, max: 30 }).map((days) => MARCH + days * DAY),
    ),
    instance: fc.constantFrom('a/3', 'a/3', 'a/3', 'a/4'),
    received: fc.maxSafeNat(),
    sent: fc.nat(),
    restart: fc.constantFrom(false, false, true),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const script = new Script()
      const warned: string[] = []
      for (const { span, wall, restart, ...device } of steps) {
        if (restart) script.restart()
        Object.assign(script, { wall, ...device })
        script.look(span)
        assert.ok(Number.isFinite(script.budget.used) && script.budget.used >= 0)
        for (const percent of script.warnings()) warned.push(`${script.budget.periodStart} ${percent}`)
      }
      assert.equal(new Set(warned).size, warned.length)
    }),
    { numRuns: 300 },
  )
})
