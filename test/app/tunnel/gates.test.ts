/** What a dial waits for before its first message leaves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cancel, type DatagramSocket, SystemError } from '../../../src/app/ports.ts'
import { SocketErrors } from '../../../src/app/socket-errors.ts'
import { AttemptRunner, carrierOf } from '../../../src/app/tunnel/attempt.ts'
import { filterGates } from '../../../src/app/tunnel/filter-gates.ts'
import type { Gate, PendingDial } from '../../../src/app/tunnel/gate.ts'
import type { ClientEvent } from '../../../src/core/client/types.ts'
import { digests } from '../../../src/core/digests/digests.ts'
import { type Failure, failureMessage } from '../../../src/core/failure.ts'
import { carriersOf } from '../../../src/core/system/uplinks.ts'
import { configOf, SYSTEM, tunnelOf } from '../../core/system/samples.ts'
import { MemoryLog } from '../../memory-log.ts'
import { seededEntropy } from '../../sim/random.ts'
import { CLIENT, dials, upWithin, within, world } from '../../sim/world.ts'
import { VirtualClock } from '../../virtual-clock.ts'

const LNS = '198.51.100.1'
/** What is told of a gate of this name. */
const late = (gate: string): Failure => ({ code: 'system_refused', action: 'wait', cause: `${gate} is late` })
const refused = (gate: string): Failure => ({
  code: 'system_refused',
  action: 'open',
  cause: `${gate} refuses`,
})

/** A gate that the test opens or shuts. */
class TestGate implements Gate {
  readonly name: string
  readonly #told: string[]
  grant!: (release: Cancel | undefined) => void
  shut!: (error: unknown) => void
  dial: PendingDial | undefined

  constructor(name: string, told: string[]) {
    this.name = name
    this.#told = told
  }

  open(dial: PendingDial): Promise<Cancel | undefined> {
    this.dial = dial
    this.#told.push(`ask ${this.name}`)
    return new Promise((resolve, reject) => {
      this.grant = resolve
      this.shut = reject
    })
  }

