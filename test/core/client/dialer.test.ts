import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff, PROVEN, STABLE } from '../../../src/core/client/backoff.ts'
import { Dialer } from '../../../src/core/client/dialer.ts'
import { type DialerAction, type DialerInput, RECALL_GRACE } from '../../../src/core/client/dialer-state.ts'
import { RETURN_DELAY } from '../../../src/core/client/returns.ts'
import type { DialUplink } from '../../../src/core/client/round.ts'
import { ADDRESS_STAGGER, SERVER_STAGGER } from '../../../src/core/client/round.ts'
import { millis } from '../../../src/core/time.ts'

const FIBRE: DialUplink = { name: 'fibre', id: 'fibre#2' }
const LTE: DialUplink = { name: 'lte', id: 'lte#3' }
const PRIMARY = { host: 'lns.example', port: 1701 }
const SECONDARY = { host: 'other.example', port: 1701 }

/** A dialer under a clock of its own; `actions` are told as short words. */
function script(options: { servers?: (typeof PRIMARY)[]; serial?: boolean } = {}) {
  const dialer = new Dialer({
    servers: options.servers ?? [PRIMARY],
    serial: options.serial ?? false,
    random: () => 0.5,
  })
  let now = 0
  const drain = () => {
    const words: string[] = []
    for (let action = dialer.pollAction(); action; action = dialer.pollAction()) words.push(inWords(action))
    return words
  }
  return {
    dialer,
    get now() {
      return now
    },
    /** Gives one input at the present time. */
    input(input: DialerInput): string[] {
      dialer.input(millis(now), input)
      return drain()
    },
    /** Lets time pass, ringing the alarm whenever it is due, and gives what was done with the time of each. */
    run(until: number): string[] {
      const words: string[] = []
      for (let rings = 0; ; rings++) {
        assert.ok(rings < 10_000, 'the alarm rings without end')
        const deadline = dialer.pollTimeout()
        if (deadline === undefined || deadline > until) break
        now = Math.max(now, deadline)
        dialer.timeout(millis(now))
        words.push(...drain().map((word) => `${now} ${word}`))
      }
      now = until
      return words
    },
    resolved(addresses: string[], uplink = FIBRE, server = PRIMARY): string[] {
      return this.input({ type: 'resolved', route: { uplink, server }, addresses })
    },
    /** Brings the first attempt up over the given uplinks. */
    up(uplinks = [FIBRE], address = '192.0.2.1'): void {
      this.input({ type: 'uplinks', uplinks })
      this.input({ type: 'want', readiness: 'session' })
      this.resolved([address], uplinks[0])
      this.input({ type: 'opened', id: 1 })
      this.input({ type: 'up', id: 1 })
      assert.equal(dialer.state.name, 'open')
    },
  }
}

function inWords(action: DialerAction): string {
  switch (action.type) {
    case 'resolve':
      return `resolve ${action.route.server.host} over ${action.route.uplink.name}`
    case 'start':
      return `start ${action.attempt.id} ${action.attempt.address} over ${action.attempt.uplink.name}${action.call ? '' : ' without call'}`
    case 'call':
      return `call ${action.id}`
    case 'hangUp':
      return `hang up ${action.id}`
    case 'close':
      return `close ${action.id} ${action.reason}`
  }
}

test('dials nothing before it is enabled, nor without an uplink', () => {
  const s = script()
  assert.deepEqual(s.input({ type: 'uplinks', uplinks: [FIBRE] }), [])
  assert.equal(s.dialer.state.name, 'cold')
  const alone = script()
  assert.deepEqual(alone.input({ type: 'want', readiness: 'session' }), [])
  assert.deepEqual(alone.dialer.state, { name: 'stranded' })
  assert.deepEqual(alone.input({ type: 'uplinks', uplinks: [FIBRE] }), ['resolve lns.example over fibre'])
})

