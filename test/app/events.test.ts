/** What hooks and brokers are told of a tunnel, from the store of status on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusStore } from '../../src/app/status-store.ts'
import type { Failure } from '../../src/core/failure.ts'
import { EventTranslator } from '../../src/core/homeassistant/events.ts'
import { hookEvent } from '../../src/core/hooks.ts'
import type { TunnelState } from '../../src/core/status/status.ts'
import { ofKind } from '../events.ts'
import { VirtualClock } from '../virtual-clock.ts'

const START = Date.parse('2026-03-01T12:00:00Z')
const SILENT: Failure = { code: 'silent', seconds: 10 }
const SILENCE = 'nothing arrived from the LNS for 10 s: the line to it is broken, or it was restarted'
const REFUSED: Failure = { code: 'session_refused', reason: 'busy' }

function make() {
  const store = new StatusStore(new VirtualClock({ start: 5000, wallOffset: START - 5000 }), '0.1.0')
  const section = { device: 'l2tp-a', defaultroute: true, enabled: true }
  store.configure({
    node: 'router',
    tunnels: [
      { name: 'a', ...section },
      { name: 'b', ...section },
    ],
    uplinks: [],
  })
  const translator = new EventTranslator()
  const published: string[] = []
  const hooks: string[] = []
  store.follow((event) => {
    const payload = translator.translate(event)
    if (payload?.event_type !== 'internet' && payload) published.push(JSON.stringify(payload))
    const hook = hookEvent(event, store.status())
    if (hook?.name.startsWith('tunnel'))
      hooks.push(`${hook.name} ${hook.environment.LIFELINE_PATH}: ${hook.environment.LIFELINE_CAUSE}`)
  })
  const enter = (...states: TunnelState[]) => {
    for (const state of states) store.tunnel('a', { state })
  }
  const causes = () =>
    ofKind(store.events, 'state').map(({ state, cause }) => `${state} ${cause?.code ?? '-'}`)
  return { store, published, hooks, enter, causes }
}

const AT = '"at":"2026-03-01T12:00:00.000Z"'

test('a session that fails: its end has the cause, to the letter', () => {
  const { store, published, hooks, enter } = make()
  enter('dialling', 'up')
  store.failed('a', SILENT)
  enter('waiting')
  assert.deepEqual(published, [
    `{"event_type":"tunnel_up",${AT},"tunnel":"a"}`,
    `{"event_type":"tunnel_failed",${AT},"tunnel":"a","code":"silent","message":"${SILENCE}"}`,
    `{"event_type":"tunnel_down",${AT},"tunnel":"a","code":"silent","cause":"${SILENCE}"}`,
  ])
  assert.deepEqual(hooks, ['tunnel_up a: ', `tunnel_down a: ${SILENCE}`])
})

test('a session that is ended here has no cause, whatever failed before it was up', () => {
  const { store, published, hooks, enter } = make()
  enter('dialling')
  store.failed('a', REFUSED)
  enter('waiting', 'dialling')
  store.failed('a', REFUSED)
  enter('up', 'closing', 'waiting')
  assert.equal(
    published.at(-1),
    `{"event_type":"tunnel_down",${AT},"tunnel":"a","code":"ended_here","cause":"lifeline ended the session itself"}`,
  )
  assert.deepEqual(hooks, ['tunnel_up a: ', 'tunnel_down a: '])
})

test('each state has the latest failure in the one before as its cause, and that of no other tunnel', () => {
  const { store, enter, causes } = make()
  enter('dialling')
  store.failed('a', SILENT)
  store.failed('a', REFUSED)
  store.failed('b', SILENT)
  enter('dialling', 'waiting', 'dialling', 'up')
  store.failed('a', SILENT)
  store.tunnel('a', { rtt_ms: 8 })
  enter('closing', 'waiting')
  assert.deepEqual(causes(), [
    'dialling -',
    'waiting session_refused',
    'dialling -',
    'up -',
    'closing silent',
    'waiting -',
  ])
})

test('a reload keeps the cause that is still to be told', () => {
  const { store, enter, causes } = make()
  enter('up')
  store.failed('a', SILENT)
  store.configure({
    node: 'router',
    tunnels: [{ name: 'a', device: 'l2tp-a', defaultroute: true, enabled: true }],
    uplinks: [],
  })
  enter('waiting')
  assert.equal(causes().at(-1), 'waiting silent')
})
