import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Memory } from '../../../src/app/tunnel/memory.ts'
import type { TunnelSession } from '../../../src/core/system/session.ts'
import { MemoryFiles } from '../../memory-files.ts'

const fits = () => undefined
const SESSION: TunnelSession = {
  mtu: 1462,
  ipv4: { address: '203.0.113.10', peer: undefined },
  ipv6: undefined,
  underlay: { device: 'wan-4g', server: '192.0.2.1' },
}

function used(files = new MemoryFiles()): MemoryFiles {
  const memory = new Memory(files)
  memory.login('aaisp', 'xx@a.1')
  memory.remember('aaisp', SESSION)
  memory.rememberDns('aaisp', ['198.51.100.53'])
  return files
}

test('what a login got is asked for again, after a restart too', () => {
  const memory = new Memory(used())
  memory.login('aaisp', 'xx@a.1')
  assert.deepEqual(memory.last('aaisp'), SESSION)
  assert.deepEqual(memory.remembered('aaisp', fits), { address: '203.0.113.10', dns: ['198.51.100.53'] })
})

test('another login has nothing to do with it', () => {
  const memory = new Memory(used())
  memory.login('aaisp', 'yy@a.2')
  assert.equal(memory.last('aaisp'), undefined)
  assert.deepEqual(memory.remembered('aaisp', fits), {})
})

test('a file from before logins were written counts for whoever logs in', () => {
  const files = new MemoryFiles()
  files.write('sessions.json', JSON.stringify({ aaisp: { session: SESSION, dns: [] } }))
  const memory = new Memory(files)
  memory.login('aaisp', 'xx@a.1')
  assert.deepEqual(memory.last('aaisp'), SESSION)
})