test('races the addresses of a name, a quarter of a second apart; the first answer wins', () => {
  const s = script()
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  assert.deepEqual(s.input({ type: 'want', readiness: 'session' }), ['resolve lns.example over fibre'])
  assert.deepEqual(s.resolved(['2001:db8::1', '192.0.2.1']), ['start 1 2001:db8::1 over fibre'])
  assert.deepEqual(s.run(1_000), [`${ADDRESS_STAGGER} start 2 192.0.2.1 over fibre`])
  assert.deepEqual(s.input({ type: 'opened', id: 2 }), ['close 1 lostRace'])
  assert.deepEqual(s.input({ type: 'opened', id: 1 }), [], 'too late')
  s.input({ type: 'up', id: 2 })
  assert.equal(s.dialer.state.name, 'open')
})

test('an address that fails at once makes room for the next at once', () => {
  const s = script()
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'session' })
  s.resolved(['2001:db8::1', '192.0.2.1'])
  assert.deepEqual(s.input({ type: 'ended', id: 1 }), ['start 2 192.0.2.1 over fibre'])
})

test('a silent first server and a silent first uplink do not hold the others up', () => {
  const s = script({ servers: [PRIMARY, SECONDARY] })
  s.input({ type: 'uplinks', uplinks: [FIBRE, LTE] })
  s.input({ type: 'want', readiness: 'session' })
  s.resolved(['192.0.2.1'])
  assert.deepEqual(s.run(SERVER_STAGGER), [`${SERVER_STAGGER} resolve other.example over fibre`])
  assert.deepEqual(s.input({ type: 'unresolved', route: { uplink: FIBRE, server: SECONDARY } }), [])
  assert.deepEqual(s.run(2 * SERVER_STAGGER), [`${2 * SERVER_STAGGER} resolve lns.example over lte`])
  assert.deepEqual(s.resolved(['192.0.2.1'], LTE), ['start 2 192.0.2.1 over lte'])
})

test('fresher addresses of a cached name are tried too, known ones are not tried twice', () => {
  const s = script()
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'session' })
  s.resolved(['192.0.2.1'])
  assert.deepEqual(s.resolved(['192.0.2.1']), [])
  assert.deepEqual([...s.resolved(['192.0.2.2']), ...s.run(SERVER_STAGGER)].length, 1)
})

test('backs off from 1 s to 60 s and never gives up', () => {
  const s = script()
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'session' })
  const delays: number[] = []
  for (let id = 1, now = 0; id <= 10; id++) {
    s.resolved(['192.0.2.1'])
    s.input({ type: 'ended', id })
    const deadline = s.dialer.pollTimeout() ?? Number.NaN
    delays.push(deadline - now)
    now = deadline
    s.run(now)
  }
  assert.deepEqual(delays, [900, 1800, 3600, 7200, 14400, 28800, 54000, 54000, 54000, 54000])
})

test('a stable session that is lost is dialled anew at once, a young one after the back-off', () => {
  const stable = script()
  stable.up()
  stable.run(STABLE)
  assert.deepEqual(stable.input({ type: 'ended', id: 1 }), ['resolve lns.example over fibre'])
  const young = script()
  young.up()
  young.run(PROVEN - 1)
  assert.deepEqual(young.input({ type: 'ended', id: 1 }), [])
  assert.equal(young.dialer.state.name, 'waiting')
})

test('calls again through a control connection that survived its session, and dials beside it if that stays silent', () => {
  const s = script()
  s.up()
  s.run(STABLE)
  assert.deepEqual(s.input({ type: 'sessionEnded', id: 1 }), ['call 1'])
  assert.deepEqual(s.run(STABLE + RECALL_GRACE), [`${STABLE + RECALL_GRACE} resolve lns.example over fibre`])
  assert.deepEqual(s.resolved(['192.0.2.1']), ['start 2 192.0.2.1 over fibre'])
  assert.deepEqual(s.input({ type: 'opened', id: 2 }), ['close 1 lostRace'])
})

