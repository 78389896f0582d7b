import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processTerminal, type Surroundings } from '../../src/cli/terminal.ts'

/** A process whose standard output is a terminal 120 characters wide; what it does is in `done`. */
function surroundings(environment: Surroundings['environment'] = {}, isTerminal = true) {
  const done: unknown[] = []
  let fail = () => {}
  const output = {
    write: (text: string | Uint8Array) => void done.push(['out', text]),
    onGone: (run: () => void) => {
      fail = run
    },
    columns: isTerminal ? 120 : undefined,
  }
  const complaints = { write: (text: string) => void done.push(['err', text]) }
  const exit = (code: number) => void done.push(['exit', code])
  return { process: { output, complaints, environment, exit }, done, closePipe: () => fail() }
}

test('a terminal is drawn anew and painted, unless it or its user cannot have that', () => {
  const painted = (environment: Surroundings['environment'], isTerminal?: boolean) => {
    const { interactive, columns, paint } = processTerminal(surroundings(environment, isTerminal).process)
    return { interactive, columns, text: paint('good', 'up') }
  }
  assert.deepEqual(painted({}), { interactive: true, columns: 120, text: '\x1b[32mup\x1b[0m' })
  assert.deepEqual(painted({ NO_COLOR: '1' }), { interactive: true, columns: 120, text: 'up' })
  assert.deepEqual(painted({ TERM: 'dumb' }), { interactive: false, columns: 120, text: 'up' })
  assert.deepEqual(painted({}, false), { interactive: false, columns: 80, text: 'up' })
})

test('what is written goes as it is to standard output and standard error', () => {
  const { process, done } = surroundings()
  const { out, err } = processTerminal(process)
  out(Uint8Array.of(0xff))
  err('wrong\n')
  assert.deepEqual(done, [
    ['out', Uint8Array.of(0xff)],
    ['err', 'wrong\n'],
  ])
})

test('whoever closes the pipe has seen enough: the program ends, and well', () => {
  const { process, done, closePipe } = surroundings()
  processTerminal(process)
  closePipe()
  assert.deepEqual(done, [['exit', 0]])
})
