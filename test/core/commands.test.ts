import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { COMMANDS, type Command, readArguments } from '../../src/core/commands.ts'

const UP: Command = COMMANDS[0]
const NAMES = { tunnels: ['aaisp', 'spare'], paths: [] }

function refusal(params: unknown, names = NAMES): string {
  const read = readArguments(UP, params, names)
  if (read.ok) assert.fail('accepted')
  return `${read.error.code}: ${read.error.message}`
}

test('arguments come by name or by position', () => {
  assert.deepEqual(readArguments(UP, { tunnel: 'spare' }, NAMES), { ok: true, value: { tunnel: 'spare' } })
  assert.deepEqual(readArguments(UP, ['spare'], NAMES), { ok: true, value: { tunnel: 'spare' } })
})

test('the only tunnel need not be named where that is wanted, and no other thing is guessed', () => {
  const one = { tunnels: ['aaisp'], paths: ['aaisp'] }
  for (const params of [undefined, {}, []])
    assert.deepEqual(readArguments(UP, params, one, { sole: true }), {
      ok: true,
      value: { tunnel: 'aaisp' },
    })
  assert.equal(readArguments(UP, {}, one).ok, false)
  const use: Command = COMMANDS[3]
  assert.equal(use.name, 'use')
  assert.equal(readArguments(use, {}, one, { sole: true }).ok, false)
})

test('what is wrong with them is said in words', () => {
  const missing = 'missing_argument: up needs the argument tunnel: configured are aaisp, spare'
  for (const params of [undefined, {}, []]) assert.equal(refusal(params), missing)
  assert.equal(
    refusal({}, { tunnels: [], paths: [] }),
    'missing_argument: up needs the argument tunnel: none is configured',
  )
  assert.equal(refusal('spare'), 'wrong_argument: the arguments of up must be an object')
  assert.equal(refusal({ tunnel: 1 }), 'wrong_argument: the argument tunnel must be a text')
  assert.equal(
    refusal({ tunnel: 'x' }),
    'unknown_tunnel: there is no tunnel "x": configured are aaisp, spare',
  )
  assert.equal(
    refusal({ tunnel: 'x' }, { tunnels: [], paths: [] }),
    'unknown_tunnel: there is no tunnel "x": none is configured',
  )
  assert.equal(refusal({ tunnel: 'spare', force: true }), 'unknown_argument: up has no argument "force"')
  assert.equal(refusal(['spare', 'now']), 'unknown_argument: up has no argument "number 2"')
})

test('no JSON value throws or names a tunnel that there is not', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (params) => {
      const read = readArguments(UP, params, NAMES)
      if (read.ok) assert.ok(NAMES.tunnels.includes(read.value.tunnel ?? ''))
      else assert.ok(read.error.message.length < 200)
    }),
  )
})

test('names are unique', () => {
  assert.equal(new Set(COMMANDS.map((command) => command.name)).size, COMMANDS.length)
})
