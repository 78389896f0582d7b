/** The table of lines: what esbuild says of a bundle is what the program says of its errors. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { lineTable } from '../../.tools/lines.ts'
import { smallProgram } from '../../.tools/small.ts'
import { hostTarget, releaseToolchain } from '../../.tools/toolchain.ts'

const folder = mkdtempSync(join(tmpdir(), 'lifeline-lines-'))
after(() => rmSync(folder, { recursive: true }))

test('each line has an octet, or the file and the line where that does not do', () => {
  // Lines 1, 2 and 60 of the first source, nothing, line 59 of it, line 3 of the second, line 1000 of it.
  const mappings = 'AAAA;AACA,CAACA;AA0DA;;AADA;ACxDA;AAq+BA'
  const octets = [...lineTable({ sources: ['a.ts', 'b.ts'], mappings }, (name) => name.toUpperCase())]
  const names = Array.from(Buffer.from('A.TS\0B.TS\0\0'))
  assert.deepEqual(octets.slice(0, names.length), names)
  assert.deepEqual(octets.slice(names.length), [65, 65, 122, 254, 63, 255, 1, 0, 3, 0, 255, 1, 0, 0xe8, 3])
})

test('an error that nobody catches ends the program, with one line that names file and line of the source', async () => {
  const target = hostTarget()
  assert.ok(target)
  const thrower = `// A comment, and types, which the bundle does not have.
interface Nothing {
  readonly nothing: never
}

export function thrower(depth: number): Nothing {
  if (depth > 0) return thrower(depth - 1)
  throw new TypeError('of ours')
}
`
  const entry = `import { at } from 'lifeline:system'
import { thrower } from './thrower.ts'

type Mode = 'now' | 'later' | 'promised'
const mode: Mode = MODE

if (mode === 'now') thrower(1)
if (mode === 'later') at(0, () => thrower(0))
if (mode === 'promised')
  at(0, async () => {
    thrower(0)
  })
`
  writeFileSync(join(folder, 'thrower.ts'), thrower)
  writeFileSync(join(folder, 'entry.ts'), entry)
  const toolchain = releaseToolchain(target, console.log)
  for (const [mode, depth, line] of [
    ['now', 1, 7],
    ['later', 0, 8],
    ['promised', 0, 11],
  ] as const) {
    const define = { MODE: JSON.stringify(mode) }
    const options = { define, minifySyntax: false, absWorkingDir: folder }
    const program = await smallProgram({
      entry: join(folder, 'entry.ts'),
      toolchain,
      folder: join(folder, 'out'),
      options,
    })
    const { status, stderr } = spawnSync(program, { encoding: 'utf8' })
    assert.equal(status, 1)
    const calls = stderr.match(/at [^ ]+ \([^)]+\)/g)
    const frames = ['at thrower (thrower.ts:8)', ...(depth > 0 ? ['at thrower (thrower.ts:7)'] : [])]
    assert.match(stderr, /^lifeline: this is a bug: TypeError: of ours .*\n$/)
    assert.deepEqual(calls?.slice(0, depth + 1), frames, stderr)
    assert.match(calls?.[depth + 1] ?? '', new RegExp(`\\(entry\\.ts:${line}\\)$`), stderr)
  }
})
