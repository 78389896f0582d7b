import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { LineLog } from '../../../src/app/log.ts'
import type { HookEvent } from '../../../src/core/hooks.ts'
import { HookFolder } from '../../../src/host/hook-runner.ts'
import { waitFor } from '../wait.ts'

const root = mkdtempSync(join(tmpdir(), 'lifeline-hooks-'))
after(() => rmSync(root, { recursive: true }))

const EVENT: HookEvent = {
  name: 'failover',
  environment: { LIFELINE_EVENT: 'failover', LIFELINE_PATH: 'aaisp' },
}

let folders = 0

function make(limits = { patience: 5000, grace: 5000 }) {
  const folder = join(root, `${++folders}`, 'hooks.d')
  mkdirSync(folder, { recursive: true })
  const lines: string[] = []
  const log = new LineLog({ level: 'debug', style: 'daemon', write: (line) => lines.push(line.trimEnd()) })
  const runner = new HookFolder(log, folder, limits)
  const file = (name: string, body: string, mode = 0o755) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`)
    chmodSync(join(folder, name), mode)
  }
  const run = (signal = new AbortController().signal) => runner.run(EVENT, signal)
  return { folder, lines, file, run }
}

test('without a folder nothing runs, and nothing is said', async () => {
  const { folder, lines, run } = make()
  rmSync(folder, { recursive: true })
  await run()
  assert.deepEqual(lines, [])
})

test('hooks run one after the other in the order of their names, with their output in the log', async () => {
  const { lines, file, run } = make()
  file('20-second', 'echo "two $1"; echo problem >&2')
  file('10-first.sh', 'sleep 0.2; echo "one $LIFELINE_PATH"; printf unfinished')
  await run()
  const begin = (hook: string) => `info: hook says hook=${hook} event=failover line=`
  assert.deepEqual(lines.slice(0, 2), [
    `${begin('10-first.sh')}"one aaisp"`,
    `${begin('10-first.sh')}unfinished`,
  ])
  assert.deepEqual(lines.slice(2).sort(), [
    `${begin('20-second')}"two failover"`,
    `${begin('20-second')}problem`,
  ])
})

test('the environment holds nothing but the event and a PATH; standard input is empty', async () => {
  const { folder, file, run } = make()
  process.env.LIFELINE_TEST_PASSWORD = 'hunter2'
  const out = join(folder, '..', 'out')
  file('hook', `{ env | sort; cat | wc -c; pwd; } >${out}`)
  await run()
  delete process.env.LIFELINE_TEST_PASSWORD
  const lines = readFileSync(out, 'utf8').trim().split('\n')
  assert.deepEqual(lines.slice(-2), ['0', '/'])
  const names = lines.slice(0, -2).map((line) => line.split('=')[0] ?? '')
  const ofShell = ['_', 'OLDPWD', 'PWD', 'SHLVL']
  assert.deepEqual(
    names.filter((name) => !ofShell.includes(name)),
    ['LIFELINE_EVENT', 'LIFELINE_PATH', 'PATH'],
  )
})

test('what everyone could have put there, is no program or a leftover does not run; that is said once', async () => {
  const { folder, lines, file, run } = make()
  const marker = join(folder, '..', 'ran')
  file('world', `touch ${marker}`, 0o757)
  file('group', `touch ${marker}`, 0o775)
  chownSync(join(folder, 'group'), 0, 12_345)
  file('stranger', `touch ${marker}`)
  chownSync(join(folder, 'stranger'), 12_345, 0)
  file('README', `touch ${marker}`, 0o644)
  file('notify.dpkg-dist', `touch ${marker}`)
  file('notify~', `touch ${marker}`)
  file('.hidden', `touch ${marker}`)
  mkdirSync(join(folder, 'sub'))
  symlinkSync('/nonexistent', join(folder, 'dangling'))
  await run()
  await run()
  assert.equal(existsSync(marker), false)
  const reasons = lines.map((line) => {
    const [, name = '', reason = ''] =
      /^warn: left out of the hooks path=\S*\/(\S+) reason="(.*)"$/.exec(line) ?? []
    return [name, reason] as const
  })
  assert.deepEqual(Object.fromEntries(reasons), {
    world: 'everyone may write it',
    group: 'a group other than root may write it',
    stranger: 'it does not belong to root',
    README: 'it is not executable',
    'notify.dpkg-dist': 'its name is that of a leftover',
    'notify~': 'its name is that of a leftover',
    sub: 'it is no regular file',
    dangling: 'it cannot be looked at (ENOENT)',
  })
  assert.equal(lines.length, 8)
})

test('a link to a program that is in order runs: on NixOS all of /etc is links', async () => {
  const { folder, lines, file, run } = make()
  file('real', 'echo linked')
  mkdirSync(join(folder, '..', 'store'))
  const store = join(folder, '..', 'store', 'real')
  writeFileSync(store, '#!/bin/sh\necho from afar\n')
  chmodSync(store, 0o555)
  symlinkSync(store, join(folder, 'a-link'))
  await run()
  assert.deepEqual(
    lines.map((line) => line.split('line=')[1]),
    ['"from afar"', 'linked'],
  )
})

test('a folder that everyone may write runs nothing', async () => {
  const { folder, lines, file, run } = make()
  file('hook', 'echo ran')
  chmodSync(folder, 0o777)
  await run()
  assert.equal(lines.length, 1)
  assert.match(
    lines[0] ?? '',
    /^warn: left out of the hooks path=\S+hooks\.d reason="everyone may write it"$/,
  )
})

test('one that fails or cannot be started is told, and the next one runs', async () => {
  const { lines, file, folder, run } = make()
  file('1-fails', 'exit 3')
  file('2-dies', 'kill -KILL $$')
  writeFileSync(join(folder, '3-broken'), '#!/nonexistent/interpreter\n', { mode: 0o755 })
  file('4-works', 'echo works')
  await run()
  assert.match(lines[0] ?? '', /^warn: a hook failed hook=1-fails event=failover status=3$/)
  assert.match(lines[1] ?? '', /^warn: a hook was ended by a signal hook=2-dies .*signal=SIGKILL$/)
  assert.match(lines[2] ?? '', /^warn: a hook could not be started hook=3-broken .*ENOENT/)
  assert.match(lines[3] ?? '', /works$/)
  assert.equal(lines.length, 4)
})

test('one that takes too long is ended, with what it started', async () => {
  const { folder, lines, file, run } = make({ patience: 3000, grace: 300 })
  const out = join(folder, '..', 'pids')
  file('1-polite', `trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done`)
  file('2-deaf', `trap '' TERM; sleep 61 & echo $! $$ >${out}; while :; do sleep 0.05; done`)
  file('3-next', 'echo next')
  await run()
  const warned = lines.filter((line) => line.startsWith('warn: a hook took too long'))
  assert.equal(warned.length, 2)
  assert.ok(lines.some((line) => line.endsWith('line=asked')))
  assert.ok(lines.at(-1)?.endsWith('line=next'))
  const pids = readFileSync(out, 'utf8').trim().split(' ')
  await waitFor('the end of what it started', () => pids.every((pid) => !running(pid)))
})

test('what a hook leaves in the background holds nothing up', async () => {
  const { folder, lines, file, run } = make()
  const out = join(folder, '..', 'pid')
  file('hook', `sleep 62 & echo $! >${out}; echo done`)
  await run()
  assert.ok(lines[0]?.endsWith('line=done'))
  const pid = readFileSync(out, 'utf8').trim()
  assert.ok(running(pid), 'it is left alone')
  process.kill(Number(pid))
})

test('one that talks without end fills neither log nor memory', async () => {
  const { lines, file, run } = make()
  file('hook', 'yes | head -c 3000000; head -c 3000000 /dev/zero | tr "\\0" x')
  await run()
  assert.equal(lines.length, 101)
  assert.match(lines.at(-1) ?? '', /what it says after this is left out/)
})

test('aborting ends the one that runs and leaves out the others', async () => {
  const { folder, lines, file, run } = make()
  const begun = join(folder, '..', 'begun')
  file('1-slow', `touch ${begun}; sleep 63`)
  file('2-never', 'echo never')
  const aborting = new AbortController()
  const ended = run(aborting.signal)
  await waitFor('the hook to run', () => existsSync(begun))
  aborting.abort()
  await ended
  assert.match(lines.join('\n'), /^warn: a hook took too long and was ended hook=1-slow event=failover$/)
})

/** A zombie has ended: in a container there may be nobody who reaps it. */
function running(pid: string): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
