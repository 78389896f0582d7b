/** Where the sources of the engine and of its libraries come from. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import {
  cacheFolder,
  repositories,
  SOURCES,
  sourceFolder,
  unknownWarning,
} from '../../.tools/debian-sources.ts'

const KEYS = 'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg'
const QUICKJS = '9dc1d44c9d68023ba42778f2263b25409e0037aefa32cd72a56420d2ed4fdc06'

const silent = (line: string) => assert.fail(line)
let folder: string
const before = { ...process.env }
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lifeline-sources-'))
  process.env.XDG_CACHE_HOME = folder
})
afterEach(() => {
  process.env = { ...before }
  rmSync(folder, { recursive: true })
})

test('the repositories are those of this machine with another release, for sources alone, with the keys of Debian', () => {
  const targets = [
    'mirror://one bookworm main Debian',
    'mirror://one bookworm contrib Debian',
    'mirror://one bookworm-updates main $(ORIGIN)',
    'mirror://two stable-security main Debian',
    // Twice, since two architectures are enabled.
    'mirror://one bookworm main Debian',
    'mirror://other bookworm main Somebody',
    'mirror://other nodistro main Debian',
    'mirror://other bookworm-pgdg main Debian',
    '',
  ].join('\n')
  assert.equal(
    repositories(targets),
    `Types: deb-src
URIs: mirror://one
Suites: trixie
Components: main
${KEYS}

Types: deb-src
URIs: mirror://one
Suites: trixie-updates
Components: main
${KEYS}

Types: deb-src
URIs: mirror://two
Suites: trixie-security
Components: main
${KEYS}
`,
  )
})

test('a machine without repositories of Debian has none for us', () => {
  assert.equal(repositories('mirror://other noble main Ubuntu\n'), undefined)
  assert.equal(repositories(''), undefined)
})

test('a version that is listed is nothing to speak of, another one is', () => {
  assert.equal(unknownWarning('quickjs', QUICKJS), undefined)
  assert.match(
    unknownWarning('quickjs', QUICKJS.replace('9', '0')) ?? '',
    /quickjs is another version .*SHA-256 0dc1d/,
  )
  assert.match(unknownWarning('musl', QUICKJS) ?? '', /musl is another version/)
})

test('what was taken is kept below XDG_CACHE_HOME, and not taken again', () => {
  const kept = join(cacheFolder(), 'sources/quickjs')
  mkdirSync(join(kept, 'source'), { recursive: true })
  writeFileSync(join(kept, 'SHA256'), `${QUICKJS}\n`)
  const said: string[] = []
  process.env.PATH = '/nonexistent'
  assert.equal(
    sourceFolder('quickjs', (line) => said.push(line)),
    join(folder, 'lifeline/sources/quickjs/source'),
  )
  assert.equal(said.length, 0)
  writeFileSync(join(kept, 'SHA256'), `${'0'.repeat(64)}\n`)
  sourceFolder('quickjs', (line) => said.push(line))
  assert.match(said.join('\n'), /^Debian's quickjs is another version/)
})

test('what is to be taken is announced first, and its failure says what to do and leaves nothing behind', () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  // One that knows a repository, from which nothing comes.
  const apt =
    '#!/bin/sh\n[ "$1" = indextargets ] && echo mirror://one bookworm main Debian && exit\nexit 100\n'
  writeFileSync(join(bin, 'apt-get'), apt, { mode: 0o755 })
  process.env.PATH = bin
  const said: string[] = []
  assert.throws(
    () => sourceFolder('musl', (line) => said.push(line)),
    /could not take the source of musl: put .* name its folder in MUSL_DIR/,
  )
  assert.match(
    said.join(),
    /^Taking the source of musl from Debian trixie with apt-get; it is kept in .*\/musl$/,
  )
  assert.deepEqual(readdirSync(join(cacheFolder(), 'sources')), [])
})

test('a folder named in the environment is taken as it is, if it holds what it should', () => {
  for (const name of ['quickjs', 'musl', 'mbedtls'] as const) {
    const { override, proof } = SOURCES[name]
    process.env[override] = folder
    const wrong = new RegExp(`${override} says .*, but there is no ${proof} in it`)
    assert.throws(() => sourceFolder(name, silent), wrong)
    mkdirSync(join(folder, proof, '..'), { recursive: true })
    writeFileSync(join(folder, proof), '')
    assert.equal(sourceFolder(name, silent), folder)
  }
})
