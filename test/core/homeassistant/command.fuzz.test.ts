import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { COMMANDS } from '../../../src/core/commands.ts'
import { readCommand } from '../../../src/core/homeassistant/command.ts'
import { Topics } from '../../../src/core/homeassistant/topics.ts'

const RUNS = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)
const topics = new Topics('lifeline/router')
const names = { tunnels: ['aaisp'], paths: ['fibre', 'aaisp'] }
const allowed = ['up', 'use', 'drill']
const word = fc.constantFrom(
  'up',
  'down',
  'use',
  'drill',
  'tunnel',
  'path',
  'aaisp',
  'auto',
  'command',
  '__proto__',
  'x',
)
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map((text) => new TextEncoder().encode(text)),
  fc
    .dictionary(word, fc.oneof(word, fc.jsonValue()))
    .map((value) => new TextEncoder().encode(JSON.stringify(value))),
)
const topic = fc.oneof(
  fc.string({ maxLength: 60 }),
  word.map((name) => topics.command(name)),
  fc.constant(topics.commands),
)

test('whatever arrives is a command that is allowed, or refused in words', () => {
  let done = 0
  fc.assert(
    fc.property(topic, payload, (where, what) => {
      const read = readCommand(topics, where, what, allowed, names)
      if (!read.ok) {
        assert.ok(read.error.message.length > 0 && read.error.command.length <= 40)
        return
      }
      done++
      const { command, arguments: values } = read.value
      assert.ok(allowed.includes(command))
      const known = COMMANDS.find(({ name }) => name === command)
      for (const [name, value] of Object.entries(values)) {
        assert.ok(known?.arguments.some((argument) => argument.name === name))
        assert.ok([...names.tunnels, ...names.paths, 'auto'].includes(value))
      }
    }),
    { numRuns: RUNS },
  )
  assert.ok(done > 10, `only ${done} were commands`)
})
