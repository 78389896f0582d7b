import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HistoryRecord, type PathHistory } from '../../../src/core/failover/history.ts'
import { renderHistory } from '../../../src/core/failover/history-graph.ts'
import { millis } from '../../../src/core/time.ts'

const START = Date.parse('2026-03-01T10:00:00Z')
const OPTIONS = { width: 60, height: 8, paint: (_tone: unknown, text: string) => text, zone: () => 0 }

/** An hour of a line that is loaded for ten minutes, dead for five, and loses a probe now and then. */
function hour(): PathHistory {
  const record = new HistoryRecord('fibre')
  for (let second = 0; second < 3600; second++) {
    const loaded = second >= 1200 && second < 1800
    const dead = second >= 2400 && second < 2700
    const unlucky = second % 700 === 0
    const rtt = 10 + (second % 5) + (loaded ? (second % 7) * 10 : 0)
    record.sample(millis(second * 1000), dead || unlucky ? undefined : rtt)
  }
  record.event(
    millis(2_401_000),
    'failover',
    'failover from fibre to aaisp: fibre: no answer from 192.0.2.53',
  )
  record.event(millis(2_710_000), 'failback', 'failback from aaisp to fibre: fibre is well')
  return record.read(millis(3_600_000), new Date(START + 3_600_000))
}

test('the graph', () => {
  assert.equal(
    renderHistory(hour(), OPTIONS),
    `fibre: round trip 10.0 / 17.5 / 74.0 ms, 8.5 % lost, 3600 probes in 1 h; a column is 1 min 40 s

   80 ms ┤'      '      '      '  ╳╳╳ '      '
         │            ░░░░░░      ╳╳╳
         │            ░░░░░░      ╳╳╳
         │            ░░░░░░      ╳╳╳
   40 ms ┤            ▒▒▒▒▒▒      ╳╳╳
         │            ▒▒▒▒▒▒      ╳╳╳
         │            ▒▒▒▒▒▒      ╳╳╳
         │████████████████████████╳╳╳█████████
         └────────────────────────▲──▲────────
          10:00       10:20       10:40

          █ least  ▒ mean  ░ greatest  ╳ ' lost, from above  ▲ event

10:40 failover from fibre to aaisp: fibre: no answer from 192.0.2.53
10:45 failback from aaisp to fibre: fibre is well
`,
  )
})

test('the graph in colours', () => {
  const painted = renderHistory(hour(), { ...OPTIONS, paint: (tone, text) => `<${tone} ${text}>` })
  const plain = painted.replaceAll(/<(?:good|busy|bad|quiet) (.*?)>/g, '$1')
  assert.equal(plain, renderHistory(hour(), OPTIONS))
  const bottom = painted.split('\n').find((line) => line.includes('█'.repeat(20))) ?? ''
  assert.match(bottom, /<good █{24}>/)
  assert.match(painted, /<bad ╳+>/)
})

test('without anything measured', () => {
  const history = new HistoryRecord('lte').read(millis(0), new Date(START))
  assert.match(renderHistory(history, OPTIONS), /^lte: nothing was measured yet/)
})

test('all lost', () => {
  const record = new HistoryRecord('lte')
  for (let second = 0; second < 1000; second++) record.sample(millis(second * 1000), undefined)
  const text = renderHistory(record.read(millis(1_000_000), new Date(START)), OPTIONS)
  assert.match(text, /^lte: no answer, 100.0 % lost, 1000 probes in 16 min 40 s; a column is 1 min 40 s\n/)
  assert.equal(text.match(/╳{10}/g)?.length, OPTIONS.height)
})

test('only the last ten events are listed, in the time zone of the user', () => {
  const record = new HistoryRecord('lte')
  for (let i = 0; i < 13; i++) record.event(millis(i * 60_000), 'health', `event ${i}`)
  const text = renderHistory(record.read(millis(800_000), new Date(START + 800_000)), {
    ...OPTIONS,
    zone: () => 90,
  })
  assert.match(text, /\n3 earlier events, then\n11:33 event 3\n/)
  assert.match(text, /\n11:42 event 12\n$/)
})

test('whatever was measured, no line is wider than the terminal and no layer is out of place', () => {
  const step = fc.tuple(fc.nat(400_000), fc.option(fc.double({ min: 0, max: 20_000, noNaN: true })))
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 300 }),
      fc.integer({ min: 40, max: 200 }),
      fc.integer({ min: 4, max: 30 }),
      (steps, width, height) => {
        const record = new HistoryRecord('fibre')
        let now = 0
        for (const [span, rtt] of steps) {
          now += span
          record.sample(millis(now), rtt ?? undefined)
        }
        const [, ...lines] = renderHistory(record.read(millis(now), new Date(START)), {
          ...OPTIONS,
          width,
          height,
        }).split('\n')
        for (const line of lines.slice(0, height + 4))
          assert.ok([...line].length <= Math.max(width, 62), line)
        const rows = lines.slice(1, 1 + height).map((line) => [...line])
        if (steps.length === 0) return
        for (let column = 10; column < width; column++) {
          const down = rows.map((row) => row[column] ?? ' ').join('')
          assert.match(down.trimEnd() === '' ? '' : down, /^$|^(╳*|'?) *░*▒*█*·?$/)
        }
      },
    ),
    { numRuns: 200 },
  )
})
