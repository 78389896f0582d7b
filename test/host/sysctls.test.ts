import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sysctls, sysctlsBelow } from '../../src/host/sysctls.ts'

test('a value is written without a line feed, which Linux 6.1 refuses after a single octet, and read without one', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'lifeline-sysctl-'))
  t.after(() => rmSync(root, { recursive: true }))
  const settings = sysctlsBelow(`${root}/`)
  writeFileSync(join(root, 'ignore_routes_with_linkdown'), '0')
  settings.write('ignore_routes_with_linkdown', '1')
  assert.equal(readFileSync(join(root, 'ignore_routes_with_linkdown'), 'latin1'), '1')
  assert.doesNotMatch(sysctls.read('kernel/ostype') ?? '\n', /\n/)
})

test('what the kernel refuses is told with its code, its place and its value', () => {
  assert.throws(() => sysctls.write('net/there/is/none', '1'), {
    code: 'ENOENT',
    message: /could not write 1 to \/proc\/sys\/net\/there\/is\/none/,
  })
})
