/** The compiler for the small program and the engine, as `npm run build` takes them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { hostTarget, make, releaseToolchain } from '../../.tools/toolchain.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-toolchain-'))
after(() => rmSync(folder, { recursive: true }))

before(() => {
  const target = hostTarget()
  assert.ok(target, 'the small program is not built for this CPU')
  make(releaseToolchain(target, console.log), folder, ['compile'])
})

/** What the engine's compiler makes of a module. */
function compiled(source: string) {
  const file = join(folder, 'module.js')
  const bytecode = join(folder, 'module.bytecode')
  writeFileSync(file, source)
  const { status, stderr } = spawnSync(join(folder, 'compile'), [file, bytecode], { encoding: 'utf8' })
  return { status, stderr, bytecode: status === 0 ? readFileSync(bytecode) : undefined }
}

test('what is built is position-independent and wants no loader, its stack is not executable, its relocations end read-only', () => {
  const elf = readFileSync(join(folder, 'compile'))
  const headers = spawnSync('readelf', ['-hlW', join(folder, 'compile')], { encoding: 'utf8' }).stdout
  assert.equal(elf.toString('latin1', 1, 4), 'ELF')
  assert.match(headers, /Type: +DYN/)
  assert.doesNotMatch(headers, /INTERP/)
  assert.match(headers, /GNU_STACK .* RW /)
  assert.match(headers, /GNU_RELRO/)
})

test('the same source makes the same bytecode, without its text', () => {
  const source = 'import { x } from "lifeline:system"\nexport const y = () => /* a remark */ x + 1\n'
  const { bytecode } = compiled(source)
  assert.ok(bytecode)
  assert.deepEqual(bytecode, compiled(source).bytecode)
  assert.ok(!bytecode.includes('a remark'))
})

test('what does not compile is told with its line', () => {
  const { status, stderr } = compiled('export const y = 1\nexport const z = ]\n')
  assert.equal(status, 1)
  assert.match(stderr, /SyntaxError: .*\n *at lifeline:2:18\n/)
})
