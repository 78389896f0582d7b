import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { lockNamespace } from '../../../src/host/namespace-lock.ts'

const name = `\0lifeline-test-${process.pid}`
const HOLD = `
  import { lockNamespace } from ${JSON.stringify(new URL('../../../src/host/namespace-lock.ts', import.meta.url).href)}
  lockNamespace('\\0' + process.argv.at(-1)).then(
    () => { console.log('held'); setInterval(() => {}, 1000) },
    (error) => console.log(error.message))
`

function holder(prefix: readonly string[] = []) {
  const [command = process.execPath, ...args] = [...prefix, process.execPath]
  return spawn(command, [...args, '--import', 'tsx', '--input-type=module', '-e', HOLD, name.slice(1)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('one per network namespace: refused with the number of the holder, free again after its death', async () => {
  const child = holder()
  const [said] = await once(child.stdout, 'data')
  assert.equal(String(said), 'held\n')
  await assert.rejects(lockNamespace(name), {
    code: 'EADDRINUSE',
    message: `another lifeline (process ${child.pid}) already works in this network namespace: stop it first`,
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = await lockNamespace(name)
  lock.release()
})

test('another network namespace has a lock of its own', async () => {
  const netns = `llcli${process.pid}`
  const lock = await lockNamespace(name)
  execFileSync('ip', ['netns', 'add', netns])
  try {
    const child = holder(['ip', 'netns', 'exec', netns])
    const [said] = await once(child.stdout, 'data')
    assert.equal(String(said), 'held\n')
    child.kill('SIGKILL')
    await once(child, 'exit')
  } finally {
    execFileSync('ip', ['netns', 'del', netns])
    lock.release()
  }
})