test('a call that is answered in time is not accompanied by another dial', () => {
  const s = script()
  s.up()
  s.run(STABLE)
  s.input({ type: 'sessionEnded', id: 1 })
  assert.deepEqual(s.input({ type: 'opened', id: 1 }), [])
  assert.deepEqual(s.run(STABLE + 60_000), [])
  s.input({ type: 'up', id: 1 })
  assert.equal(s.dialer.state.name, 'open')
})

/** A tunnel whose session has ended after 5 s, at an LNS that kept the control connection. */
function recalling() {
  const s = script()
  s.up()
  s.run(5000)
  assert.deepEqual(s.input({ type: 'sessionEnded', id: 1 }), [])
  assert.equal(s.dialer.state.name, 'recalling')
  return s
}

test('a session that ends soon is called again through its connection, after the back-off', () => {
  const s = recalling()
  assert.equal(s.dialer.pollTimeout(), 5900)
  assert.deepEqual(s.run(5900), ['5900 call 1'])
})

test('what is wanted, and what befalls the connection, while the next call is not due', () => {
  const after = (...inputs: DialerInput[]) => {
    const s = recalling()
    const words = inputs.flatMap((input) => s.input(input))
    return [words, s.dialer.state.name, s.dialer.pollTimeout()]
  }
  const dials = 'resolve lns.example over fibre'
  assert.deepEqual(after({ type: 'want', readiness: 'cold' }), [['close 1 shutdown'], 'closing', 6500])
  assert.deepEqual(after({ type: 'want', readiness: 'warm' }), [[], 'open', undefined])
  assert.deepEqual(after({ type: 'want', readiness: 'session' }), [[], 'recalling', 5900])
  assert.deepEqual(after({ type: 'reconnect' }), [['close 1 reconnect'], 'closing', 6500])
  assert.deepEqual(after({ type: 'uplinks', uplinks: [LTE, FIBRE] }), [[], 'recalling', 5900])
  assert.deepEqual(after({ type: 'uplinks', uplinks: [] }), [['close 1 uplinkGone'], 'stranded', undefined])
  assert.deepEqual(after({ type: 'ended', id: 1 }), [[], 'waiting', 5900])
  assert.deepEqual(after({ type: 'ended', id: 7 }), [[], 'recalling', 5900])
  assert.deepEqual(after({ type: 'ended', id: 1, readdressed: true }).slice(0, 2), [[dials], 'dialling'])
})

test('an uplink that goes takes its attempt along; the next one is used at once', () => {
  const s = script()
  s.up([FIBRE, LTE])
  assert.deepEqual(s.input({ type: 'uplinks', uplinks: [LTE] }), [
    'close 1 uplinkGone',
    'resolve lns.example over lte',
  ])
})

test('goes back to a better uplink only after a control connection proved it', () => {
  const s = script()
  s.up([LTE])
  assert.deepEqual(s.input({ type: 'uplinks', uplinks: [FIBRE, LTE] }), [])
  assert.deepEqual(s.run(RETURN_DELAY), [`${RETURN_DELAY} resolve lns.example over fibre`])
  assert.deepEqual(s.resolved(['192.0.2.1'], FIBRE), ['start 2 192.0.2.1 over fibre without call'])
  assert.equal(s.dialer.state.name, 'open', 'the session over lte carries on')
  assert.deepEqual(s.input({ type: 'opened', id: 2 }), ['close 1 moved', 'call 2'])
  s.input({ type: 'up', id: 2 })
  assert.equal(s.dialer.state.name === 'open' && s.dialer.state.attempt.uplink.name, 'fibre')
})

test('a better uplink that leads nowhere is tried ever more rarely, and the session stays', () => {
  const s = script()
  s.up([LTE])
  s.input({ type: 'uplinks', uplinks: [FIBRE, LTE] })
  s.run(RETURN_DELAY)
  s.resolved(['192.0.2.1'], FIBRE)
  assert.deepEqual(s.input({ type: 'ended', id: 2 }), [])
  assert.equal(s.dialer.state.name, 'open')
  assert.equal(s.dialer.pollTimeout(), RETURN_DELAY + 2 * RETURN_DELAY)
})

