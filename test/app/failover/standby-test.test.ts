import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type StandbySubject, testStandby } from '../../../src/app/failover/standby-test.ts'
import type { TunnelPath } from '../../../src/app/tunnel/tunnel-status.ts'
import type { Readiness } from '../../../src/core/client/dialer-state.ts'
import { Network } from '../../sim/network.ts'

/** A tunnel that stands by; what it was told, and what became of the test. */
async function tried(
  answers: {
    readonly lns: boolean
    readonly probes: boolean
    readonly dialable?: boolean
    readonly control?: boolean
    readonly lacks?: readonly (4 | 6)[]
    readonly session?: boolean
  },
  spared?: string,
  disturbedAt = Number.POSITIVE_INFINITY,
) {
  const network = new Network(1, { delay: 10 })
  const path = {
    dialable: answers.dialable ?? true,
    session: 'none' as TunnelPath['session'],
    control: answers.control ?? false,
    problem: answers.session === false ? 'IPCP: no address' : null,
  }
  const wanted: Readiness[] = []
  const afresh = { count: 0 }
  const subject: StandbySubject = {
    name: 'aaisp',
    spared,
    disturbed: () => network.now >= disturbedAt,
    watcher: {
      health: {
        linked: true,
        answering: ['icmp:1.1.1.1'],
        absent: answers.lacks ?? [],
        reason: '',
      },
      confirm: (_span: number, done: () => void) => {
        if (answers.probes) network.schedule(network.now + 20, done)
      },
    } as unknown as StandbySubject['watcher'],
    tunnel: {
      path: path as TunnelPath,
      afresh() {
        afresh.count++
      },
      want(readiness) {
        wanted.push(readiness)
        if (readiness === 'cold') path.control = false
        if (!answers.lns) return
        path.control = readiness !== 'cold'
        path.session = readiness === 'session' && (answers.session ?? true) ? 'up' : 'none'
      },
    },
    wanted: () => 'cold',
  }
  const found = testStandby(subject, network.clock)
  await network.run(network.now + 60_000)
  const { ok, message } = (await found) ?? {}
  return { ok, message, wanted, afresh: afresh.count }
}

test('a standby with an address of its own is dialled and probed through, and then left as it was', async () => {
  assert.deepEqual(await tried({ lns: true, probes: true }), {
    ok: true,
    message: 'aaisp works: its session came up, and its probes are answered.',
    wanted: ['session', 'cold'],
    // A back-off that goes on would be mistaken for an LNS that does not answer.
    afresh: 1,
  })
})

test('where its session would take the address of a line only its LNS is asked', async () => {
  const { ok, message, wanted } = await tried(
    { lns: true, probes: false },
    'as it would take the address of fibre',
  )
  assert.equal(ok, true)
  assert.match(
    message ?? '',
    /^The LNS of aaisp answers; its session was not dialled, as it would take the address of fibre/,
  )
  assert.deepEqual(wanted, ['warm', 'cold'])
})

test('what does not work is said so', async () => {
  const silent = await tried({ lns: false, probes: true })
  assert.deepEqual([silent.ok, silent.message], [false, 'aaisp could not be dialled within 20 s.'])
  const refused = await tried({ lns: true, probes: true, session: false })
  assert.deepEqual(
    [refused.ok, refused.message],
    [false, 'aaisp got no session within 20 s although its LNS answers (IPCP: no address).'],
  )
  const mute = await tried({ lns: true, probes: false })
  assert.deepEqual(
    [mute.ok, mute.message],
    [false, 'aaisp does not work: its session came up, and no probe was answered over it.'],
  )
  const off = await tried({ lns: true, probes: true, dialable: false })
  assert.deepEqual([off.ok, off.wanted], [false, []])
})

test('an LNS that was heard long ago is asked anew: a control connection that stands proves nothing', async () => {
  const well = await tried({ lns: true, probes: false, control: true }, 'fibre')
  assert.deepEqual([well.ok, well.wanted], [true, ['cold', 'warm', 'cold']])
  const dead = await tried({ lns: false, probes: false, control: true }, 'fibre')
  assert.deepEqual([dead.ok, dead.message], [false, 'aaisp could not be dialled within 20 s.'])
})

test('a path without a family that is required does not work, though its probes are answered', async () => {
  const { ok, message } = await tried({ lns: true, probes: true, lacks: [6] })
  assert.deepEqual([ok, message], [false, 'aaisp has no IPv6 address, which option require wants.'])
})

test('a test that is disturbed finds nothing, and leaves the tunnel as it is wanted by then', async () => {
  const disturbed = await tried({ lns: false, probes: true }, undefined, 3000)
  assert.deepEqual([disturbed.ok, disturbed.wanted], [undefined, ['session', 'cold']])
})
