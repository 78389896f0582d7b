/** Completion in the shells themselves, and the manual page as man shows it; all made of the command line. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { manual } from '../../.tools/docs.ts'
import { allCommands, commandWords } from '../../src/cli/command-words.ts'
import { completionScript, type Shell } from '../../src/cli/completion-scripts.ts'
import { buildProgram, runCli } from '../../src/cli/program.ts'
import { sampleStatus, UP } from '../core/status/status-samples.ts'
import { Captured } from './captured.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-completion-'))
after(() => rmSync(folder, { recursive: true }))

// What the scripts ask for names.
const program = join(folder, 'lifeline')
writeFileSync(
  program,
  '#!/bin/sh\ncase $2 in tunnels) echo aaisp; echo spare ;; paths) echo fibre; echo aaisp ;; esac\n',
)
chmodSync(program, 0o755)
writeFileSync(join(folder, 'my.json'), '{}')

const context = { version: '1.2.3', terminal: new Captured() } as never
const words = commandWords(buildProgram(context, () => {}))

function script(shell: Shell): string {
  const file = join(folder, `completion.${shell}`)
  writeFileSync(file, completionScript(shell, words))
  return file
}

function run(command: string, args: readonly string[]): string {
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env.PATH}`,
    HOME: folder,
    TERM: 'dumb',
    LC_ALL: 'C.UTF-8',
  }
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' })
  assert.equal(error, undefined, `${command} is needed: node --import tsx test/net/install.ts`)
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '')
  return stdout
}

/** What a shell offers for a line, sorted. */
const complete: Readonly<Record<Shell, (line: string) => string[]>> = {
  bash(line) {
    const typed = line.split(' ')
    const text = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lifeline; printf '%s\\n' "\${COMPREPLY[@]}"`
    return lines(run('bash', ['--norc', '-c', text, 'bash', script('bash'), ...typed]))
  },
  fish(line) {
    const text = `source ${script('fish')}; complete -C '${line}'`
    return lines(run('fish', ['--no-config', '-c', text])).map((each) => each.split('\t')[0] ?? '')
  },
  // compadd and its like only work while a key is served; what they would add is told instead.
  zsh(line) {
    const text = `
      compdef() { :; }
      compadd() { shift; print -l -- "$@"; }
      _files() { print -l -- *(N); }
      _describe() { local name=$2; print -l -- \${\${(P)name}%%:*}; }
      source ${script('zsh')}
      words=("\${(@s: :)1}"); CURRENT=$#words; PREFIX=$words[CURRENT]
      _lifeline`
    const [, ...typed] = line.split(' ')
    const offered = lines(run('zsh', ['-f', '-c', text, 'zsh', line]))
    return offered.filter((word) => word.startsWith(typed.at(-1) ?? ''))
  },
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

for (const shell of ['bash', 'zsh', 'fish'] as const)
  describe(`in ${shell}`, () => {
    const offers = (line: string) => [...new Set(complete[shell](line))].sort()

    test('all commands are offered, and those of two words', () => {
      const names = words.children.map(({ name }) => name).sort()
      assert.deepEqual(
        offers('lifeline ').filter((word) => !word.startsWith('-')),
        names,
      )
      assert.deepEqual(offers('lifeline sta'), ['status'])
      assert.deepEqual(offers('lifeline mqtt te'), ['test'])
    })

    test('options are those of the command', () => {
      assert.deepEqual(offers('lifeline status --'), [
        '--exit-code',
        '--help',
        '--json',
        '--socket',
        '--watch',
      ])
      assert.deepEqual(offers('lifeline mqtt test --'), ['--config', '--help', '--json'])
      assert.deepEqual(offers('lifeline reload --f'), ['--force'])
    })

    test('values are words, files, or names that the daemon knows', () => {
      assert.deepEqual(offers('lifeline check --format '), ['json', 'uci'])
      assert.deepEqual(
        offers('lifeline check -c my').map((word) => word.trim()),
        ['my.json'],
      )
      assert.deepEqual(offers('lifeline check my'), ['my.json'])
      assert.deepEqual(offers('lifeline up s'), ['spare'])
      assert.deepEqual(
        offers('lifeline use ').filter((word) => !word.startsWith('-')),
        ['aaisp', 'fibre'],
      )
      assert.deepEqual(offers('lifeline help dr'), ['drill'])
      assert.deepEqual(offers('lifeline completion f'), ['fish'])
    })

    test('every command is known', () => {
      for (const { name } of allCommands(words).filter(({ children }) => children.length === 0))
        assert.ok(offers(`lifeline ${name} --h`).includes('--help'), name)
    })
  })

test('the scripts are right to the shells and to shellcheck', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) run(shell, ['-n', script(shell)])
  run('shellcheck', ['-s', 'bash', script('bash')])
})

test('the names are those of the daemon, and none without one', async () => {
  const status = sampleStatus({ aaisp: UP, spare: UP }, { state: 'ok', path: 'aaisp' })
  const connection = { request: async () => status, closed: Promise.resolve(), close() {} }
  for (const [connect, expected] of [
    [async () => connection, 'aaisp\nspare\n'],
    [() => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })), ''],
  ] as const) {
    const terminal = new Captured()
    assert.equal(await runCli(['completion', 'tunnels'], { version: '1', terminal, connect } as never), 0)
    assert.equal(terminal.stdout().toString(), expected)
    assert.equal(terminal.stderr(), '')
  }
})

describe('the manual page', () => {
  test('is that of `npm run docs`', () => {
    assert.equal(readFileSync('docs/lifeline.8', 'utf8'), manual())
  })

  test('is shown by man without a complaint, with every command and its options', () => {
    const file = join(process.cwd(), 'docs/lifeline.8')
    const shown = run('man', ['--warnings', '--nj', '--nh', '-P', 'cat', '-l', file]).replaceAll(/\s+/g, ' ')
    for (const { name, options, children } of allCommands(words).filter(({ name }) => name !== '')) {
      if (children.length > 0) continue
      assert.ok(shown.includes(`lifeline ${name}`), name)
      for (const { usage, flags } of options)
        assert.ok(flags.includes('--help') || shown.includes(usage), `${name} ${usage}`)
    }
  })
})