test('once going back has succeeded, the next way back is as short as the first', () => {
  const s = script()
  s.up([LTE])
  s.input({ type: 'uplinks', uplinks: [FIBRE, LTE] })
  s.run(RETURN_DELAY)
  s.resolved(['192.0.2.1'], FIBRE)
  s.input({ type: 'ended', id: 2 })
  s.run(3 * RETURN_DELAY)
  s.resolved(['192.0.2.1'], FIBRE)
  assert.deepEqual(s.input({ type: 'opened', id: 3 }), ['close 1 moved', 'call 3'])
  s.input({ type: 'up', id: 3 })
  assert.deepEqual(s.input({ type: 'uplinks', uplinks: [LTE] }), [
    'close 3 uplinkGone',
    'resolve lns.example over lte',
  ])
  s.resolved(['192.0.2.1'], LTE)
  s.input({ type: 'up', id: 4 })
  s.input({ type: 'uplinks', uplinks: [FIBRE, LTE] })
  assert.equal(s.dialer.pollTimeout(), s.now + RETURN_DELAY)
})

test('down closes what there is and stays down; up dials again', () => {
  const s = script()
  s.up()
  assert.deepEqual(s.input({ type: 'want', readiness: 'cold' }), ['close 1 shutdown'])
  assert.equal(s.dialer.state.name, 'closing')
  s.input({ type: 'ended', id: 1 })
  assert.equal(s.dialer.state.name, 'cold')
  assert.deepEqual(s.run(3_600_000), [])
  assert.deepEqual(s.input({ type: 'want', readiness: 'session' }), ['resolve lns.example over fibre'])
})

test('a peer that never acknowledges the end does not hold it up', () => {
  const s = script()
  s.up()
  s.input({ type: 'reconnect' })
  assert.deepEqual(s.run(10_000), ['1500 resolve lns.example over fibre'])
})

test('with a fixed local port there is one attempt at a time', () => {
  const s = script({ serial: true })
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'session' })
  s.resolved(['2001:db8::1', '192.0.2.1'])
  assert.deepEqual(s.run(60_000), [])
  assert.deepEqual(s.input({ type: 'ended', id: 1 }), ['start 2 192.0.2.1 over fibre'])
})

test('a warm tunnel has a control connection and no session, and calls when one is wanted', () => {
  const s = script()
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'warm' })
  assert.deepEqual(s.resolved(['192.0.2.1']), ['start 1 192.0.2.1 over fibre without call'])
  assert.deepEqual(s.input({ type: 'opened', id: 1 }), [])
  assert.deepEqual(s.run(3_600_000), [])
  assert.deepEqual(s.input({ type: 'want', readiness: 'session' }), ['call 1'])
  s.input({ type: 'opened', id: 1 })
  s.input({ type: 'up', id: 1 })
  assert.equal(s.dialer.state.name === 'open' && s.dialer.state.session, true)
  assert.deepEqual(s.input({ type: 'want', readiness: 'warm' }), ['hang up 1'])
  assert.deepEqual(s.input({ type: 'sessionEnded', id: 1 }), [])
  assert.equal(s.dialer.state.name === 'open' && !s.dialer.state.session, true)
})

test('a session that is wanted while the control connection is being opened is called in the same flight', () => {
  const s = script()
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'warm' })
  s.resolved(['192.0.2.1'])
  assert.deepEqual(s.input({ type: 'want', readiness: 'session' }), ['call 1'])
  s.input({ type: 'opened', id: 1 })
  s.input({ type: 'up', id: 1 })
  assert.equal(s.dialer.state.name === 'open' && s.dialer.state.session, true)
})

test('a warm tunnel whose control connection is lost is opened again', () => {
  const s = script()
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'warm' })
  s.resolved(['192.0.2.1'])
  s.input({ type: 'opened', id: 1 })
  s.run(STABLE)
  assert.deepEqual(s.input({ type: 'ended', id: 1 }), ['resolve lns.example over fibre'])
})

