import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LEAST_TIMEOUT, SPARING_INTERVAL, TRAFFIC_GRACE } from '../../../src/core/failover/family-health.ts'
import { targetKey } from '../../../src/core/failover/probing.ts'
import { millis } from '../../../src/core/time.ts'
import { ANYCAST, PathScript, RESOLVER, SETTLED, TARGETS, WEB } from './path-script.ts'

const ALL = TARGETS.map(targetKey)

describe('a path that is well', () => {
  test('is up with the first answer', () => {
    const path = new PathScript()
    path.link(true)
    assert.equal(path.health.health, 'unknown')
    path.targets(TARGETS, [])
    assert.deepEqual(path.probed(0, 1), ALL)
    path.run(19)
    assert.equal(path.health.health, 'unknown')
    path.run(1)
    assert.deepEqual(path.changes, [{ at: 20, health: 'up', reason: 'probes are answered' }])
  })

  test('is probed once each interval, the targets in turn', () => {
    const path = PathScript.up()
    const before = path.sent.length
    path.run(6000)
    const later = path.sent.slice(before)
    assert.deepEqual(new Set(later.slice(0, 3).map(({ target }) => target)), new Set(ALL))
    assert.deepEqual(
      later.slice(3).map(({ target }) => target),
      later.slice(0, 3).map(({ target }) => target),
    )
    for (const [i, { at }] of later.entries()) assert.equal(at - (later[0]?.at ?? 0), i * 1000)
  })

  test('tells its round-trip time and that nothing is lost', () => {
    const path = PathScript.up()
    assert.equal(path.health.rttMs, 20)
    assert.equal(path.health.loss, 0)
  })

  test('is probed at the interval that the configuration says', () => {
    const path = PathScript.up({ interval: millis(200) })
    const before = path.sent.length
    path.run(2000)
    assert.equal(path.sent.length - before, 10)
  })
})

describe('a path that dies in silence', () => {
  /** When a death at `at` ms after the last answer was noticed, counted from the death. */
  function noticed(path: PathScript, at: number): number {
    path.run(at)
    const death = path.now
    path.silence()
    path.run(20_000)
    return (path.became('down', death) ?? Number.NaN) - death
  }

  test('is down within an interval and two timeouts, whenever it dies', () => {
    for (const interval of [1000, 200])
      for (let at = 0; at < interval; at += interval / 10) {
        const span = noticed(PathScript.up({ interval: millis(interval) }), at)
        // 20 ms of round trip make the least timeout.
        assert.ok(span <= interval + 2 * LEAST_TIMEOUT, `${span} ms at ${at}`)
        assert.ok(span >= 2 * LEAST_TIMEOUT - 20, `${span} ms at ${at}`)
      }
  })

  test('is suspect after the first miss, when all targets are asked at once', () => {
    const path = PathScript.up()
    path.silence()
    path.run(2000)
    const suspect = path.became('suspect', SETTLED) ?? Number.NaN
    const down = path.became('down', SETTLED) ?? Number.NaN
    assert.equal(path.probed(SETTLED, suspect).length, 1)
    assert.deepEqual(path.probed(suspect, suspect + 1), ALL)
    assert.equal(down - suspect, LEAST_TIMEOUT)
    assert.deepEqual(
      path.changes.filter(({ at }) => at >= SETTLED).map(({ health, reason }) => [health, reason]),
      [
        ['suspect', 'a probe was not answered, asking 192.0.2.53, 198.51.100.1, 203.0.113.80'],
        ['down', 'no answer from 192.0.2.53, 198.51.100.1, 203.0.113.80'],
      ],
    )
  })

  test('is down after as many rounds as are configured, spaced by the timeout', () => {
    const path = PathScript.up({ down: 4, timeout: millis(300) })
    path.silence()
    path.run(5000)
    const suspect = path.became('suspect', SETTLED) ?? Number.NaN
    const down = path.became('down', SETTLED) ?? Number.NaN
    assert.equal(down - suspect, 3 * 300)
    assert.deepEqual(path.probed(suspect, down), [...ALL, ...ALL, ...ALL])
  })

  test('says when the trouble began: when the first probe was sent that got no answer', () => {
    const path = PathScript.up()
    path.silence()
    const [first] = [path.health.pollTimeout()]
    path.run(2000)
    assert.equal(path.health.troubleSince, first)
    path.answer = () => 20
    path.run(10_000)
    assert.equal(path.health.troubleSince, undefined)
  })

  test('stays up if any target answers in time', () => {
    for (const survivor of TARGETS) {
      const path = PathScript.up()
      path.answer = ({ target }) => (targetKey(target) === targetKey(survivor) ? 20 : undefined)
      path.run(60_000)
      assert.equal(path.became('down', SETTLED), undefined, targetKey(survivor))
      assert.notEqual(path.health.health, 'down')
    }
  })

  test('tells what was lost', () => {
    const path = PathScript.up({ down: 100 })
    path.answer = ({ target }) => (target === WEB ? undefined : 20)
    path.run(300_000)
    const loss = path.health.loss ?? Number.NaN
    assert.ok(loss > 0.1 && loss < 0.4, `${loss}`)
  })
})

