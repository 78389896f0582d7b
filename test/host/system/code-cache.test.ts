import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CodeCache } from '../../../src/host/system/node/code-cache.ts'

const CODE = Buffer.from('what V8 made of the source')

/** A cache that holds CODE, in a folder that did not exist before. */
function cacheIn(t: TestContext): { cache: CodeCache; folder: string; file: string } {
  const parent = mkdtempSync(join(tmpdir(), 'lifeline-code-'))
  t.after(() => rmSync(parent, { recursive: true }))
  const folder = join(parent, 'cache', 'lifeline')
  const cache = new CodeCache(folder, 'one')
  cache.write(CODE)
  return { cache, folder, file: join(folder, 'code') }
}

test('what was written is read again, by the same build only', (t) => {
  const { cache, folder } = cacheIn(t)
  assert.deepEqual(cache.read(), CODE)
  assert.equal(new CodeCache(folder, 'two').read(), undefined)
  new CodeCache(folder, 'two').write(CODE)
  assert.equal(cache.read(), undefined)
  assert.deepEqual(readdirSync(folder), ['code'])
})

test('what was taken is nobody else’s until it is put back', (t) => {
  const { cache, folder } = cacheIn(t)
  assert.deepEqual(cache.take(), CODE)
  assert.equal(cache.take(), undefined)
  assert.equal(cache.read(), undefined)
  cache.putBack()
  cache.putBack()
  assert.deepEqual(cache.read(), CODE)
  assert.deepEqual(readdirSync(folder), ['code'])
})

test('what was taken and never put back gives way to what is written next', (t) => {
  const { cache, folder } = cacheIn(t)
  cache.take()
  const next = new CodeCache(folder, 'one')
  next.write(Buffer.from('better code'))
  assert.deepEqual(next.read(), Buffer.from('better code'))
  assert.deepEqual(readdirSync(folder), ['code'])
})

test('where nothing was written there is nothing', () => {
  const cache = new CodeCache('/nowhere', 'one')
  assert.equal(cache.read(), undefined)
  assert.equal(cache.take(), undefined)
  cache.putBack()
})

test('nothing that was damaged is handed out', (t) => {
  const { cache, file } = cacheIn(t)
  const whole = readFileSync(file)
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(file, whole.subarray(0, length))
    assert.equal(cache.read(), undefined, `${length} octets`)
  }
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const damaged = Buffer.from(whole)
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    writeFileSync(file, damaged)
    assert.equal(cache.read(), undefined, `bit ${bit}`)
  }
  writeFileSync(file, whole)
  assert.deepEqual(cache.read(), CODE)
})

test('nothing is read that somebody else could have written', (t) => {
  const { cache, file } = cacheIn(t)
  for (const mode of [0o664, 0o646, 0o666]) {
    chmodSync(file, mode)
    assert.equal(cache.read(), undefined, mode.toString(8))
  }
  chmodSync(file, 0o644)
  assert.deepEqual(cache.read(), CODE)
  if (process.geteuid?.() === 0) {
    chownSync(file, 65534, 65534)
    assert.equal(cache.read(), undefined)
  }
})

test('no link is followed, and no pipe is waited for', (t) => {
  const { cache, file } = cacheIn(t)
  const elsewhere = `${file}.elsewhere`
  writeFileSync(elsewhere, readFileSync(file))
  rmSync(file)
  symlinkSync(elsewhere, file)
  assert.equal(cache.read(), undefined)
  rmSync(file)
  execFileSync('mkfifo', ['-m', '600', file])
  assert.equal(cache.read(), undefined)
})

test('what cannot be written is said, and leaves nothing behind', (t) => {
  const { cache, folder, file } = cacheIn(t)
  rmSync(file)
  execFileSync('mkdir', [file])
  assert.throws(() => cache.write(CODE), { code: 'EISDIR' })
  assert.deepEqual(readdirSync(folder), ['code'])
  assert.ok(statSync(file).isDirectory())
  assert.equal(cache.read(), undefined)
})

test('root runs nothing out of a folder in which somebody else can put it', (t) => {
  const { cache, folder } = cacheIn(t)
  assert.deepEqual(cache.read(), CODE)
  chmodSync(folder, 0o777)
  assert.equal(cache.read(), undefined)
  chmodSync(folder, 0o755)
  if (process.geteuid?.() !== 0) return
  chownSync(folder, 65_534, 65_534)
  assert.equal(cache.read(), undefined)
})
