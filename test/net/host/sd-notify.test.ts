import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadAddon } from '../../../src/host/native.ts'
import { Systemd } from '../../../src/host/sd-notify.ts'
import { Process } from '../process.ts'
import { waitFor } from '../wait.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-notify-'))
execFileSync('make', ['-s', '-C', 'src/native'])
const systemd = new Systemd(loadAddon())
after(() => {
  delete process.env.NOTIFY_SOCKET
  rmSync(folder, { recursive: true })
})

/** Sends something to a listening service manager; what arrives, each datagram behind a line of its own. */
async function heard(listen: string, socket: string, bound: () => boolean, say: () => void): Promise<string> {
  const manager = new Process('service manager', ['socat', '-u', listen, 'STDOUT'])
  try {
    await waitFor('the socket', bound)
    process.env.NOTIFY_SOCKET = socket
    say()
    systemd.status('the end')
    await waitFor('all notifications', () => manager.output.includes('the end'))
    return manager.output
  } finally {
    await manager.stop()
  }
}

test('a socket with a path', async () => {
  const path = join(folder, 'notify')
  const output = await heard(
    `UNIX-RECV:${path}`,
    path,
    () => existsSync(path),
    () => {
      systemd.status('two\nlines are \t one')
      systemd.ready()
      systemd.stopping()
    },
  )
  assert.equal(output, 'STATUS=two lines are oneREADY=1STOPPING=1STATUS=the end')
})

test('an abstract socket; a reload carries the instant at which it began', async () => {
  const name = `lifeline-notify-${process.pid}`
  const bound = () => readFileSync('/proc/net/unix', 'latin1').includes(`@${name}`)
  const begun = process.hrtime.bigint() / 1000n
  const output = await heard(`ABSTRACT-RECV:${name}`, `@${name}`, bound, () => systemd.reloading())
  const instant = BigInt(/^RELOADING=1\nMONOTONIC_USEC=(\d+)STATUS=/.exec(output)?.[1] ?? assert.fail(output))
  assert.ok(begun <= instant && instant <= process.hrtime.bigint() / 1000n)
})

test('nobody who listens, no such socket, a path that is too long, and none at all: nothing happens', () => {
  for (const socket of [
    join(folder, 'nobody'),
    `@lifeline-nobody-${process.pid}`,
    `/${'x'.repeat(200)}`,
    'vsock:2',
  ]) {
    process.env.NOTIFY_SOCKET = socket
    systemd.ready()
  }
  delete process.env.NOTIFY_SOCKET
  systemd.ready()
})
