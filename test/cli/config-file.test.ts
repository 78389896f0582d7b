import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseConfigFile } from '../../src/cli/config-file.ts'
import { EXIT } from '../../src/cli/exit-codes.ts'

test('a named file is taken as it is', () => {
  assert.equal(
    chooseConfigFile('missing.json', () => false),
    'missing.json',
  )
})

test("without a name, OpenWrt's place comes before the others", () => {
  const there = (...files: string[]) => chooseConfigFile(undefined, (file) => files.includes(file))
  assert.equal(there('/etc/lifeline/lifeline.json', '/etc/config/lifeline'), '/etc/config/lifeline')
  assert.equal(
    there('/etc/lifeline/lifeline.conf', '/etc/lifeline/lifeline.json'),
    '/etc/lifeline/lifeline.json',
  )
  assert.equal(there('/etc/lifeline/lifeline.conf'), '/etc/lifeline/lifeline.conf')
})

test('no configuration at all is a usage error that names the places', () => {
  assert.throws(() => chooseConfigFile(undefined, () => false), {
    exitCode: EXIT.usage,
    message: /\/etc\/config\/lifeline/,
  })
})
