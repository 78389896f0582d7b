import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Outcome, Refusal } from '../../../src/app/answers.ts'
import { Control } from '../../../src/app/control/control.ts'
import type { ControlTarget } from '../../../src/app/control/target.ts'
import type { PathHistory } from '../../../src/core/failover/history.ts'
import { err, ok } from '../../../src/core/result.ts'
import type { StatusEvent } from '../../../src/core/status/event.ts'
import type { TunnelStatus } from '../../../src/core/status/status.ts'
import { sampleStatus, UP } from '../../core/status/status-samples.ts'
import { MemoryLog } from '../../memory-log.ts'

const HISTORY: PathHistory = {
  path: 'fibre',
  interval: 100,
  at: '2026-03-01T12:00:00.000Z',
  bins: [],
  events: [],
}

function reloaded(seq: number): StatusEvent {
  return { seq, at: '2026-03-01T12:00:00Z', event: 'reloaded', changes: [] }
}

class Target implements ControlTarget {
  readonly calls: string[] = []
  readonly listeners = new Set<(event: StatusEvent) => void>()
  outcome: Outcome = ok(undefined)
  tunnels: Readonly<Record<string, TunnelStatus>> = { aaisp: UP }
  reloading: Refusal | undefined
  record = [1, 2, 3].map(reloaded)

  status() {
    return sampleStatus(this.tunnels, { state: 'ok', path: 'aaisp' })
  }
  events() {
    return this.record
  }
  follow(listener: (event: StatusEvent) => void) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  up(tunnel: string) {
    this.calls.push(`up ${tunnel}`)
    return this.outcome
  }
  down(tunnel: string) {
    this.calls.push(`down ${tunnel}`)
    return this.outcome
  }
  reconnect(tunnel: string) {
    this.calls.push(`reconnect ${tunnel}`)
    return this.outcome
  }
  paths() {
    return ['fibre', 'aaisp']
  }
  use(path: string) {
    this.calls.push(`use ${path}`)
    return this.outcome
  }
  async drill(path: string | undefined) {
    this.calls.push(`drill ${path ?? 'the active path'}`)
    return ok({ path: 'fibre', to: 'aaisp', outage_ms: 300, return_ms: 40, standby: null })
  }
  history(path: string) {
    return path === 'fibre' || path === 'spare' ? { ...HISTORY, path } : undefined
  }
  async reload(force: boolean) {
    this.calls.push(force ? 'reload by force' : 'reload')
    return this.reloading ? err(this.reloading) : ok({ changes: ['tunnel aaisp: mtu'], warnings: [] })
  }
  async plan(): Promise<never> {
    throw new Error('a bug')
  }
}

function make() {
  const target = new Target()
  const log = new MemoryLog()
  const control = new Control(target, log)
  const sent: unknown[] = []
  let closed = false
  const handler = control.accept({
    send: (line) => {
      assert.equal(line.includes('\n'), false)
      sent.push(JSON.parse(line))
    },
    close: () => {
      closed = true
    },
  })
  const ask = async (request: unknown): Promise<unknown> => {
    sent.length = 0
    await handler.onLine(typeof request === 'string' ? request : JSON.stringify(request))
    return sent.length === 1 ? sent[0] : [...sent]
  }
  return { target, log, handler, sent, ask, closed: () => closed }
}

function call(method: string, params?: unknown) {
  return { jsonrpc: '2.0', id: 7, method, params }
}

test('a reload is forced by its own word alone', async () => {
  const { target, ask } = make()
  for (const params of [undefined, {}, { force: false }, { force: true }]) await ask(call('reload', params))
  assert.deepEqual(target.calls, ['reload', 'reload', 'reload', 'reload by force'])
  for (const params of [{ force: 1 }, { forced: true }, [true], { force: true, more: 1 }]) {
    const { error } = (await ask(call('reload', params))) as { error?: { data?: { code?: string } } }
    assert.equal(error?.data?.code, 'wrong_argument', JSON.stringify(params))
  }
  assert.equal(target.calls.length, 4)
})

