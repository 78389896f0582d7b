/** LAC and LNS over a bad network in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '../../../src/core/bytes.ts'
import { decodePacket } from '../../../src/core/l2tp/header.ts'
import { eventsOf, Pair, type Side } from './pair.ts'

const FRAME = Uint8Array.of(0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0)
const SEEDS = 200

test('a call over a clean network takes three round trips', () => {
  const pair = new Pair({ weather: { latency: 50 } })
  pair.command('lac', { type: 'call' })
  pair.run(10_000, () => isUp(pair.lns))
  // SCCRQ, SCCRP, SCCCN with ICRQ, ICRP, ICCN.
  assert.equal(pair.now, 250)
  assert.deepEqual(
    eventsOf(pair.lac, 'sessionOpened')[0]?.peerSession,
    eventsOf(pair.lns, 'sessionOpened')[0]?.session,
  )
  assert.deepEqual(
    eventsOf(pair.lns, 'sessionOpened')[0]?.peerSession,
    eventsOf(pair.lac, 'sessionOpened')[0]?.session,
  )
})

test(`30 % loss both ways, reordering and duplication: both ends agree, ${SEEDS} seeds`, () => {
  let up = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const pair = badPair(seed)
    pair.command('lac', { type: 'call' })
    pair.run(60_000)
    const came = eventsOf(pair.lac, 'sessionOpened').length > 0
    if (came) up++
    // A HELLO may fail by bad luck; the other end then notices with its own.
    pair.weather.loss = 0
    pair.run(120_000)
    assert.equal(isUp(pair.lac), isUp(pair.lns), `seed ${seed}`)
    if (isUp(pair.lac)) assert.ok(came)
    else for (const side of [pair.lac, pair.lns]) assertOver(side, seed)
  }
  // Five unanswered transmissions of the first message end an attempt: the dialler tries again.
  assert.ok(up >= SEEDS * 0.85, `${up} of ${SEEDS} came up`)
})

test('a session with an echo each second stays up for ten minutes under 30 % loss', () => {
  let lost = 0
  let checked = 0
  for (let seed = 1; seed <= 40; seed++) {
    const pair = badPair(seed)
    pair.command('lac', { type: 'call' })
    pair.run(60_000, () => isUp(pair.lac) && isUp(pair.lns))
    if (!isUp(pair.lac) || !isUp(pair.lns)) continue
    checked++
    for (const end = pair.now + 600_000; pair.now < end; pair.run(pair.now + 1000)) echo(pair)
    if (!isUp(pair.lac) || !isUp(pair.lns)) lost++
  }
  assert.equal(lost, 0)
  assert.ok(checked >= 36, `${checked} came up`)
})

test('42 s of total loss: both ends notice, and neither is left behind', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const pair = new Pair({ seed })
    pair.command('lac', { type: 'call' })
    for (const end = 60_000 + seed * 100; pair.now < end; pair.run(pair.now + 1000))
      if (isUp(pair.lac)) echo(pair)
    assert.ok(isUp(pair.lac) && isUp(pair.lns))
    pair.weather.loss = 1
    pair.run(pair.now + 42_000)
    pair.weather.loss = 0
    for (const side of [pair.lac, pair.lns]) {
      const [closed] = eventsOf(side, 'closed')
      assert.ok(closed?.cause.by === 'timeout', `${side.name} has not noticed`)
      assertOver(side, seed)
    }
  }
})

test('path loss at every moment of a life leaves no state without an end', () => {
  for (let cut = 0; cut <= 400; cut += 5) {
    const pair = new Pair({ seed: cut + 1 })
    pair.command('lac', { type: 'call' })
    pair.run(cut)
    pair.weather.loss = 1
    pair.run(cut + 120_000)
    for (const side of [pair.lac, pair.lns]) {
      if (side.sent.length > 0) assertOver(side, cut)
      assert.equal(side.endpoint.pollTimeout(), undefined, `${side.name} cut at ${cut}`)
    }
  }
})

test('CDN crossing CDN under loss: both sessions end once, and the next call works', () => {
  let checked = 0
  for (let seed = 1; seed <= 50; seed++) {
    const pair = new Pair({ seed })
    pair.command('lac', { type: 'call' })
    pair.run(5000)
    pair.weather.loss = 0.3
    for (const side of [pair.lac, pair.lns]) {
      const [opened] = eventsOf(side, 'sessionOpened')
      assert.ok(opened)
      side.endpoint.command(at(pair), { type: 'clear', session: opened.session })
    }
    pair.command('lac', { type: 'call' })
    pair.command('lns', { type: 'alive' })
    pair.run(pair.now + 15_000)
    if (eventsOf(pair.lac, 'closed').length + eventsOf(pair.lns, 'closed').length > 0) continue
    checked++
    for (const side of [pair.lac, pair.lns]) {
      assert.equal(eventsOf(side, 'sessionClosed').length, 1, `seed ${seed}, ${side.name}`)
      assert.equal(eventsOf(side, 'sessionOpened').length, 2, `seed ${seed}, ${side.name}`)
    }
  }
  assert.ok(checked >= 45)
})

test('StopCCN crossing StopCCN: both are finished at once', () => {
  const pair = new Pair()
  pair.command('lac', { type: 'call' })
  pair.run(5000)
  pair.command('lac', { type: 'close' })
  pair.command('lns', { type: 'close' })
  pair.run(5020)
  for (const side of [pair.lac, pair.lns]) assert.equal(eventsOf(side, 'finished')[0]?.acknowledged, true)
  pair.run(60_000)
  for (const side of [pair.lac, pair.lns]) assert.equal(side.endpoint.pollTimeout(), undefined)
})

test('with secrets, and with different ones', () => {
  const secret = encodeUtf8('tunnelsecret')
  const same = new Pair({ lac: { secret }, lns: { secret } })
  same.command('lac', { type: 'call' })
  same.run(5000)
  assert.ok(isUp(same.lac) && isUp(same.lns))
  for (const [lac, lns, lacViolation] of [
    [secret, encodeUtf8('other'), 'challengeResponseWrong'],
    [undefined, secret, 'secretNeeded'],
  ] as const) {
    const pair = new Pair({ lac: { ...(lac && { secret: lac }) }, lns: { secret: lns } })
    pair.command('lac', { type: 'call' })
    pair.run(5000)
    const [closed] = eventsOf(pair.lac, 'closed')
    assert.ok(closed?.cause.by === 'protocol')
    assert.equal(closed.cause.violation, lacViolation)
    const [other] = eventsOf(pair.lns, 'closed')
    assert.ok(other?.cause.by === 'peer')
    assert.equal(other.cause.result, 4)
  }
})

test('no packet is ever answered for ever: an idle pair is silent between HELLOs', () => {
  const pair = new Pair()
  pair.command('lac', { type: 'call' })
  pair.run(1000)
  const before = pair.lac.sent.length + pair.lns.sent.length
  pair.run(1000 + 3_600_000)
  const sent = pair.lac.sent.length + pair.lns.sent.length - before
  // One HELLO and its ZLB each 25 s; the ZLB postpones the other side's.
  assert.ok(sent <= 2 * 2 * (3600 / 25), `${sent} in an hour`)
  assert.ok(isUp(pair.lac) && isUp(pair.lns))
})

test('Ns wraps at 65535 in both directions while calls come and go, over a bad network', () => {
  const pair = new Pair({ weather: { latency: 1 } })
  let calls = 0
  // Calls are cleared by the LNS, so that both sides use up numbers: two for each call.
  pair.react = (side, event) => {
    if (side === pair.lns && event.type === 'sessionOpened')
      return [{ type: 'clear', session: event.session }]
    if (side === pair.lac && event.type === 'sessionClosed' && event.cause.scope === 'session') {
      calls++
      side.events.length = 0
      pair.lns.events.length = 0
      pair.lac.sent = pair.lac.sent.slice(-1)
      pair.lns.sent = pair.lns.sent.slice(-1)
      return [{ type: 'call' }]
    }
    return []
  }
  pair.command('lac', { type: 'call' })
  pair.run(10_000_000, () => calls >= 32_700)
  assert.ok(lastNs(pair.lac) > 65_300 && lastNs(pair.lns) > 65_300)
  Object.assign(pair.weather, { loss: 0.1, reorder: 0.3, duplicate: 0.3 })
  pair.run(pair.now + 3_600_000, () => calls >= 32_900)
  assert.equal(calls, 32_900)
  assert.ok(lastNs(pair.lac) < 1000 && lastNs(pair.lns) < 1000)
})

function badPair(seed: number): Pair {
  return new Pair({ seed, weather: { latency: 20, loss: 0.3, reorder: 0.2, duplicate: 0.1 } })
}

function isUp(side: Side): boolean {
  return eventsOf(side, 'sessionOpened').length > eventsOf(side, 'sessionClosed').length
}

/** Everything that was told of has been closed, and the tunnel too. */
function assertOver(side: Side, seed: number): void {
  if (side.events.length === 0) return
  const count = (type: 'closed' | 'finished') => eventsOf(side, type).length
  assert.deepEqual([count('closed'), count('finished')], [1, 1], `seed ${seed}, ${side.name}`)
  assert.ok(!isUp(side), `seed ${seed}, ${side.name} has a session`)
}

/** Both ends send a frame, as LCP echoes do. */
function echo(pair: Pair): void {
  for (const name of ['lac', 'lns'] as const) {
    const session = eventsOf(pair[name], 'sessionOpened').at(-1)?.session
    if (session !== undefined) pair.command(name, { type: 'send', session, frame: FRAME })
    pair[name].events.splice(
      0,
      pair[name].events.length,
      ...pair[name].events.filter(({ type }) => type !== 'received'),
    )
    pair[name].sent = []
  }
}

function at(pair: Pair) {
  return pair.now as Parameters<Side['endpoint']['command']>[0]
}

function lastNs(side: Side): number {
  const packet = decodePacket(side.sent.at(-1) ?? new Uint8Array())
  assert.ok(packet.ok && packet.value.ns !== undefined)
  return packet.value.ns
}
