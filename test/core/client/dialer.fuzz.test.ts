import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Dialer } from '../../../src/core/client/dialer.ts'
import type { DialerAction, DialerInput, Readiness } from '../../../src/core/client/dialer-state.ts'
import { attemptsOf } from '../../../src/core/client/dialer-state.ts'
import type { DialUplink, Route } from '../../../src/core/client/round.ts'
import { millis } from '../../../src/core/time.ts'

const INPUTS_PER_RUN = 60
const runs = Math.ceil(Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000) / INPUTS_PER_RUN)

const UPLINKS: readonly DialUplink[] = [
  { name: 'fibre', id: 'fibre#2' },
  { name: 'lte', id: 'lte#3' },
  { name: 'fibre', id: 'fibre#9' },
]
const SERVERS = [
  { host: 'lns.example', port: 1701 },
  { host: 'other.example', port: 1701 },
]
const ADDRESSES = ['2001:db8::1', '192.0.2.1', '192.0.2.2']

/** What happens next: an input, or time that passes. Ids count back from the latest attempt, so that most exist. */
type Happening =
  | { readonly kind: 'want'; readonly readiness: Readiness }
  | { readonly kind: 'reconnect' }
  | { readonly kind: 'uplinks'; readonly present: readonly number[] }
  | { readonly kind: 'answer'; readonly which: number; readonly addresses: readonly number[] }
  | {
      readonly kind: 'told'
      readonly type: 'opened' | 'up' | 'sessionEnded' | 'ended' | 'readdressed' | 'elsewhere'
      readonly back: number
    }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'alarm' }

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('want'),
      readiness: fc.constantFrom('cold', 'warm', 'session'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reconnect') }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('uplinks'), present: fc.shuffledSubarray([0, 1, 2]) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer'),
      which: fc.nat({ max: 5 }),
      addresses: fc.shuffledSubarray([0, 1, 2]),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('told'),
      type: fc.constantFrom('opened', 'up', 'sessionEnded', 'ended', 'readdressed', 'elsewhere'),
      back: fc.nat({ max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('time'), ms: fc.nat({ max: 100_000 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('alarm') }) },
) as fc.Arbitrary<Happening>

/** The world around a dialer: knows what it has asked for, and holds it to its promises. */
class World {
  readonly dialer: Dialer
  readonly #serial: boolean
  readonly seen = new Set<string>()
  #now = 0
  #wanted: Readiness = 'cold'
  #uplinks: readonly DialUplink[] = []
  #latest = 0
  /** Started and neither closed nor ended. */
  readonly #alive = new Set<number>()
  /** Asked and not answered. */
  readonly #asked = new Map<string, Route>()

  constructor(serial: boolean, seed: number) {
    this.#serial = serial
    this.dialer = new Dialer({ servers: SERVERS, serial, random: () => (seed % 100) / 100 })
  }