test('a wanted session does not wait for a back-off that began while it was not needed', () => {
  const s = script()
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'warm' })
  s.resolved(['192.0.2.1'])
  s.input({ type: 'ended', id: 1 })
  assert.equal(s.dialer.state.name, 'waiting')
  assert.deepEqual(s.input({ type: 'want', readiness: 'session' }), ['resolve lns.example over fibre'])
})

/** The waits before what lived for so long each time, ms, is dialled again after some failures. */
function waits(failures: number, lives: readonly number[]): number[] {
  const backoff = new Backoff(() => 0.5)
  for (let i = 0; i < failures; i++) backoff.next()
  return lives.map((life) => backoff.afterSession(life))
}

test('the back-off falls with the time that a session lived, and the first loss of a proven one is answered at once', () => {
  assert.deepEqual(waits(6, [58_000, 5_000, 5_000]), [0, 1800, 3600], '58 s take five doublings of six back')
  assert.deepEqual(
    waits(0, [10_000, 10_000, 10_000]),
    [0, 900, 900],
    'who ends each after 10 s is not hammered',
  )
  assert.deepEqual(waits(4, [9_999, 25_000, 25_000]), [14_400, 0, 1_800], 'a doubling for each 10 s')
  assert.deepEqual(waits(6, [60_000, 10_000, 10_000]), [0, 0, 900], 'after a stable session all begins anew')
})

/** A tunnel that waits for 54 s, since an LNS does not let it in; `answers`: it says so. */
function waiting(answers: boolean) {
  const s = script()
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'session' })
  let id = 0
  const fail = () => {
    s.resolved(['192.0.2.1'])
    id++
    if (answers) s.input({ type: 'opened', id })
    s.input({ type: 'ended', id })
    return (s.dialer.pollTimeout() ?? 0) - s.now
  }
  for (let rounds = 1; fail() < 54_000; rounds++) {
    assert.ok(rounds < 20, 'the back-off does not grow')
    s.run(s.dialer.pollTimeout() ?? 0)
  }
  return Object.assign(s, { fail, next: () => id + 1 })
}

test('what a person asks for starts afresh, however it is asked', () => {
  const ways: readonly (readonly DialerInput[])[] = [
    [{ type: 'reconnect' }],
    [{ type: 'afresh' }],
    [{ type: 'want', readiness: 'cold' }, { type: 'afresh' }, { type: 'want', readiness: 'session' }],
  ]
  for (const inputs of ways) {
    const s = waiting(true)
    assert.deepEqual(
      inputs.flatMap((input) => s.input(input)),
      ['resolve lns.example over fibre'],
    )
    assert.equal(s.fail(), 900, JSON.stringify(inputs))
  }
})

test('an LNS that was silent and answers a dial that was given up is dialled at once, afresh', () => {
  const s = waiting(false)
  assert.deepEqual(s.input({ type: 'answeredLate' }), ['resolve lns.example over fibre'])
  assert.equal(s.fail(), 900)
})

test('an LNS that was silent and answers starts the back-off anew, once', () => {
  const s = waiting(false)
  s.run(s.dialer.pollTimeout() ?? 0)
  s.resolved(['192.0.2.1'])
  s.input({ type: 'opened', id: s.next() })
  s.input({ type: 'ended', id: s.next() })
  assert.equal((s.dialer.pollTimeout() ?? 0) - s.now, 900)
})

test('the late answer to the loser of a race does not hurry a dial that the winner was refused', () => {
  const s = waiting(true)
  assert.deepEqual(s.input({ type: 'answeredLate' }), [])
  assert.equal(s.dialer.state.name, 'waiting')
  s.run(s.dialer.pollTimeout() ?? 0)
  assert.equal(s.fail(), 54_000)
})

