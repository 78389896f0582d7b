/** The synopsis of docs/cli.md is the command line, and its table of methods knows the commands. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Command } from 'commander'
import { buildProgram } from '../../src/cli/program.ts'
import { COMMANDS } from '../../src/core/commands.ts'
import { Captured } from '../cli/captured.ts'

const PAGE = readFileSync('docs/cli.md', 'utf8')
const [, synopsis = ''] = /^```\n(.*?)^```$/ms.exec(PAGE) ?? []

interface Line {
  readonly name: string
  readonly options: readonly string[]
  /** Whether each may be left out. */
  readonly arguments: readonly boolean[]
}

/** `lifeline up|down NAME [-c FILE]   what it does`, once for each name. */
const written = synopsis.split('\n').flatMap((line): Line[] => {
  const [usage = ''] = line.split(/ {2,}/)
  const [, words = '', rest = ''] = /^lifeline ((?:[a-z|]+ ?)+)(.*)$/.exec(usage) ?? []
  if (words === '') return []
  const options = [...rest.matchAll(/\[(--?[a-z-]+)(?: [^\]]*)?\]/g)].map(([, option = '']) => option)
  const positional = rest.replace(/\[-[^\]]*\]/g, '').split(' ')
  const parameters = positional.filter((word) => word !== '').map((word) => word.startsWith('['))
  return words
    .trim()
    .split('|')
    .map((name) => ({ name, options, arguments: parameters }))
})

const context = { version: '1.2.3', terminal: new Captured() } as never
const program = buildProgram(context, () => {})

/** The commands that do something, by their whole name. */
function leaves(command: Command, prefix = ''): [string, Command][] {
  const name = `${prefix}${command.name()}`
  if (command.commands.length === 0) return [[name, command]]
  return command.commands.flatMap((child) => leaves(child, `${name} `))
}

const offered = program.commands.flatMap((command) => leaves(command)).filter(([name]) => name !== 'help')

test('every command stands in the synopsis, and no other', () => {
  assert.deepEqual(written.map(({ name }) => name).sort(), offered.map(([name]) => name).sort())
})

for (const [name, command] of offered) {
  test(`the synopsis of ${name} has its arguments and options`, () => {
    const line = written.find((each) => each.name === name)
    assert.ok(line)
    assert.deepEqual(
      line.arguments,
      command.registeredArguments.map(({ required }) => !required),
    )
    // How the daemon is found is said once for all of them.
    const options = command.options.filter(({ long }) => long !== '--socket' || name === 'run')
    const missing = options.filter(
      ({ short, long }) => !line.options.includes(`${short}`) && !line.options.includes(`${long}`),
    )
    assert.deepEqual(
      missing.map(({ long }) => long),
      [],
    )
    assert.equal(line.options.length, options.length)
  })
}

test('every command of the table is a method of the control socket', () => {
  const [, methods = ''] = PAGE.split('\n## Control socket\n')
  for (const { name, arguments: parameters } of COMMANDS) {
    const row = methods.split('\n').find((line) => line.split('|')[1]?.includes(`\`${name}\``))
    assert.ok(row, name)
    for (const parameter of parameters) assert.ok(row.includes(`"${parameter.name}"`), `${name}: ${row}`)
  }
})

test('what the synopsis says of help holds: each command has an example', () => {
  for (const [name, command] of offered) {
    const terminal = new Captured()
    command.configureOutput({ writeOut: (text) => terminal.out(text) })
    command.outputHelp()
    assert.match(`${terminal.stdout()}`, new RegExp(`Examples?:\\n {2}lifeline ${name}`), name)
  }
})