  /** Opens, holding something for the dial. */
  hold(): void {
    this.grant(() => this.#told.push(`release ${this.name}`))
  }

  refused(error: unknown): Failure {
    assert.ok(error instanceof SystemError)
    return refused(this.name)
  }

  late(): Failure {
    return late(this.name)
  }
}

/** A dial that begins now and that nobody answers; `told` says in order what becomes of it. */
function dialThrough(gates: readonly Gate[], told: string[] = []) {
  const clock = new VirtualClock()
  const tunnel = tunnelOf('aaisp')
  const [uplink] = carriersOf(tunnel, configOf([tunnel]), SYSTEM)
  assert.ok(uplink)
  const carrier = carrierOf(uplink, true, () => [])
  const socket: DatagramSocket = {
    local: { host: '192.0.2.2', port: 40_000 },
    send: () => void told.push(`send at ${clock.now() - 1000}`),
    connect: () => {},
    expect: () => {},
    close: () => void told.push('close socket'),
  }
  const log = new MemoryLog()
  const runner = new AttemptRunner(
    {
      attempt: { id: 1, uplink: carrier, server: { host: LNS, port: 1701 }, address: LNS },
      carrier,
      tunnel,
      hostName: 'test',
      remembered: {},
      unfit: () => undefined,
      onEvent: (event: ClientEvent) => {
        if (event.type === 'ended') told.push(`ended: ${event.failure && failureMessage(event.failure)}`)
      },
      onGone: () => {},
    },
    {
      clock,
      datagrams: { open: () => socket, openIcmp: () => assert.fail() },
      digests,
      entropy: seededEntropy(1),
      log,
      errors: new SocketErrors(clock, log),
      gates,
    },
  )
  runner.command({ type: 'dial', call: true })
  return { clock, runner, told, log }
}

test('without gates the first message leaves at once', () => {
  assert.deepEqual(dialThrough([]).told, ['send at 0'])
})

test('gates open one after the other, and the first message leaves at the moment the last one does', async () => {
  const told: string[] = []
  const gates = [new TestGate('a', told), new TestGate('b', told)] as const
  const { clock, runner } = dialThrough(gates, told)
  await clock.pass(300)
  assert.deepEqual(told, ['ask a'])
  assert.deepEqual(gates[0].dial, { device: 'eth0', localPort: 40_000, server: LNS, guarded: true })
  gates[0].hold()
  await clock.pass(40)
  assert.deepEqual(told, ['ask a', 'ask b'])
  gates[1].hold()
  await clock.pass(0)
  assert.deepEqual(told, ['ask a', 'ask b', 'send at 340'])
  runner.destroy()
  assert.deepEqual(told.slice(3), ['close socket', 'release a', 'release b'])
})

test('gates that open at once take no time', async () => {
  const open: Gate = {
    name: 'open',
    open: async () => undefined,
    refused: () => assert.fail(),
    late: () => assert.fail(),
  }
  const { clock, told } = dialThrough([open, open, open])
  await clock.pass(0)
  assert.deepEqual(told, ['send at 0'])
})

test('the gate that stays shut says what is told, and what others held is given back', async () => {
  const told: string[] = []
  const gates = [new TestGate('a', told), new TestGate('b', told)] as const
  const { clock, log } = dialThrough(gates, told)
  gates[0].hold()
  await clock.pass(10)
  gates[1].shut(new SystemError('EINVAL', 'these words'))
  await clock.pass(60_000)
  assert.deepEqual(told.slice(0, 4), [
    'ask a',
    'ask b',
    'release a',
    `ended: ${failureMessage(refused('b'))}`,
  ])
  assert.ok(!told.some((what) => what.startsWith('send')))
  assert.ok(log.lines.some((line) => line.includes('a dial does not begin') && line.includes('b')))
})

test('all gates together have 1.5 s, then the one that is waited for says so, and nothing leaves any more', async () => {
  const told: string[] = []
  const gates = [new TestGate('a', told), new TestGate('b', told)] as const
  const { clock, runner } = dialThrough(gates, told)
  await clock.pass(1_000)
  gates[0].hold()
  await clock.pass(499)
  assert.deepEqual(told, ['ask a', 'ask b'])
  await clock.pass(1)
  assert.deepEqual(told.slice(2, 3), [`ended: ${failureMessage(late('b'))}`])
  await clock.pass(60_000)
  runner.destroy()
  gates[1].hold()
  await clock.pass(60_000)
  assert.ok(!told.some((what) => what.startsWith('send')))
  assert.deepEqual(told.slice(-2), ['release a', 'release b'], 'what opens too late is given back')
})

test('a dial that was given up does not begin when its gate opens after all', async () => {
  const told: string[] = []
  const gate = new TestGate('a', told)
  const { clock, runner } = dialThrough([gate], told)
  await clock.pass(100)
  runner.command({ type: 'close' })
  gate.hold()
  await clock.pass(60_000)
  assert.ok(!told.some((what) => what.startsWith('send')))
  assert.ok(told.includes('release a'))
})

for (const slow of [0, 1, 2])
  test(`a tunnel is dialled when the slowest gate is open, wherever in the list it stands: ${slow}`, async () => {
    const told: string[] = []
    const gates = ['filters', 'port guard', 'key exchange'].map((name) => new TestGate(name, told))
    const here = world(1, { gates })
    const { network, router, wire } = here
    for (const [position, gate] of gates.entries()) {
      if (position === slow) await network.run(600)
      assert.deepEqual(wire.sent('SCCRQ', CLIENT), [])
      assert.equal(told.length, position + 1, 'those behind it wait')
      gate.hold()
      await network.run(network.now + 1)
    }
    assert.deepEqual(
      dials(wire).map((at) => at >= 600 && at < 605),
      [true],
    )
    await upWithin(here, 1_000)
    await within(network, 60_000, router.stop())
    await network.run(network.now + 60_000)
    assert.deepEqual(told.slice(3), ['release filters', 'release port guard', 'release key exchange'])
  })

test('each dial of a race passes the gates by itself, and what a gate that stays shut says is told', async () => {
  const told: string[] = []
  const gate = (name: string, open: Gate['open']): Gate => ({
    name,
    open,
    refused: () => assert.fail(),
    late: () => late(name),
  })
  const here = world(1, {
    gates: [
      gate('filters', async () => undefined),
      gate('key exchange', ({ device }) => {
        told.push(device)
        return new Promise(() => {})
      }),
    ],
  })
  here.router.machine.add('lte', ['192.0.2.66'])
  await here.network.run(10_000)
  assert.deepEqual(here.wire.sent('SCCRQ', CLIENT), [])
  assert.deepEqual([...new Set(told)].sort(), ['fibre', 'lte'])
  assert.equal(here.router.shown.last_error?.message, failureMessage(late('key exchange')))
})

test('filters come before the guard of a port, and an uplink without a firewall needs only them', async () => {
  const told: string[] = []
  const gates = filterGates({
    filtersLoaded: async () => void told.push('filters'),
    guardPort: async ({ device, localPort, server }) => {
      told.push(`guard ${device} ${localPort} ${server}`)
      return () => told.push('guard no more')
    },
  })
  const { clock, runner } = dialThrough(gates, told)
  await clock.pass(0)
  assert.deepEqual(told, ['filters', `guard eth0 40000 ${LNS}`, 'send at 0'])
  runner.destroy()
  assert.deepEqual(told.slice(3), ['close socket', 'guard no more'])
  const open = { device: 'eth0', localPort: 1, server: LNS, guarded: false }
  assert.equal(await gates[1]?.open(open), undefined)
})