describe('the timeout', () => {
  /** How long one probe is waited for. */
  function timeoutOf(path: PathScript): number {
    path.silence()
    const sent = path.health.pollTimeout() ?? Number.NaN
    path.run(60_000)
    return (path.became('suspect', sent) ?? Number.NaN) - sent
  }

  test('is srtt + 4 rttvar (RFC 6298)', () => {
    const path = PathScript.up()
    let long = false
    path.answer = () => {
      long = !long
      return long ? 200 : 160
    }
    path.run(100_000)
    // Samples of 160 and 200: the mean is 180, and the deviation settles near 20 to 22.
    const timeout = timeoutOf(path)
    assert.ok(timeout > 250 && timeout < 280, `${timeout}`)
  })

  test('is never below 0.2 s', () => {
    assert.equal(timeoutOf(PathScript.up()), LEAST_TIMEOUT)
  })

  test('is never above the interval', () => {
    const path = new PathScript({ interval: millis(500) })
    path.answer = () => 450
    path.link(true)
    path.targets(TARGETS)
    path.run(5000)
    let slow = false
    path.answer = () => {
      slow = !slow
      return slow ? 480 : 100
    }
    path.run(20_000)
    assert.equal(timeoutOf(path), 500)
  })

  test('is the interval before any answer', () => {
    const path = new PathScript({ interval: millis(700) })
    path.silence()
    path.link(true)
    path.targets(TARGETS)
    path.run(10_000)
    assert.equal(path.became('down', 0), 2 * 700)
  })

  test('may be configured', () => {
    assert.equal(timeoutOf(PathScript.up({ timeout: millis(900) })), 900)
    assert.equal(timeoutOf(PathScript.up({ timeout: millis(2500) })), 2500)
  })
})

describe('traffic that still arrives', () => {
  /** The path falls silent, while packets arrive until `until` ms after that; when it is down. */
  function downAfter(until: number, every = 50): number | undefined {
    const path = PathScript.up()
    path.silence()
    const death = path.now
    let packets = 1000
    let last = death
    path.health.traffic(path.now, packets)
    path.run(
      60_000,
      (now) => {
        if (now - last < every || now - death > until) return
        last = now
        path.health.traffic(now, ++packets)
      },
      10,
    )
    const trouble = path.health.troubleSince ?? Number.NaN
    const down = path.became('down', death)
    return down === undefined ? undefined : down - trouble
  }

  test('delays a verdict from lost probes, for at most 10 s', () => {
    const span = downAfter(60_000) ?? Number.NaN
    assert.ok(span <= TRAFFIC_GRACE, `${span}`)
    assert.ok(span >= TRAFFIC_GRACE - 2 * LEAST_TIMEOUT, `${span}`)
  })

  test('delays nothing if it came before the trouble', () => {
    assert.equal(downAfter(0), 2 * LEAST_TIMEOUT)
  })

  test('has to go on: what was under way when the path died delays the verdict by a round at most', () => {
    // The first probe leaves half a second after the death here; its round sees the last packets.
    for (const until of [500, 550, 600, 690]) assert.ok((downAfter(until) ?? Number.NaN) <= 2 * LEAST_TIMEOUT)
    assert.ok((downAfter(750) ?? Number.NaN) <= 3 * LEAST_TIMEOUT)
  })

  test('does not arrive because a counter is read again, or began anew', () => {
    const path = PathScript.up()
    path.silence()
    const death = path.now
    let packets = 1000
    path.run(3000, (now) => path.health.traffic(now, packets--), 10)
    const down = path.became('down', death) ?? Number.NaN
    assert.equal(down - (path.health.troubleSince ?? Number.NaN), 2 * LEAST_TIMEOUT)
  })

  test('delays nothing when the link is down', () => {
    const path = PathScript.up()
    path.silence()
    path.run(1500, (now) => path.health.traffic(now, now), 10)
    path.link(false, 'lost carrier')
    assert.deepEqual(path.changes.at(-1), { at: path.now, health: 'down', reason: 'lost carrier' })
  })
})

