/** The tests of `standby_check` in virtual time: whose turn it is, what they wait for, and what they leave known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PathWatcher } from '../../../src/app/failover/path-watcher.ts'
import { StandbyChecks } from '../../../src/app/failover/standby-checks.ts'
import { StatusStore } from '../../../src/app/status-store.ts'
import type { TunnelPath } from '../../../src/app/tunnel/tunnel-status.ts'
import { UTC } from '../../../src/core/amounts.ts'
import type { Readiness } from '../../../src/core/client/dialer-state.ts'
import { Sharing } from '../../../src/core/failover/sharing.ts'
import type { PathPlan } from '../../../src/core/failover/types.ts'
import { ofKind } from '../../events.ts'
import { MemoryLog } from '../../memory-log.ts'
import { Network } from '../../sim/network.ts'

const MINUTE = 60_000
const PLAN = { standby: 'cold', backsUp: undefined, metered: false } as const
const PLANS: readonly PathPlan[] = [
  { ...PLAN, name: 'fibre', kind: 'uplink' },
  { ...PLAN, name: 'aaisp', kind: 'tunnel' },
  { ...PLAN, name: 'spare', kind: 'tunnel' },
  { ...PLAN, name: 'lte', kind: 'uplink' },
]

/** One tunnel or line as the test dictates it. */
class Standby {
  /** Whether the LNS answers, gives a session, and probes are answered. */
  lns = true
  login = true
  probes = true
  readonly path = {
    dialable: true,
    session: 'none' as TunnelPath['session'],
    control: false,
    failed: false,
    problem: null,
    address: undefined as string | undefined,
  }
  readonly told: string[]
  readonly #name: string
  readonly #network: Network

  constructor(name: string, network: Network, told: string[]) {
    this.#name = name
    this.#network = network
    this.told = told
  }

  readonly watcher = {
    health: { linked: true, answering: ['icmp:1.1.1.1'], awaited: [4], absent: [], reason: '' },
    answering: () => ['icmp:1.1.1.1'],
    confirm: (_span: number, done: () => void) => {
      this.told.push(`probe ${this.#name}`)
      if (this.probes) this.#network.schedule(this.#network.now + 20, done)
    },
  } as unknown as PathWatcher

  afresh() {}

  want(readiness: Readiness) {
    this.told.push(`${this.#name} ${readiness}`)
    this.path.control = this.lns && readiness !== 'cold'
    this.path.session = this.path.control && this.login && readiness === 'session' ? 'up' : 'none'
  }
}

/** Daily at one minute past midnight, which is a minute after the start. */
function make() {
  const network = new Network(1, { delay: 10 })
  const told: string[] = []
  const standbys = new Map(PLANS.map(({ name }) => [name, new Standby(name, network, told)]))
  const of = (name: string) => standbys.get(name) ?? assert.fail(name)
  const state = { calm: true, cutOff: new Set<string>() }
  const addresses = new Map([
    ['fibre', ['192.168.100.2', '192.0.2.2']],
    ['aaisp', ['203.0.113.20']],
    ['spare', ['203.0.113.21']],
  ])
  for (const standby of standbys.values()) standby.path.address = '203.0.113.20'
  const status = new StatusStore(network.clock, 'test')
  const log = new MemoryLog()
  let news = 0
  const checks = new StandbyChecks(
    {
      plans: PLANS,
      when: { day: undefined, hour: 0, minute: 1 },
      sharing: () =>
        new Sharing(PLANS.map((plan) => ({ ...plan, addresses: addresses.get(plan.name) ?? [] }))),
      watcher: (name) => of(name).watcher,
      supervisor: (name) => of(name) as never,
      wanted: () => 'cold',
      cutOff: () => state.cutOff,
      active: () => ({ kind: 'path', name: 'fibre' }),
      calm: () => state.calm,
      onVerdict: () => {
        news++
      },
    },
    { clock: network.clock, status, log, zone: UTC },
  )
  /** In steps, at whose ends promises settle. */
  const run = async (span: number) => {
    const end = network.now + span
    while (network.now < end)
      await network.run(Math.min(end, network.now + (span > 10 * MINUTE ? 20_000 : 500)))
  }
  const found = () => ofKind(status.events, 'standby_checked').map(({ path, ok }) => `${path} ${ok}`)
  return { network, told, of, state, addresses, status, log, checks, run, found, news: () => news }
}

