/** The machines themselves, in every state of their tables and with every input: both enter what the table says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Calls } from '../../../src/core/l2tp/calls.ts'
import { timeoutCause } from '../../../src/core/l2tp/cause.ts'
import {
  type SessionInput,
  type SessionStateName,
  sessionTransition,
} from '../../../src/core/l2tp/session-machine.ts'
import { newSession, type SessionState } from '../../../src/core/l2tp/session-state.ts'
import { Tunnel } from '../../../src/core/l2tp/tunnel.ts'
import {
  type TunnelInput,
  type TunnelStateName,
  tunnelTransition,
} from '../../../src/core/l2tp/tunnel-machine.ts'
import type { L2tpEvent } from '../../../src/core/l2tp/types.ts'
import { millis } from '../../../src/core/time.ts'
import { options } from './pair.ts'

const NOW = millis(1000)

/** The inputs that lead from idle to each state. */
const WAYS: Readonly<Record<TunnelStateName, readonly TunnelInput[]>> = {
  idle: [],
  waitCtlReply: ['open'],
  waitCtlConn: ['sccrq'],
  established: ['open', 'sccrp'],
  abandoned: ['open', 'close'],
  stopped: ['open', 'sccrp', 'close'],
}

const TUNNEL_INPUTS: Readonly<Record<TunnelInput, true>> = {
  open: true,
  close: true,
  sccrq: true,
  sccrqBad: true,
  sccrqTieLost: true,
  sccrp: true,
  sccrpBad: true,
  scccn: true,
  scccnBad: true,
  stopCcn: true,
  invalid: true,
  expired: true,
  dead: true,
}

const SESSION_STATES: Readonly<Record<SessionStateName, SessionState>> = {
  idle: { name: 'idle' },
  waitTunnel: { name: 'waitTunnel' },
  waitReply: { name: 'waitReply', until: millis(5000) },
  waitConnect: { name: 'waitConnect', until: millis(5000) },
  established: { name: 'established' },
}

const SESSION_INPUTS: Readonly<Record<SessionInput, true>> = {
  call: true,
  tunnelOpen: true,
  icrq: true,
  icrqBad: true,
  icrp: true,
  icrpBad: true,
  iccn: true,
  iccnBad: true,
  cdn: true,
  invalid: true,
  clear: true,
  tunnelClosed: true,
  expired: true,
}

/** A tunnel with its calls, joined as by the endpoint, and what they told. */
function machines(role: 'lac' | 'lns') {
  const events: L2tpEvent[] = []
  const emit = (event: L2tpEvent) => {
    events.push(event)
  }
  const tunnel: Tunnel = new Tunnel(options(role), {
    emit,
    tunnelOpened: (now) => calls.tunnelOpened(now),
    tunnelClosed: (now, cause) => calls.tunnelClosed(now, cause),
    sessionMessage: (now, message) => calls.receive(now, message),
  })
  const calls = new Calls(options(role), tunnel, emit)
  return { tunnel, calls, events }
}

for (const state of keys(WAYS)) {
  test(`a tunnel in ${state} enters what the table says, at every input`, () => {
    for (const input of keys(TUNNEL_INPUTS)) {
      const { tunnel } = machines('lac')
      for (const step of WAYS[state]) tunnel.step(NOW, step)
      assert.equal(tunnel.state, state)
      tunnel.step(NOW, input)
      assert.equal(tunnel.state, tunnelTransition(state, input).next, `${state}, ${input}`)
    }
  })
}

test('a late answer to an SCCRQ is awaited for 31 s, and is of no interest then', () => {
  const { tunnel, events } = machines('lac')
  for (const step of WAYS.abandoned) tunnel.step(NOW, step)
  assert.equal(tunnel.deadline, NOW + 31_000)
  events.length = 0
  tunnel.timeout(millis(NOW + 30_999))
  assert.deepEqual([tunnel.state, events], ['abandoned', []])
  tunnel.timeout(millis(NOW + 31_000))
  assert.deepEqual(
    [tunnel.state, tunnel.deadline, events],
    ['stopped', undefined, [{ type: 'finished', acknowledged: false }]],
  )
})

for (const role of ['lac', 'lns'] as const) {
  for (const state of keys(SESSION_STATES)) {
    test(`a session of the ${role} in ${state} enters what the table says, at every input`, () => {
      for (const input of keys(SESSION_INPUTS)) {
        const { calls, events } = machines(role)
        const session = newSession(5, 7)
        session.state = SESSION_STATES[state]
        calls.step(NOW, session, input)
        const { next } = sessionTransition(role, state, input)
        assert.equal(session.state.name, next, `${role}, ${state}, ${input}`)
        // What is entered is kept, so that it ends with the tunnel; what is idle is not.
        const entered = next !== 'idle' && next !== state
        events.length = 0
        calls.tunnelClosed(NOW, timeoutCause('tunnel', 'open', 'acknowledgement', 6))
        assert.deepEqual(
          events.map(({ type }) => type),
          entered ? ['sessionClosed'] : [],
        )
      }
    })
  }
}

function keys<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[]
}