describe('late answers', () => {
  test('keep a path up through 2 s of a full queue, while traffic arrives', () => {
    for (const rate of [0.05, 0.4, 2]) {
      const path = PathScript.up()
      const began = path.now
      path.answer = () => 20 + Math.min(1980, (path.now - began) * rate)
      path.run(60_000, (now) => path.health.traffic(now, Math.floor(now)), 50)
      path.answer = () => 20
      path.run(10_000)
      assert.equal(path.became('down', began), undefined, `${rate}`)
      assert.equal(path.health.health, 'up')
    }
  })

  test('keep a path up that gets slower by and by, without any traffic', () => {
    const path = PathScript.up()
    const began = path.now
    path.answer = () => 20 + Math.min(5000, (path.now - began) * 0.05)
    path.run(200_000)
    assert.equal(path.became('down', began), undefined)
  })

  test('keep a path up where the queue fills at once, as traffic arrives', () => {
    const path = PathScript.up()
    const began = path.now
    path.answer = () => 2000
    path.run(60_000, (now) => path.health.traffic(now, Math.floor(now)), 100)
    assert.equal(path.became('down', began), undefined)
  })

  test('are late, not lost: loss and samples take back what was told', () => {
    for (const rtt of [1500, 4000, 9000]) {
      const path = PathScript.up({ timeout: millis(1000) })
      path.answer = () => rtt
      let [told, lost] = [0, 0]
      path.run(30_000, (now) => path.health.traffic(now, Math.floor(now)))
      for (let sample = path.health.pollSample(); sample; sample = path.health.pollSample()) {
        if (sample.rttMs === undefined) told++
        if (sample.rttMs === undefined) lost++
        if (sample.late) lost--
      }
      assert.ok(told > 0, 'at first it is too late')
      assert.deepEqual([lost, path.health.loss], [0, 0], `at ${rtt}`)
    }
  })

  test('count for 10 s at most', () => {
    const path = PathScript.up()
    path.answer = () => 10_001
    const began = path.now
    path.run(60_000)
    assert.notEqual(path.became('down', began), undefined)
    assert.equal(path.health.health, 'down')
  })

  test('prove nothing once the link is down', () => {
    const path = PathScript.up()
    path.answer = () => 900
    path.run(1500)
    path.link(false)
    path.run(20_000)
    assert.equal(path.health.health, 'down')
    assert.equal(path.health.pollTimeout(), undefined)
  })
})

