import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { formatProblem } from '../../src/core/config/problems.ts'
import { loadConfig, readConfig, secretFiles } from '../../src/host/config-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-config-'))
after(() => rmSync(folder, { recursive: true }))

function write(name: string, content: string | Uint8Array, mode = 0o600): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  chmodSync(file, mode)
  return file
}

function tunnel(secret: string): string {
  return `config tunnel 'aaisp'\n\toption server 'lns.example'\n\toption username 'alice'\n\t${secret}\n`
}

describe('files of secrets', () => {
  test('that say they are empty and never end are left alone', () => {
    assert.ok(!secretFiles.read('/proc/self/pagemap').ok)
    const long = secretFiles.read('/proc/self/smaps')
    assert.match(long.ok ? '' : long.error, /it has more than 4096 octets/)
    const short = secretFiles.read('/proc/self/comm')
    assert.ok(short.ok && short.value.text.length > 0)
  })

  test('hold one secret; one line break at the end does not count', () => {
    const contents = [
      ['wonderland', 'wonderland'],
      ['wonderland\n', 'wonderland'],
      ['wonderland\r\n', 'wonderland'],
      [' wonder land \n', ' wonder land '],
      ['wonderland\n\n', 'wonderland\n'],
      ['žluť', 'žluť'],
      ['\ufeffwonderland\r\n', 'wonderland'],
    ] as const
    for (const [content, text] of contents)
      assert.deepEqual(secretFiles.read(write('secret', content)), { ok: true, value: { text } })
  })

  test('that everyone may read give a warning', () => {
    const read = secretFiles.read(write('open', 'wonderland', 0o644))
    assert.ok(read.ok)
    assert.match(read.value.warning ?? '', /everyone may read it: chmod o-rwx .*open$/)
  })

  test('that cannot be had give a reason', () => {
    mkdirSync(join(folder, 'folder'))
    symlinkSync('circle', join(folder, 'circle'))
    const reasons = [
      [join(folder, 'nothing'), 'there is no such file'],
      [join(folder, 'folder'), 'it is a folder'],
      [join(folder, 'circle'), 'its symbolic links go in circles'],
      [write('latin1', Uint8Array.of(0x63, 0xe9)), 'it is not UTF-8'],
      [write('utf16', Uint8Array.of(0xff, 0xfe, 0x63, 0)), 'it is UTF-16: save it as UTF-8'],
      [write('large', 'x'.repeat(5000)), 'it has 5000 octets, more than 4096'],
      ['/dev/zero', 'it is not a regular file'],
    ] as const
    for (const [file, reason] of reasons)
      assert.deepEqual(secretFiles.read(file), { ok: false, error: `${file}: ${reason}` })
  })
})

describe('configuration files', () => {
  test('are read with the secrets they name', () => {
    const secret = write('password', 'wonderland\n')
    const loaded = loadConfig(write('lifeline', tunnel(`option password_file '${secret}'`), 0o644))
    assert.ok(loaded.ok)
    assert.equal(loaded.value.notation, 'uci')
    assert.equal(loaded.value.config.tunnels[0]?.password.reveal(), 'wonderland')
    assert.deepEqual(loaded.value.warnings, [])
  })

  test('are JSON by extension or by content', () => {
    const content = '\n {"tunnel":{"aaisp":{"server":"lns.example","username":"alice","password":"x"}}}'
    for (const name of ['lifeline', 'lifeline.json', 'lifeline.conf']) {
      const loaded = loadConfig(write(name, content))
      assert.ok(loaded.ok)
      assert.equal(loaded.value.notation, 'json')
    }
    assert.ok(!loadConfig(write('lifeline.uci', content)).ok)
    assert.ok(!loadConfig(write('uci.json', tunnel("option password 'x'"))).ok)
  })

  test('that hold secrets and everyone may read give a warning', () => {
    const loaded = loadConfig(write('lifeline', tunnel("option password 'wonderland'"), 0o604))
    assert.ok(loaded.ok)
    assert.match(loaded.value.warnings.map(formatProblem).join(), /it holds secrets and everyone may read it/)
  })

  test('what is noticed is said without a severity, which the reader of warnings adds', () => {
    const file = write('lifeline', `${tunnel("option password 'wonderland'")}\toption colour 'red'\n`)
    const result = readConfig(file)
    assert.ok(result.ok)
    assert.deepEqual(result.value.warnings, [
      `${file}:5: tunnel 'aaisp', option 'colour': unknown, so it has no effect`,
    ])
  })

  test('that cannot be read say so', () => {
    const file = join(folder, 'none')
    const loaded = loadConfig(file)
    assert.ok(!loaded.ok)
    assert.deepEqual(loaded.error.map(formatProblem), [`${file}: error: there is no such file`])
  })
})
