import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '../../../src/core/bytes.ts'
import { Utf8Decoder } from '../../../src/core/utf8-decoder.ts'
import { system } from '../../../src/host/system/engine.ts'
import type { Program, ProgramOptions } from '../../../src/host/system/port.ts'
import { later, pause } from '../../../src/host/timers.ts'

const { programs, files } = system
const PATH = system.process.environment.PATH

interface Run {
  readonly program: Program
  readonly said: () => string
  readonly complained: () => string
}

async function start(
  name: string,
  args: readonly string[],
  options: Partial<ProgramOptions> = {},
): Promise<Run> {
  const [output, complaints] = [new Utf8Decoder(), new Utf8Decoder()]
  let [said, complained] = ['', '']
  const program = await programs.start(name, args, {
    environment: { PATH },
    input: new Uint8Array(),
    onOutput: (octets) => {
      said += output.push(octets)
    },
    onComplaint: (octets) => {
      complained += complaints.push(octets)
    },
    ...options,
  })
  return { program, said: () => said, complained: () => complained }
}

const sh = (script: string, options?: Partial<ProgramOptions>) => start('sh', ['-c', script], options)

test('a program gets its arguments, its input and its environment as they are, and tells how it ended', async () => {
  const { program, said, complained } = await start(
    'sh',
    ['-c', 'printf "%s|" "$@"; cat; printf "%s" "$ONLY$HOME"; echo wrong >&2; exit 3', 'sh', 'a b', '$(x)'],
    { environment: { PATH, ONLY: 'this ', ABSENT: undefined }, input: encodeUtf8('input ') },
  )
  assert.deepEqual(await program.ended, { status: 3 })
  await program.closed
  assert.equal(said(), 'a b|$(x)|input this ')
  assert.equal(complained(), 'wrong\n')
})

test('one that was killed says by which signal; it is in the folder that was asked for', async () => {
  const { program, said } = await sh('pwd; kill -TERM $$', { folder: '/proc' })
  assert.deepEqual(await program.ended, { signal: 'SIGTERM' })
  await program.closed
  assert.equal(said(), '/proc\n')
  program.signal('SIGKILL')
})

test('long input and output neither block nor lose anything; who does not read is no error', async () => {
  const long = encodeUtf8('0123456789'.repeat(100_000))
  const { program, said } = await sh('cat', { input: long })
  await program.closed
  assert.equal(said().length, long.length)
  const deaf = await sh('exec true', { input: long })
  assert.deepEqual(await deaf.program.ended, { status: 0 })
  await deaf.program.closed
})

test('what cannot be started is told before anything runs', async () => {
  await assert.rejects(start('lifeline-no-such-program', []), { name: 'SystemError', code: 'ENOENT' })
  await assert.rejects(start('/proc/self/stat', []), { name: 'SystemError', code: 'EACCES' })
  await assert.rejects(start('sh', [], { environment: { PATH: '/nowhere' } }), { code: 'ENOENT' })
})

test('the end of a program is told although others hold its output open, which can be let go', async () => {
  const { program, said } = await sh('sleep 61 & echo $!')
  assert.deepEqual(await program.ended, { status: 0 })
  let closed = false
  void program.closed.then(() => {
    closed = true
  })
  await pause(50)
  assert.equal(closed, false)
  program.release()
  await program.closed
  const pid = Number(said())
  assert.ok(files.look(`/proc/${pid}`))
  const { program: killer } = await sh(`kill ${pid}`)
  await killer.ended
})

test('a signal reaches all of a group whose leader it is', async () => {
  const { program, said } = await sh('sleep 62 & sleep 63', { leads: true })
  await pause(100)
  program.signal('SIGTERM')
  assert.deepEqual(await program.ended, { signal: 'SIGTERM' })
  // Its output ends only once the other one is gone too.
  const patience = later(10_000, () => program.release())
  await program.closed
  patience()
  assert.equal(said(), '')
  program.signal('SIGKILL')
})