describe('targets that never answered on this path', () => {
  test('do not count', () => {
    const path = new PathScript()
    path.answer = ({ target }) => (target === ANYCAST ? 20 : undefined)
    path.link(true)
    path.targets(TARGETS, [])
    path.run(60_000)
    assert.deepEqual(
      path.changes.map(({ health }) => health),
      ['up'],
    )
    assert.deepEqual(path.health.answering, [targetKey(ANYCAST)])
    assert.deepEqual(new Set(path.probed(30_000, 60_000)), new Set([targetKey(ANYCAST)]))
    path.silence()
    const death = path.now
    path.run(5000)
    const down = path.changes.at(-1)
    assert.deepEqual([down?.health, down?.reason], ['down', 'no answer from 198.51.100.1'])
    assert.ok((down?.at ?? Number.NaN) - death <= 1000 + 2 * LEAST_TIMEOUT)
  })

  test('leave the decision to the link, if none is left', () => {
    const path = new PathScript()
    path.silence()
    path.link(true)
    path.targets(TARGETS, [])
    path.run(60_000)
    assert.deepEqual(
      path.changes.map(({ health, reason }) => [health, reason]),
      [['up', 'the link is up; no probe target has ever answered on this path']],
    )
    assert.deepEqual(new Set(path.probed(50_000, 60_000)), new Set(ALL), 'they are asked all the same')
    path.link(false, 'lost carrier')
    assert.equal(path.health.health, 'down')
    path.link(true)
    path.run(2000)
    assert.equal(path.health.health, 'up')
  })

  test('count from their first answer on', () => {
    const path = new PathScript()
    path.silence()
    path.link(true)
    path.targets(TARGETS, [])
    path.run(30_000)
    path.answer = () => 20
    path.run(30_000)
    path.silence()
    path.run(3000)
    assert.equal(path.health.health, 'down')
  })

  test('count if they answered on an earlier day', () => {
    const path = new PathScript()
    path.silence()
    path.link(true)
    path.targets(TARGETS)
    path.run(5000)
    assert.deepEqual(
      path.changes.map(({ at, health }) => [at, health]),
      [[2000, 'down']],
    )
  })

  test('there may be none at all', () => {
    const path = new PathScript()
    path.link(true)
    path.targets([])
    assert.equal(path.health.health, 'up')
    path.run(60_000)
    assert.deepEqual(path.sent, [])
    assert.deepEqual(
      path.changes.map(({ health }) => health),
      ['up'],
    )
  })

  test('nothing is decided before anyone said whom to ask', () => {
    const path = new PathScript()
    path.link(true)
    path.run(10_000)
    assert.deepEqual(path.changes, [])
    assert.equal(path.health.health, 'unknown')
  })
})

describe('targets that are replaced', () => {
  test('are asked at once, and those that stay keep their record', () => {
    const path = PathScript.up({}, [RESOLVER, ANYCAST])
    path.run(100)
    const now = path.now
    path.targets([ANYCAST, WEB], [])
    assert.deepEqual(path.probed(now, now + 1), [targetKey(ANYCAST), targetKey(WEB)])
    assert.deepEqual(path.health.answering, [targetKey(ANYCAST)])
    path.run(20)
    assert.deepEqual(path.health.answering, [targetKey(ANYCAST), targetKey(WEB)])
  })

  test('may leave none that ever answered: then the link decides', () => {
    const path = PathScript.up({}, [RESOLVER])
    path.silence()
    path.run(5000)
    assert.equal(path.health.health, 'down')
    path.targets([WEB], [])
    path.run(1000)
    assert.equal(path.health.health, 'up')
  })

  test('do not cost a probe when they are the same', () => {
    const path = PathScript.up()
    path.run(500)
    const before = path.sent.length
    path.targets(TARGETS)
    assert.equal(path.sent.length, before)
  })

  test('answers of those that are gone prove the path all the same', () => {
    const path = PathScript.up({ timeout: millis(1000) }, [RESOLVER])
    path.answer = () => 600
    path.run(600)
    path.targets([WEB], [])
    path.silence()
    const before = path.changes.length
    path.run(600)
    assert.equal(path.changes.length, before)
    assert.equal(path.health.health, 'up')
  })
})

describe('a path that is down', () => {
  function dead(config: ConstructorParameters<typeof PathScript>[0] = {}): PathScript {
    const path = PathScript.up(config)
    path.silence()
    path.run(30_000)
    assert.equal(path.health.health, 'down')
    return path
  }

  test('goes on being probed, all targets each interval', () => {
    const path = dead()
    const from = path.now
    path.run(10_000)
    assert.equal(path.probed(from, path.now).length, 10 * TARGETS.length)
  })

  test('is up again after 5 answered rounds, however many targets answer', () => {
    const path = dead()
    path.answer = () => 20
    const from = path.now
    path.run(20_000)
    const up = path.became('up', from) ?? Number.NaN
    const rounds = path.probed(from, up).length / TARGETS.length
    assert.equal(rounds, 5)
    assert.ok(up - from > 4000 && up - from <= 5020, `${up - from}`)
  })

  test('is up again after as many as configured', () => {
    const path = dead({ up: 1 })
    path.answer = () => 20
    const from = path.now
    path.run(5000)
    assert.ok((path.became('up', from) ?? Number.NaN) - from <= 1020)
  })

  test('begins to count anew with each round that is missed', () => {
    const path = dead()
    let round = 0
    let last = -1
    path.answer = () => {
      if (path.now !== last) round++
      last = path.now
      return round % 5 === 0 ? undefined : 20
    }
    path.run(60_000)
    assert.equal(path.health.health, 'down')
  })

  test('is unknown when its link comes up, and up with the first answer', () => {
    const path = PathScript.up()
    path.link(false, 'lost carrier')
    assert.equal(path.health.pollTimeout(), undefined)
    path.run(60_000)
    path.link(true)
    assert.equal(path.health.health, 'unknown')
    path.run(20)
    assert.equal(path.health.health, 'up')
  })
})

