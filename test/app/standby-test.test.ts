import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type StandbySubject, testStandby } from '../../src/app/standby-test.ts'
import type { TunnelPath } from '../../src/app/tunnel-status.ts'
import type { Readiness } from '../../src/core/client/dialer-state.ts'
import { Network } from '../sim/network.ts'

/** A tunnel that stands by; what it was told, and what became of the test. */
async function tried(
  answers: {
    readonly lns: boolean
    readonly probes: boolean
    readonly dialable?: boolean
    readonly control?: boolean
    readonly lacks?: readonly (4 | 6)[]
  },
  line?: string,
) {
  const network = new Network(1, { delay: 10 })
  const path = {
    dialable: answers.dialable ?? true,
    session: 'none' as TunnelPath['session'],
    control: answers.control ?? false,
  }
  const wanted: Readiness[] = []
  const subject: StandbySubject = {
    name: 'aaisp',
    line,
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
      want(readiness) {
        wanted.push(readiness)
        if (readiness === 'cold') path.control = false
        if (!answers.lns) return
        path.control = readiness !== 'cold'
        path.session = readiness === 'session' ? 'up' : 'none'
      },
    },
    wanted: () => 'cold',
  }
  const found = testStandby(subject, network.clock)
  await network.run(network.now + 60_000)
  return { ...(await found), wanted }
}

test('a standby with an address of its own is dialled and probed through, and then left as it was', async () => {
  assert.deepEqual(await tried({ lns: true, probes: true }), {
    ok: true,
    message: 'aaisp works: its session came up, and its probes are answered.',
    wanted: ['session', 'cold'],
  })
})

test('where its session would take the address of a line only its LNS is asked', async () => {
  const { ok, message, wanted } = await tried({ lns: true, probes: false }, 'fibre')
  assert.equal(ok, true)
  assert.match(
    message,
    /^The LNS of aaisp answers; its session was not dialled, as it would take the address of fibre/,
  )
  assert.deepEqual(wanted, ['warm', 'cold'])
})

test('what does not work is said so', async () => {
  const silent = await tried({ lns: false, probes: true })
  assert.deepEqual([silent.ok, silent.message], [false, 'aaisp could not be dialled within 20 s.'])
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
