import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tunnelPatch, tunnelPath } from '../../../src/app/tunnel/tunnel-status.ts'
import type { DialerState } from '../../../src/core/client/dialer-state.ts'
import { type Attempt, Race } from '../../../src/core/client/race.ts'
import { Round } from '../../../src/core/client/round.ts'
import { millis } from '../../../src/core/time.ts'

const NOW = millis(1000)
const LATER = millis(5000)

function attemptAt(host: string, port: number, address: string, id = 1): Attempt {
  return { id, uplink: { name: 'fibre', id: 'fibre' }, server: { host, port }, address }
}

function race(...attempts: Attempt[]): Race {
  const made = new Race(new Round(NOW, [], [], false))
  for (const attempt of attempts) made.start(attempt)
  return made
}

function patch(dialer: DialerState, { disabled = false, applied = false } = {}) {
  const phases = new Map([[2, 'authenticating' as const]])
  return tunnelPatch({ dialer, disabled, phases, applied, dials: 0, session: undefined })
}

test('the server has its address, and its port if that is not the usual one', () => {
  const shown = (...where: [string, number, string]) =>
    patch({ name: 'recalling', at: LATER, attempt: attemptAt(...where) }).server
  assert.equal(shown('lns.example', 1701, '192.0.2.1'), 'lns.example (192.0.2.1)')
  assert.equal(shown('lns.example', 1702, '192.0.2.1'), 'lns.example:1702 (192.0.2.1)')
  assert.equal(shown('192.0.2.1', 1701, '192.0.2.1'), '192.0.2.1')
  assert.equal(shown('192.0.2.1', 1702, '192.0.2.1'), '192.0.2.1:1702')
  assert.equal(shown('2001:db8::1', 1702, '2001:db8::1'), '[2001:db8::1]:1702')
})

const FIRST = attemptAt('lns1.example', 1701, '192.0.2.1', 1)
const SECOND = attemptAt('lns2.example', 1701, '192.0.2.2', 2)
const FIRST_SERVER = 'lns1.example (192.0.2.1)'
const SECOND_SERVER = 'lns2.example (192.0.2.2)'
const OPEN = { name: 'open', attempt: FIRST, session: true, since: NOW, going: undefined } as const

/** What the dialer does, and the state, the time of the next try and the server that users see then. */
const SHOWN: readonly [
  what: string,
  dialer: DialerState,
  state: string,
  retryAt: number | null,
  server?: string,
][] = [
  ['cold', { name: 'cold' }, 'waiting', null],
  ['without an uplink', { name: 'stranded' }, 'waiting', null],
  ['between two rounds', { name: 'waiting', until: LATER }, 'waiting', LATER],
  ['before an attempt', { name: 'dialling', race: race(), opened: undefined }, 'resolving', null],
  [
    'racing',
    { name: 'dialling', race: race(FIRST, SECOND), opened: undefined },
    'dialling',
    null,
    FIRST_SERVER,
  ],
  [
    'decided',
    { name: 'dialling', race: race(FIRST, SECOND), opened: SECOND },
    'authenticating',
    null,
    SECOND_SERVER,
  ],
  ['warm', { ...OPEN, session: false }, 'waiting', null, FIRST_SERVER],
  ['up, not applied', OPEN, 'configuring', null, FIRST_SERVER],
  ['before a new call', { name: 'recalling', attempt: FIRST, at: LATER }, 'waiting', LATER, FIRST_SERVER],
  ['closing', { name: 'closing', ids: new Set([1]), until: LATER }, 'closing', null],
]

for (const [what, dialer, state, retryAt, server] of SHOWN) {
  test(`a tunnel that is ${what} is shown as ${state}`, () => {
    const { state: shown, retry_at, server: dialled } = patch(dialer)
    assert.deepEqual([shown, retry_at, dialled], [state, retryAt, server])
  })
}

test('a tunnel is up once its session is applied, and disabled while it is cold', () => {
  assert.equal(patch(OPEN, { applied: true }).state, 'up')
  assert.equal(patch({ name: 'cold' }, { disabled: true }).state, 'disabled')
})

test('a tunnel has failed when it waits for its next try, not when it waits for an uplink', () => {
  const fixed = {
    device: 'l2tp-a',
    dialable: true,
    idleClosed: 0,
    control: false,
    heardAt: undefined,
    applied: false,
  }
  const failed = ({ 1: dialer }: (typeof SHOWN)[number]) =>
    tunnelPath({ ...fixed, dialer, session: undefined, lastAddress: undefined }).failed
  assert.deepEqual(
    SHOWN.filter(failed).map(([what]) => what),
    ['between two rounds', 'before a new call'],
  )
})
