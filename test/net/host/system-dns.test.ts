import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SystemError } from '../../../src/app/ports.ts'
import { runProgram } from '../../../src/host/run-program.ts'
import { ProgramDns } from '../../../src/host/system-dns.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-dns-'))
after(() => rmSync(folder, { recursive: true }))
let systems = 0

/** A system with some programs that note how they were called, and with or without systemd-resolved and the device. */
function make(options: { programs: readonly string[]; resolved?: boolean; device?: boolean; body?: string }) {
  const { programs, resolved = false, device = true, body = '' } = options
  const root = join(folder, `${++systems}`)
  const bin = join(root, 'bin')
  const calls = join(root, 'calls')
  mkdirSync(bin, { recursive: true })
  if (resolved) mkdirSync(join(root, 'run/systemd/resolve'), { recursive: true })
  if (device) mkdirSync(join(root, 'sys/class/net/l2tp-aaisp'), { recursive: true })
  writeFileSync(calls, '')
  for (const name of programs) {
    const script = `#!/bin/sh\nPATH=/usr/bin:/bin\n{ echo "${name} $*"; sed 's/^/< /'; } >>${calls}\n${body}\n`
    writeFileSync(join(bin, name), script)
    chmodSync(join(bin, name), 0o755)
  }
  const dns = new ProgramDns({ root, path: bin, timeLimit: 60_000 })
  return { root, dns, calls: () => readFileSync(calls, 'utf8').split('\n').slice(0, -1) }
}

const SERVERS = ['198.51.100.53', '2001:db8::53']

test('systemd-resolved is told the resolvers of the link, and to prefer them', async () => {
  const { dns, calls } = make({ programs: ['resolvectl', 'resolvconf'], resolved: true })
  await dns.offer('l2tp-aaisp', SERVERS)
  assert.deepEqual(calls(), [
    'resolvectl dns l2tp-aaisp 198.51.100.53 2001:db8::53',
    'resolvectl default-route l2tp-aaisp yes',
  ])
  await dns.withdraw('l2tp-aaisp')
  assert.deepEqual(calls().slice(2), ['resolvectl revert l2tp-aaisp'])
})

test('where it does not run, resolvconf gets an entry of ours', async () => {
  const { dns, calls } = make({ programs: ['resolvectl', 'resolvconf'] })
  await dns.offer('l2tp-aaisp', SERVERS)
  assert.deepEqual(calls(), [
    'resolvconf -a l2tp-aaisp.lifeline',
    '< nameserver 198.51.100.53',
    '< nameserver 2001:db8::53',
  ])
  await dns.withdraw('l2tp-aaisp')
  assert.deepEqual(calls().slice(3), ['resolvconf -d l2tp-aaisp.lifeline'])
})

test('what a process before this one offered is withdrawn wherever it may be', async () => {
  const { dns, calls } = make({ programs: ['resolvectl', 'resolvconf'], resolved: true })
  await dns.withdraw('l2tp-aaisp')
  assert.deepEqual(calls(), ['resolvectl revert l2tp-aaisp', 'resolvconf -d l2tp-aaisp.lifeline'])
})

test('of a device that is gone systemd-resolved knows nothing more, but resolvconf does', async () => {
  const { dns, calls } = make({ programs: ['resolvectl', 'resolvconf'], resolved: true, device: false })
  await dns.withdraw('l2tp-aaisp')
  assert.deepEqual(calls(), ['resolvconf -d l2tp-aaisp.lifeline'])
})

test('without any service: what to do about it; and nothing is there to withdraw', async () => {
  const { dns } = make({ programs: [] })
  await assert.rejects(dns.offer('l2tp-aaisp', SERVERS), (error) => {
    assert.ok(error instanceof SystemError)
    assert.equal(error.code, 'ENOENT')
    assert.match(error.message, /install one of them/)
    assert.match(error.message, /198\.51\.100\.53 and 2001:db8::53/)
    return true
  })
  await dns.withdraw('l2tp-aaisp')
})

test('the words of a refusal are passed on', async () => {
  const { dns } = make({ programs: ['resolvectl'], resolved: true, body: 'echo "Access denied" >&2; exit 1' })
  await assert.rejects(dns.offer('l2tp-aaisp', ['192.0.2.1']), {
    code: 'EINVAL',
    message: 'resolvectl dns l2tp-aaisp 192.0.2.1 refused: Access denied',
  })
})

test('a program that never ends is ended; what one leaves in the background holds nothing up', async () => {
  await assert.rejects(runProgram('sleep', ['64'], { timeLimit: 200 }), { code: 'ETIMEDOUT' })
  const pid = await runProgram('sh', ['-c', 'sleep 66 & echo $!'], { timeLimit: 60_000 })
  // Had it been waited for, there would be nobody left.
  process.kill(Number(pid))
  await assert.rejects(runProgram('lifeline-no-such-program', [], { timeLimit: 200 }), { code: 'ENOENT' })
})

test('no shell sees arguments and input', async () => {
  const input = '$(touch /tmp/never) `id`\n'
  assert.equal(await runProgram('cat', [], { timeLimit: 60_000, input }), input)
  assert.equal(await runProgram('echo', ['$HOME; id'], { timeLimit: 60_000 }), '$HOME; id\n')
})