/** LNSes that ask for another one to be used: CDN or StopCCN 2 with error 7 (RFC 2661 section 4.4.2). */
const elsewhere = (type: 'sessionEnded' | 'ended', id: number): DialerInput => ({ type, id, elsewhere: true })

test('an LNS that asks for another one to be used while it is dialled is left for the next', () => {
  const s = script({ servers: [PRIMARY, SECONDARY] })
  s.input({ type: 'uplinks', uplinks: [FIBRE] })
  s.input({ type: 'want', readiness: 'session' })
  s.resolved(['192.0.2.1'])
  s.input({ type: 'opened', id: 1 })
  assert.deepEqual(s.input(elsewhere('sessionEnded', 1)), [
    'close 1 reconnect',
    'resolve other.example over fibre',
  ])
  assert.deepEqual(s.resolved(['192.0.2.9'], FIBRE, SECONDARY), ['start 2 192.0.2.9 over fibre'])
})

for (const type of ['sessionEnded', 'ended'] as const) {
  test(`one that does so in the middle of a session comes last in the next round: ${type}`, () => {
    const s = script({ servers: [PRIMARY, SECONDARY] })
    s.up()
    s.run(STABLE)
    const closed = type === 'sessionEnded' ? ['close 1 reconnect'] : []
    assert.deepEqual(s.input(elsewhere(type, 1)), [...closed, 'resolve lns.example over fibre'])
    assert.deepEqual(s.resolved(['192.0.2.1', '192.0.2.2']), ['start 2 192.0.2.2 over fibre'])
    assert.deepEqual(s.input({ type: 'ended', id: 2 }), ['resolve other.example over fibre'])
    assert.deepEqual(s.resolved(['192.0.2.9'], FIBRE, SECONDARY), ['start 3 192.0.2.9 over fibre'])
    assert.deepEqual(
      s.input({ type: 'ended', id: 3 }),
      ['start 4 192.0.2.1 over fibre'],
      'for want of another',
    )
    // Once somebody has us, the order is the usual one again.
    s.input({ type: 'opened', id: 4 })
    s.input({ type: 'up', id: 4 })
    s.run(2 * STABLE)
    s.input({ type: 'ended', id: 4 })
    assert.deepEqual(s.resolved(['192.0.2.1', '192.0.2.2']), ['start 5 192.0.2.1 over fibre'])
  })
}

test('one that does so when it is called again is not dialled first beside that', () => {
  const s = script({ servers: [PRIMARY, SECONDARY] })
  s.up()
  s.run(STABLE)
  assert.deepEqual(s.input({ type: 'sessionEnded', id: 1 }), ['call 1'])
  s.input(elsewhere('sessionEnded', 1))
  s.run(STABLE + RECALL_GRACE)
  assert.deepEqual(s.resolved(['192.0.2.1']), ['resolve other.example over fibre'])
  assert.deepEqual(s.resolved(['192.0.2.9'], FIBRE, SECONDARY), ['start 2 192.0.2.9 over fibre'])
})

test('the only LNS there is is dialled again all the same, after the back-off', () => {
  const s = script()
  s.up()
  assert.deepEqual(s.input(elsewhere('sessionEnded', 1)), ['close 1 reconnect'])
  assert.equal(s.dialer.state.name, 'waiting')
  assert.equal(s.run(2_000).length, 1)
  assert.deepEqual(s.resolved(['192.0.2.1']), ['start 2 192.0.2.1 over fibre'])
})

test('an address that is shunned goes with its uplink', () => {
  const s = script({ servers: [PRIMARY] })
  s.up([FIBRE, LTE])
  s.run(STABLE)
  s.input(elsewhere('ended', 1))
  s.resolved(['192.0.2.1', '192.0.2.2'])
  s.input({ type: 'uplinks', uplinks: [LTE] })
  assert.deepEqual(s.resolved(['192.0.2.1'], LTE), ['start 3 192.0.2.1 over lte'])
  s.input({ type: 'ended', id: 3 })
  assert.equal(s.dialer.state.name, 'waiting', 'nothing is left of the round')
})
