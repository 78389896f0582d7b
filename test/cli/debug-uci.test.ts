import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { runDebugUci } from '../../src/cli/debug-uci.ts'
import { readFile } from '../../src/host/config-files.ts'
import { Captured } from './captured.ts'

const FOLDER = 'test/fixtures/uci'

describe('debug uci prints what the real uci printed, octet by octet', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.uci'))
  for (const name of names) {
    test(name, () => {
      const { show } = JSON.parse(readFileSync(`${FOLDER}/${name.replace(/uci$/, 'json')}`, 'utf8'))
      const expected = show.stdout.hex ? Buffer.from(show.stdout.hex, 'hex') : Buffer.from(show.stdout)
      const captured = new Captured()
      assert.equal(runDebugUci(`${FOLDER}/${name}`, readFile(`${FOLDER}/${name}`), captured), show.rc)
      assert.deepEqual(captured.stdout(), expected)
      assert.equal(captured.stderr(), show.stderr)
    })
  }
})

test('debug uci of what is no file fails as uci does', () => {
  for (const file of [`${FOLDER}/nothing`, FOLDER, '/dev/null']) {
    const captured = new Captured()
    assert.equal(runDebugUci(file, readFile(file), captured), 1)
    assert.equal(captured.stdout().length, 0)
    assert.equal(captured.stderr(), 'uci: Entry not found\n')
  }
})