test('each path that stands by, one after the other', async () => {
  const { told, run, found } = make()
  await run(MINUTE - 1)
  assert.deepEqual(told, [])
  await run(MINUTE)
  const dialled = (name: string) => [`${name} session`, `probe ${name}`, `${name} cold`]
  assert.deepEqual(told, [...dialled('aaisp'), ...dialled('spare'), 'probe lte'])
  assert.deepEqual(found(), ['aaisp true', 'spare true', 'lte true'])
  await run(86_400_000)
  assert.equal(found().length, 6)
})

test('a session that would take the address of the line is not dialled', async () => {
  const { told, addresses, run } = make()
  addresses.set('aaisp', ['192.0.2.2'])
  await run(2 * MINUTE)
  assert.deepEqual(told.slice(0, 3), ['aaisp warm', 'aaisp cold', 'spare session'])
})

test('nor is one that was never dialled before: nobody knows whose address it takes', async () => {
  const { told, addresses, of, status, run } = make()
  addresses.delete('aaisp')
  of('aaisp').path.address = undefined
  await run(2 * MINUTE)
  assert.deepEqual(told.slice(0, 2), ['aaisp warm', 'aaisp cold'])
  assert.match(
    String(ofKind(status.events, 'standby_checked')[0]?.message),
    /its session was not dialled, as it never was before/,
  )
})

test('what is cut off is left alone', async () => {
  const { state, run, found } = make()
  state.cutOff.add('lte')
  await run(2 * MINUTE)
  assert.deepEqual(found(), ['aaisp true', 'spare true'])
})

test('while something is wrong nothing is tested; what waited is tested once', async () => {
  const { told, state, run, found } = make()
  state.calm = false
  await run(3 * 86_400_000)
  assert.deepEqual(told, [])
  state.calm = true
  await run(2 * MINUTE)
  assert.deepEqual(found(), ['aaisp true', 'spare true', 'lte true'])
})

test('a test that trouble interrupts tells nothing, and is done again', async () => {
  const { of, state, run, found, log } = make()
  of('aaisp').lns = false
  await run(MINUTE + 5000)
  state.calm = false
  await run(5 * MINUTE)
  assert.deepEqual(found(), [])
  of('aaisp').lns = true
  state.calm = true
  await run(2 * MINUTE)
  assert.deepEqual(found(), ['aaisp true', 'spare true', 'lte true'])
  assert.deepEqual(log.complaints, [])
})

test('a drill waits for the test that is under way, and the other way round', async () => {
  const { told, of, checks, run } = make()
  of('aaisp').lns = false
  await run(MINUTE + 5000)
  const drilled = checks.drill('lte')
  await run(5000)
  assert.deepEqual(told, ['aaisp session'])
  await run(MINUTE)
  assert.equal((await drilled)?.standby?.ok, true)
  assert.deepEqual(told.slice(0, 3), ['aaisp session', 'aaisp cold', 'probe lte'])
})

test('after the end nothing is tested', async () => {
  const { told, checks, run } = make()
  checks.close()
  await run(2 * 86_400_000)
  assert.deepEqual(told, [])
})

test('that no session came counts until a session works, not until the LNS answers', async () => {
  const { of, checks, run, news } = make()
  const aaisp = of('aaisp')
  aaisp.login = false
  await run(2 * MINUTE)
  assert.deepEqual([checks.verdict('aaisp')?.ok, checks.verdict('spare')?.ok], [false, true])
  assert.match(checks.verdict('aaisp')?.reason ?? '', /got no session within 20 s although its LNS answers/)
  aaisp.path.control = true
  checks.tunnelChanged('aaisp')
  assert.equal(checks.verdict('aaisp')?.ok, false)
  checks.answered('aaisp', 6)
  assert.equal(checks.verdict('aaisp')?.ok, false, 'IPv4 is what is required')
  const before = news()
  checks.answered('aaisp', 4)
  assert.equal(checks.verdict('aaisp'), undefined)
  assert.equal(news(), before + 1)
})

test('that the LNS was silent counts until it answers', async () => {
  const { of, checks, run, log } = make()
  const aaisp = of('aaisp')
  aaisp.lns = false
  await run(2 * MINUTE)
  checks.tunnelChanged('aaisp')
  assert.equal(checks.verdict('aaisp')?.ok, false)
  assert.deepEqual(log.complaints, ['standby tested'])
  aaisp.path.control = true
  checks.tunnelChanged('aaisp')
  assert.equal(checks.verdict('aaisp'), undefined)
})

test('a test that was passed counts until a dial fails', async () => {
  const { of, checks, run } = make()
  await run(2 * MINUTE)
  checks.answered('aaisp', 4)
  assert.equal(checks.verdict('aaisp')?.ok, true)
  of('aaisp').path.failed = true
  checks.tunnelChanged('aaisp')
  assert.equal(checks.verdict('aaisp'), undefined)
})
