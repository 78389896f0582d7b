import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processTerminal, type Surroundings } from '../../src/cli/terminal.ts'

/** A process whose standard output is a terminal 120 characters wide; what it does is in `done`. */
function surroundings(env: Surroundings['env'] = {}, isTTY = true) {
  const done: unknown[] = []
  let fail = () => {}
  const stdout = {
    write: (text: string | Uint8Array) => done.push(['out', text]),
    on: (_event: 'error', run: () => void) => {
      fail = run
    },
    isTTY,
    ...(isTTY && { columns: 120 }),
  }
  const stderr = { write: (text: string) => done.push(['err', text]) }
  const exit = (code: number) => done.push(['exit', code])
  return { process: { stdout, stderr, env, exit }, done, closePipe: () => fail() }
}

test('a terminal is drawn anew and painted, unless it or its user cannot have that', () => {
  const painted = (env: Surroundings['env'], isTTY?: boolean) => {
    const { interactive, columns, paint } = processTerminal(surroundings(env, isTTY).process)
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
