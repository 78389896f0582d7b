import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { LineLog } from '../../../src/app/log.ts'
import { lockNamespace, type NamespaceLock } from '../../../src/host/namespace-lock.ts'
import { loadAddon } from '../../../src/host/native.ts'

const name = `lifelinetest${process.pid}`
const module = (file: string) => JSON.stringify(new URL(`../../../src/host/${file}`, import.meta.url).href)
/** nobody, and the user of a service. */
const STRANGER = 65534
const SERVICE = 61234

const folder = mkdtempSync(join(tmpdir(), 'lifeline-lock-'))
chownSync(folder, SERVICE, SERVICE)
after(() => rmSync(folder, { recursive: true }))

/** A daemon as far as the lock is concerned. Says `held`, or why not. */
const HOLD = `
  import { lockNamespace } from ${module('namespace-lock.ts')}
  import { LineLog } from ${module('../app/log.ts')}
  import { loadAddon } from ${module('native.ts')}
  const log = new LineLog({ level: 'info', style: 'daemon', write: () => {} })
  lockNamespace({ sockets: [], log, addon: loadAddon(), name: process.argv.at(-1) }).then(
    () => { console.log('held'); setInterval(() => {}, 1000) },
    (error) => console.log(error.message))
`
/** Somebody who has nothing to do with lifeline. */
const SIT = `
  const names = process.argv.slice(1)
  const servers = names.map((name) => require('node:net').createServer().listen({ path: '\\0' + name, backlog: 1 }))
  Promise.all(servers.map((server) => require('node:events').once(server, 'listening'))).then(() => console.log('sitting'))
`
/** The same who accepts nobody: what waits for it stays there. */
const DEAF = `${SIT.replace("console.log('sitting')", "require('node:fs').writeSync(1, 'sitting\\n')")}.then(
  () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))`

const children: ChildProcess[] = []
const locks: NamespaceLock[] = []

afterEach(async () => {
  for (const lock of locks.splice(0)) lock.release()
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

async function start(
  command: readonly string[],
  uid?: number,
): Promise<{ child: ChildProcess; said: string }> {
  const [program = '', ...args] = command
  const user = uid === undefined ? {} : { uid, gid: uid }
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: uid === undefined ? undefined : '/',
    ...user,
  })
  children.push(child)
  const [said] = await once(child.stdout, 'data')
  return { child, said: String(said).trim() }
}

const daemon = (prefix: readonly string[] = []) =>
  start([...prefix, process.execPath, '--import', 'tsx', '--input-type=module', '-e', HOLD, name])
const sit = (uid: number, names: readonly string[], script = SIT) =>
  start([process.execPath, '-e', script, ...names], uid)

/** The lock in this process, and what was said. */
async function take(sockets: readonly string[] = []): Promise<string[]> {
  const lines: string[] = []
  const log = new LineLog({ level: 'info', style: 'daemon', write: (line) => lines.push(line) })
  locks.push(await lockNamespace({ sockets, log, addon: loadAddon(), name }))
  return lines
}

const refusedBecauseOf = (child: ChildProcess) => ({
  code: 'EADDRINUSE',
  message: `another lifeline (process ${child.pid}) already works in this network namespace: stop it first`,
})

test('one per network namespace: refused with the number of the holder, free again after its death', async () => {
  const { child, said } = await daemon()
  assert.equal(said, 'held')
  await assert.rejects(take(), refusedBecauseOf(child))
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.deepEqual(await take(), [])
})

test('another network namespace has a lock of its own', async () => {
  const netns = `llcli${process.pid}`
  await take()
  execFileSync('ip', ['netns', 'add', netns])
  try {
    assert.equal((await daemon(['ip', 'netns', 'exec', netns])).said, 'held')
  } finally {
    execFileSync('ip', ['netns', 'del', netns])
  }
})

test('another user who has the name costs a warning, and the next daemon is refused all the same', async () => {
  const stranger = await sit(STRANGER, [name])
  const { child, said } = await daemon()
  assert.equal(said, 'held')
  await assert.rejects(take(), refusedBecauseOf(child))
  // The name is free again, but not the namespace.
  stranger.child.kill('SIGKILL')
  await once(stranger.child, 'exit')
  await assert.rejects(take(), refusedBecauseOf(child))
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.deepEqual(await take(), [])
})

test('it is said who has the name', async () => {
  const { child } = await sit(STRANGER, [name])
  const [line = '', ...more] = await take()
  assert.match(line, /^warn: another user has the name .*name=@lifelinetest/)
  assert.match(line, new RegExp(`uid=${STRANGER} pid=${child.pid}\\s*$`))
  assert.deepEqual(more, [])
})

test('nor do names that look like those of daemons, or a stranger who accepts nobody', async () => {
  const later = Array.from({ length: 50 }, () => `${name}-${crypto.randomUUID()}`)
  await sit(STRANGER, [name, ...later], DEAF)
  const waiting: Socket[] = []
  for (let refused = false; !refused; ) {
    const socket = connect(`\0${name}`)
    waiting.push(socket)
    refused = await Promise.race([
      once(socket, 'connect').then(() => false),
      once(socket, 'error').then(() => true),
    ]).catch(() => true)
  }
  const [line, ...more] = await take()
  for (const socket of waiting) socket.destroy()
  assert.match(line ?? '', /code=EAGAIN$/m)
  assert.deepEqual(more, [])
})

test("who owns the control socket's folder is a service, and counts like root", async () => {
  const { child } = await sit(SERVICE, [name])
  await assert.rejects(take([join(folder, 'control.sock')]), refusedBecauseOf(child))
  assert.equal((await take([join(folder, 'missing', 'control.sock')])).length, 1)
})