  happen(what: Happening): void {
    switch (what.kind) {
      case 'want':
        this.#wanted = what.readiness
        this.#input({ type: 'want', readiness: what.readiness })
        break
      case 'reconnect':
        this.#input({ type: 'reconnect' })
        break
      case 'uplinks':
        this.#uplinks = what.present.map((index) => UPLINKS[index] as DialUplink)
        this.#input({ type: 'uplinks', uplinks: this.#uplinks })
        break
      case 'answer': {
        const [key, route] = [...this.#asked][what.which % Math.max(1, this.#asked.size)] ?? []
        if (key === undefined || !route) break
        this.#asked.delete(key)
        const addresses = what.addresses.map((index) => ADDRESSES[index] as string)
        this.#input(
          addresses.length > 0 ? { type: 'resolved', route, addresses } : { type: 'unresolved', route },
        )
        break
      }
      case 'told': {
        const id = Math.max(1, this.#latest - what.back)
        if (what.type === 'ended' || what.type === 'readdressed') this.#alive.delete(id)
        if (what.type === 'readdressed') this.#input({ type: 'ended', id, readdressed: true })
        else if (what.type === 'elsewhere') this.#input({ type: 'sessionEnded', id, elsewhere: true })
        else this.#input({ type: what.type, id })
        break
      }
      case 'time':
        this.#pass(this.#now + what.ms)
        break
      case 'alarm':
        this.#pass(this.dialer.pollTimeout() ?? this.#now)
    }
  }

  #input(input: DialerInput): void {
    this.dialer.input(millis(this.#now), input)
    this.#check()
  }

  /** Every alarm on the way rings; one that changes nothing would ring for ever. */
  #pass(until: number): void {
    for (let rung = 0; ; rung++) {
      const deadline = this.dialer.pollTimeout()
      if (deadline === undefined || deadline > until) break
      assert.ok(rung < 2000, 'the alarm rings again and again')
      this.#now = Math.max(this.#now, deadline)
      this.dialer.timeout(millis(this.#now))
      this.#check()
      assert.notEqual(this.dialer.pollTimeout(), deadline, 'an alarm that changed nothing')
    }
    this.#now = Math.max(this.#now, until)
  }

  #check(): void {
    for (let action = this.dialer.pollAction(); action; action = this.dialer.pollAction())
      this.#perform(action)
    const { state } = this.dialer
    this.seen.add(state.name)
    const held = attemptsOf(state).map(({ id }) => id)
    assert.deepEqual(new Set(held), this.#alive, 'attempts are alive exactly while the dialer knows them')
    assert.equal(held.length, this.#alive.size, 'each once')
    for (const { uplink } of attemptsOf(state))
      assert.ok(this.#usable(uplink), 'none over an uplink that is gone')
    const busy = attemptsOf(state).map(({ uplink }) => uplink.id)
    if (this.#serial) assert.equal(new Set(busy).size, busy.length, 'one at a time over an uplink')
    if (this.#wanted === 'cold') assert.ok(state.name === 'cold' || state.name === 'closing', state.name)
    else assert.notEqual(state.name, 'cold')
    this.#checkWayOn()
  }

  /** Every state has a deadline, or waits for something that can come. */
  #checkWayOn(): void {
    const { state } = this.dialer
    const deadline = this.dialer.pollTimeout()
    const asked = [...this.#asked.values()].some(({ uplink }) => this.#usable(uplink))
    switch (state.name) {
      case 'cold':
        assert.equal(deadline, undefined)
        break
      case 'stranded':
        assert.equal(deadline, undefined)
        assert.equal(this.#uplinks.length, 0, 'stranded beside a usable uplink')
        break
      case 'waiting':
        assert.equal(deadline, state.until)
        assert.notEqual(this.#uplinks.length, 0, 'waits for a time without an uplink to dial over')
        break
      case 'dialling':
        assert.ok(deadline !== undefined || state.race.attempts.length > 0 || asked, 'dialling without hope')
        if (state.opened) assert.ok(state.race.attempts.includes(state.opened))
        break
      case 'open': {
        const { going } = state
        if (going?.step !== 'proving') break
        assert.ok(deadline !== undefined || going.race.attempts.length > 0 || asked, 'proving without hope')
        break
      }
      case 'recalling':
      case 'closing':
        assert.notEqual(deadline, undefined)
    }
  }

  #perform(action: DialerAction): void {
    this.seen.add(action.type)
    switch (action.type) {
      case 'resolve':
        assert.ok(this.#usable(action.route.uplink))
        this.#asked.set(`${action.route.uplink.id} ${action.route.server.host}`, action.route)
        break
      case 'start':
        assert.ok(action.attempt.id > this.#latest, 'a new id each time')
        assert.ok(this.#usable(action.attempt.uplink))
        if (action.call) assert.equal(this.#wanted, 'session')
        if (this.#serial && this.dialer.state.name === 'dialling') assert.equal(this.#alive.size, 0)
        this.#latest = action.attempt.id
        this.#alive.add(action.attempt.id)
        break
      case 'call':
        assert.equal(this.#wanted, 'session')
        assert.ok(this.#alive.has(action.id), 'calls through what is there')
        break
      case 'hangUp':
        assert.ok(this.#alive.has(action.id), 'hangs up what is there')
        break
      case 'close':
        assert.ok(this.#alive.delete(action.id), 'closes once, and what is there')
    }
  }

  #usable(uplink: DialUplink): boolean {
    return this.#uplinks.some(({ id }) => id === uplink.id)
  }
}

test('no order of inputs confuses the dialer: attempts never leak, and there is always a way on', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.nat(),
      fc.array(happening, { maxLength: 2 * INPUTS_PER_RUN, size: 'max' }),
      (serial, seed, happenings) => {
        const world = new World(serial, seed)
        world.happen({ kind: 'uplinks', present: [0, 1] })
        world.happen({ kind: 'want', readiness: 'session' })
        for (const what of happenings) world.happen(what)
        for (const name of world.seen) seen.add(name)
      },
    ),
    { numRuns: runs, includeErrorInReport: true },
  )
  const all = ['cold', 'stranded', 'waiting', 'dialling', 'open', 'recalling', 'closing']
  const actions = ['resolve', 'start', 'call', 'hangUp', 'close']
  assert.deepEqual([...seen].sort(), [...all, ...actions].sort(), 'every state and action occurs')
})