test('status, version and reload give what the daemon says', async () => {
  const { target, ask } = make()
  assert.deepEqual(await ask(call('status')), {
    jsonrpc: '2.0',
    id: 7,
    result: JSON.parse(JSON.stringify(target.status())),
  })
  assert.deepEqual(await ask(call('version')), {
    jsonrpc: '2.0',
    id: 7,
    result: { version: '0.1.0', schema: 1 },
  })
  assert.deepEqual(await ask(call('reload')), {
    jsonrpc: '2.0',
    id: 7,
    result: { changes: ['tunnel aaisp: mtu'], warnings: [] },
  })
})

test('commands of the table reach the daemon, by name and by position', async () => {
  const { target, ask } = make()
  assert.deepEqual(await ask(call('down', { tunnel: 'aaisp' })), {
    jsonrpc: '2.0',
    id: 7,
    result: { tunnel: 'aaisp' },
  })
  assert.deepEqual(await ask(call('down')), { jsonrpc: '2.0', id: 7, result: { tunnel: 'aaisp' } })
  await ask(call('up', ['aaisp']))
  await ask({ jsonrpc: '2.0', method: 'reconnect', params: ['aaisp'] })
  await ask({ jsonrpc: '2.0', method: 'use', params: { path: 'auto' } })
  const drilled = await ask({ jsonrpc: '2.0', id: 9, method: 'drill' })
  const report = { path: 'fibre', to: 'aaisp', outage_ms: 300, return_ms: 40, standby: null }
  assert.deepEqual(drilled, { jsonrpc: '2.0', id: 9, result: report })
  const expected = [
    'down aaisp',
    'down aaisp',
    'up aaisp',
    'reconnect aaisp',
    'use auto',
    'drill the active path',
  ]
  assert.deepEqual(target.calls, expected)
})

test('history is given for the paths and tunnels that there are', async () => {
  const { target, ask } = make()
  const answer = (result: unknown) => ({ jsonrpc: '2.0', id: 7, result })
  assert.deepEqual(await ask(call('history', { path: 'fibre' })), answer(HISTORY))
  assert.deepEqual(await ask(call('history', ['fibre'])), answer(HISTORY))
  target.tunnels = { aaisp: UP, spare: UP }
  assert.deepEqual(await ask(call('history', ['spare'])), answer({ ...HISTORY, path: 'spare' }))
  const error = async (params?: unknown) => {
    const { code, data } = (
      (await ask(call('history', params))) as { error: { code: number; data: unknown } }
    ).error
    return [code, data]
  }
  assert.deepEqual(await error({ path: 'dsl' }), [-32005, { code: 'unknown_path' }])
  assert.deepEqual(await error(), [-32602, { code: 'missing_argument' }])
  assert.deepEqual(await error({ path: 'aaisp' }), [-32003, { code: 'refused' }])
  assert.deepEqual(target.calls, [])
})

test('errors are typed', async () => {
  const { target, log, ask } = make()
  const error = async (request: unknown) => ((await ask(request)) as { error: unknown }).error
  assert.deepEqual(await error(call('up', { tunnel: 'x' })), {
    code: -32001,
    message: 'there is no tunnel "x": configured are aaisp',
    data: { code: 'unknown_tunnel' },
  })
  assert.deepEqual(await error(call('use')), {
    code: -32602,
    message: 'use needs the argument path: configured are fibre, aaisp',
    data: { code: 'missing_argument' },
  })
  target.outcome = err({ code: 'refused', message: 'shutting down' })
  assert.deepEqual(await error(call('up', ['aaisp'])), {
    code: -32003,
    message: 'shutting down',
    data: { code: 'refused' },
  })
  target.reloading = { code: 'config_invalid', message: 'wrong', problems: ['line 3: mtu'] }
  assert.deepEqual(await error(call('reload')), {
    code: -32002,
    message: 'wrong',
    data: { code: 'config_invalid', problems: ['line 3: mtu'] },
  })
  assert.deepEqual(await error(call('toString')), { code: -32601, message: 'Method not found' })
  assert.deepEqual(await error('{'), { code: -32700, message: 'this line is not JSON' })
  assert.deepEqual(await error('[]'), { code: -32600, message: 'this is not a JSON-RPC 2.0 request' })
  assert.equal(log.lines.includes('error control request failed'), false)
})