describe('the link', () => {
  test('is a verdict at once', () => {
    const path = PathScript.up()
    path.link(false, 'lost carrier')
    assert.deepEqual(path.changes.at(-1), { at: SETTLED, health: 'down', reason: 'lost carrier' })
    assert.equal(path.health.troubleSince, SETTLED)
    const before = path.sent.length
    path.run(60_000)
    assert.equal(path.sent.length, before)
  })

  test('may be down for another reason later, which is told', () => {
    const path = PathScript.up()
    path.link(false, 'lost carrier')
    path.link(false, 'lost carrier')
    path.link(false, 'the device is gone')
    assert.deepEqual(
      path.changes.slice(1).map(({ reason }) => reason),
      ['lost carrier', 'the device is gone'],
    )
  })
})

describe('a metered path on standby', () => {
  test('is probed every 60 s', () => {
    const path = PathScript.up()
    path.health.pace(path.now, 'sparing')
    path.run(SPARING_INTERVAL)
    const from = path.now
    path.run(10 * SPARING_INTERVAL)
    assert.equal(path.probed(from, path.now).length, 10)
  })

  test('is probed as ever once it is in use, beginning at once', () => {
    const path = PathScript.up()
    path.health.pace(path.now, 'sparing')
    path.run(90_000)
    const from = path.now
    path.health.pace(path.now, 'normal')
    path.run(3000)
    assert.equal(path.probed(from, path.now + 1).length, 4)
  })

  test('is judged as quickly as others after a miss', () => {
    const path = PathScript.up()
    path.health.pace(path.now, 'sparing')
    path.silence()
    path.run(2 * SPARING_INTERVAL)
    const suspect = path.became('suspect', SETTLED) ?? Number.NaN
    assert.equal((path.became('down', SETTLED) ?? Number.NaN) - suspect, LEAST_TIMEOUT)
  })

  test('is up again soon after its first answer', () => {
    const path = PathScript.up()
    path.health.pace(path.now, 'sparing')
    path.silence()
    path.run(3 * SPARING_INTERVAL)
    path.answer = () => 20
    const from = path.now
    path.run(2 * SPARING_INTERVAL)
    assert.ok((path.became('up', from) ?? Number.NaN) - from <= SPARING_INTERVAL + 5 * 1000)
  })
})

describe('a tunnel', () => {
  /** One echo a second for `span` ms, the first after `phase`. */
  function echoes(path: PathScript, span: number, phase: number): void {
    for (let next = phase; next <= span; next += 1000) {
      path.run(next === phase ? phase : 1000)
      path.health.life(path.now)
      path.drain()
    }
  }

  for (const phase of [0, 100, 500, 900]) {
    test(`lives by its LCP echoes, one a second, where probes are lost (phase ${phase} ms)`, () => {
      const path = PathScript.up()
      path.health.life(path.now)
      path.silence()
      echoes(path, 30_000, phase)
      const last = path.now
      assert.equal(path.became('down', SETTLED), undefined)
      path.run(10_000)
      const down = path.became('down', last) ?? Number.NaN
      assert.ok(down - last < 3_000, `down ${down - last} ms after the last echo`)
    })
  }

  test('comes back by its echoes alone', () => {
    const path = PathScript.up()
    path.silence()
    path.run(20_000)
    assert.equal(path.health.health, 'down')
    const from = path.now
    echoes(path, 10_000, 500)
    const back = path.became('up', from) ?? Number.NaN
    assert.ok(back - from >= 3_000 && back - from <= 7_000, `up after ${back - from} ms`)
  })

  test('echoes prove nothing while the link is down', () => {
    const path = PathScript.up()
    path.link(false)
    path.health.life(path.now)
    assert.equal(path.health.health, 'down')
    assert.equal(path.health.pollTimeout(), undefined)
  })
})

