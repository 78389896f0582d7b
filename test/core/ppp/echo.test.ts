/** Timed scripts: what our Echo-Requests tell. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EchoStatistics } from '../../../src/core/client/echo-statistics.ts'
import { EchoMonitor, type EchoNews } from '../../../src/core/ppp/echo.ts'
import { millis } from '../../../src/core/time.ts'

/** A peer that answers after `rtt` ms (undefined: never), for so many seconds; what was told, and the statistics of it. */
function watch({
  interval = 1000,
  span = 60,
  rtt,
}: {
  interval?: number
  span?: number
  rtt: (at: number) => number | undefined
}) {
  const monitor = new EchoMonitor(millis(interval), 1000)
  const statistics = new EchoStatistics()
  const news: EchoNews[] = []
  const answers: { at: number; identifier: number }[] = []
  let identifier = 0
  const tell = (told: readonly EchoNews[]) => {
    for (const one of told) {
      news.push(one)
      if (one.type === 'echoed') statistics.answered(one.rttMs, one.late)
      else if (one.type === 'echoMissed') statistics.missed()
    }
  }
  monitor.start(millis(0))
  for (let now = 0; now <= span * 1000; now += 100) {
    for (const answer of answers.filter(({ at }) => at === now)) {
      const told = monitor.replied(millis(now), answer.identifier)
      if (told) tell([told])
    }
    const send = () => {
      identifier = (identifier + 1) & 0xff
      const takes = rtt(now)
      if (takes !== undefined) answers.push({ at: now + takes, identifier })
      return identifier
    }
    tell(monitor.timeout(millis(now), send))
  }
  return { news, statistics }
}

const lossOf = (rtt: (at: number) => number | undefined, interval = 1000) =>
  watch({ rtt, interval, span: 100 }).statistics.loss

test('late is late, not lost: a round trip of seconds is told as such, whatever the interval', () => {
  for (const [rtt, interval] of [
    [2_900, 1000],
    [3_500, 1000],
    [4_000, 1000],
    [12_000, 1000],
    [4_000, 500],
    [12_000, 5000],
  ] as const) {
    const { statistics } = watch({ rtt: () => rtt, interval, span: 400 })
    assert.equal(statistics.rttMs, rtt, `${rtt} every ${interval}`)
    // Those that are not answered yet are missed until they are.
    const underWay = Math.max(0, rtt - Math.max(3000, interval)) / interval
    assert.ok((statistics.loss ?? 1) * 60 <= underWay + 1, `${statistics.loss} at ${rtt} every ${interval}`)
  }
})

test('what is never answered is lost, beside what is late', () => {
  assert.equal(
    lossOf(() => undefined),
    1,
  )
  const quarter = lossOf((at) => (at % 4000 === 0 ? undefined : 3_500)) ?? 1
  // One more may be under way.
  assert.ok(Math.abs(quarter - 0.25) <= 0.02, `${quarter}`)
  assert.equal(
    lossOf((at) => (at % 2000 === 0 ? undefined : 100)),
    0.5,
  )
})

test('an answer counts once, and not a minute after its time', () => {
  const monitor = new EchoMonitor(millis(1000), 1000)
  monitor.start(millis(0))
  monitor.timeout(millis(1000), () => 7)
  for (let now = 2000; now <= 5000; now += 1000) monitor.timeout(millis(now), () => now / 1000 + 50)
  assert.deepEqual(monitor.replied(millis(5100), 7), { type: 'echoed', rttMs: 4100, late: true })
  assert.equal(monitor.replied(millis(5200), 7), undefined)
  for (let now = 6000; now <= 70_000; now += 1000)
    monitor.timeout(millis(now), () => (now / 1000 + 50) & 0xff)
  assert.equal(monitor.replied(millis(70_000), 52), undefined)
})

test('a stall of our own is one interval: a single request leaves after it, and the next an interval later', () => {
  const monitor = new EchoMonitor(millis(1000), 5)
  monitor.start(millis(0))
  let sent = 0
  const send = () => ++sent
  monitor.timeout(millis(60_000), send)
  monitor.timeout(millis(60_000), send)
  assert.equal(sent, 1)
  assert.equal(monitor.deadline, 61_000)
  for (let now = 60_001; now < 61_000; now++) assert.deepEqual(monitor.timeout(millis(now), send), [])
  assert.equal(sent, 1)
})