test('a bug of ours is logged, and not told to clients', async () => {
  const { log, ask } = make()
  assert.deepEqual(await ask(call('plan')), {
    jsonrpc: '2.0',
    id: 7,
    error: { code: -32603, message: 'internal error: see the log of the daemon' },
  })
  assert.ok(log.lines.includes('error control request failed'))
})

test('a batch is answered by a batch, without notifications', async () => {
  const { ask } = make()
  const answer = await ask([call('version'), { jsonrpc: '2.0', method: 'version' }, null, 5])
  assert.deepEqual(
    (answer as { error?: { code: number } }[]).map((one) => one.error?.code ?? 'ok'),
    ['ok', -32600, -32600],
  )
  assert.equal(Array.isArray(await ask([call('version')])), true)
  assert.deepEqual(await ask([{ jsonrpc: '2.0', method: 'version' }]), [])
  assert.deepEqual(await ask(new Array(101).fill(call('version'))), {
    jsonrpc: '2.0',
    id: null,
    error: { code: -32600, message: 'this is not a JSON-RPC 2.0 request' },
  })
})

test('following: the last events, then each one once, until the client is gone', async () => {
  const { target, handler, sent, ask, closed } = make()
  const answer = (await ask(call('events', { follow: true, limit: 2 }))) as {
    result: { events: StatusEvent[] }
  }
  assert.deepEqual(
    answer.result.events.map((event) => event.seq),
    [2, 3],
  )
  await ask(call('events', { follow: true, limit: 0 }))
  assert.equal(target.listeners.size, 1)
  sent.length = 0
  for (const listener of target.listeners) listener(reloaded(4))
  assert.deepEqual(sent, [{ jsonrpc: '2.0', method: 'event', params: reloaded(4) }])
  handler.onEnd()
  assert.equal(closed(), false)
  handler.onClose()
  assert.equal(target.listeners.size, 0)
})

test('a client that only asked is let go when it has said all', async () => {
  const { handler, ask, closed } = make()
  await ask(call('events', { limit: 1 }))
  assert.deepEqual(
    ((await ask(call('events', { limit: -1 }))) as { error: { code: number } }).error.code,
    -32602,
  )
  handler.onEnd()
  assert.equal(closed(), true)
})

test('no line throws, and every answer is JSON-RPC', async () => {
  const { target, log, handler, sent } = make()
  const method = fc.oneof(
    fc.constantFrom('status', 'events', 'up', 'down', 'reload', '__proto__'),
    fc.string(),
  )
  const request = fc.record(
    { jsonrpc: fc.constantFrom('2.0', '1.0'), id: fc.jsonValue(), method, params: fc.jsonValue() },
    { requiredKeys: [] },
  )
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    request.map((value) => JSON.stringify(value)),
    fc.array(fc.oneof(request, fc.jsonValue())).map((value) => JSON.stringify(value)),
  )
  await fc.assert(
    fc.asyncProperty(line, async (text) => {
      sent.length = 0
      await handler.onLine(text)
      assert.ok(sent.length <= 1)
      for (const answer of sent.flat()) {
        const { jsonrpc, result, error } = answer as Record<string, unknown>
        assert.equal(jsonrpc, '2.0')
        assert.notEqual(result === undefined, error === undefined)
      }
    }),
    { numRuns: 2000 },
  )
  assert.equal(target.listeners.size <= 1, true)
  assert.equal(log.lines.includes('error control request failed'), false)
})