describe('a trial', () => {
  test('asks all targets at once, and again, and blames nobody before it ends', () => {
    const path = PathScript.up()
    path.run(100)
    path.silence()
    const from = path.now
    path.health.probeNow(path.now, millis(path.now + 1500))
    path.drain()
    assert.deepEqual(path.probed(from, from + 1), ALL)
    path.run(1400)
    assert.equal(path.became('suspect', from), undefined)
    assert.ok(path.probed(from, path.now).length >= 3 * TARGETS.length)
    path.run(5000)
    assert.notEqual(path.became('down', from), undefined)
  })
})

test('samples are handed out for the history, and bounded without a reader', () => {
  const path = PathScript.up()
  while (path.health.pollSample()) {}
  path.run(3000)
  path.silence()
  path.run(1200)
  const samples = []
  for (let sample = path.health.pollSample(); sample; sample = path.health.pollSample())
    samples.push(sample.rttMs)
  assert.deepEqual(samples.slice(0, 4), [20, 20, 20, undefined])
  path.run(10_000_000)
  let count = 0
  while (path.health.pollSample()) count++
  assert.equal(count, 1000)
})

/** Everything that can happen to a path. */
const input = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('run' as const), span: fc.nat(5000) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('rtt' as const), rtt: fc.option(fc.nat(12_000)) }) },
  fc.record({ type: fc.constant('link' as const), up: fc.boolean() }),
  fc.record({
    type: fc.constant('targets' as const),
    targets: fc.subarray(TARGETS),
    known: fc.subarray(TARGETS),
  }),
  fc.record({
    type: fc.constant('pace' as const),
    pace: fc.constantFrom('normal' as const, 'sparing' as const),
  }),
  fc.record({ type: fc.constant('traffic' as const), packets: fc.nat(100) }),
  fc.record({
    type: fc.constantFrom('life' as const, 'trial' as const, 'stray' as const),
    id: fc.nat(70_000),
  }),
)

test('whatever happens: nothing throws, deadlines are ahead, probes are few, and all ends as the path is', () => {
  const config = fc.record({
    interval: fc.integer({ min: 100, max: 5000 }).map(millis),
    timeout: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 50, max: 5000 }).map(millis)),
    down: fc.integer({ min: 1, max: 5 }),
    up: fc.integer({ min: 1, max: 5 }),
  })
  fc.assert(
    fc.property(config, fc.array(input, { maxLength: 40 }), fc.boolean(), (probe, inputs, wellInTheEnd) => {
      const path = new PathScript(probe)
      let linkUp = false
      let links = 0
      let sets = 0
      for (const step of inputs) {
        if (step.type === 'run') path.run(step.span)
        else if (step.type === 'rtt') path.answer = () => step.rtt ?? undefined
        else if (step.type === 'targets') {
          sets++
          path.targets(step.targets, step.known)
        } else if (step.type === 'pace') path.health.pace(path.now, step.pace)
        else if (step.type === 'traffic') path.health.traffic(path.now, step.packets)
        else if (step.type === 'life') path.health.life(path.now)
        else if (step.type === 'trial') {
          sets++
          path.health.probeNow(path.now, millis(path.now + 2000))
        } else if (step.type === 'stray') path.health.answered(path.now, step.id)
        else if (step.type === 'link') {
          links++
          linkUp = step.up
          path.link(step.up)
        }
        path.drain()
        const deadline = path.health.pollTimeout()
        assert.equal(deadline !== undefined, linkUp)
        if (!linkUp && links > 0) assert.equal(path.health.health, 'down')
      }
      // No round is shorter than a timeout, the least of which is 50 ms; each holds all three targets at most.
      assert.ok(path.sent.length <= (path.now / 50 + links + sets + 1) * TARGETS.length)

      path.link(true)
      path.targets(TARGETS)
      path.health.pace(path.now, 'normal')
      path.answer = () => (wellInTheEnd ? 30 : undefined)
      path.run(120_000)
      assert.equal(path.health.health, wellInTheEnd ? 'up' : 'down')
    }),
    { numRuns: 500 },
  )
})
