import assert from 'node:assert/strict'
import { test } from 'node:test'
import { undocumented } from '../../.tools/docstrings.ts'

const KINDS = [
  'const a = 1',
  'function a() {}',
  'async function a() {}',
  'class a {}',
  'abstract class a {}',
  'interface a {}',
  'type a = 1',
  'default function a() {}',
]

test('every kind of export needs a docstring directly above it', () => {
  for (const kind of KINDS) {
    const bare = `/** The file. */\nimport b from './b.ts'\n\nexport ${kind}\n`
    assert.deepEqual(undocumented('src/a.ts', bare), ['src/a.ts:4: a has no docstring'], kind)
    assert.deepEqual(undocumented('src/a.ts', `/** What it is. */\nexport ${kind}\n`), [], kind)
    assert.deepEqual(undocumented('src/a.ts', `/**\n * What it\n * is.\n */\nexport ${kind}\n`), [], kind)
  }
})

test('neither a comment nor an empty docstring nor one farther up will do', () => {
  for (const above of ['// What it is.\n', '/* What it is. */\n', '/** */\n', '/** What it is. */\n\n'])
    assert.deepEqual(undocumented('a.ts', `${above}export const a = 1\n`).length, 1, above)
})

test('a docstring above one export is none of the next', () => {
  const text = '/** What it is. */\nexport const a = 1\nexport const b = 2\n'
  assert.deepEqual(undocumented('a.ts', text), ['a.ts:3: b has no docstring'])
})

test('of overloads the first one has it', () => {
  const text = '/** What it is. */\nexport function a(b: 1): 1\nexport function a(b: 2): 2\n'
  assert.deepEqual(undocumented('a.ts', text), [])
  const both = '/** What it is. */\nexport type a = 1\nexport const a = 1\n'
  assert.deepEqual(undocumented('a.ts', both), ['a.ts:3: a has no docstring'])
})

test('what is handed on from another file is described there; no name of this one is exported apart', () => {
  assert.deepEqual(undocumented('a.ts', "export type { A } from './b.ts'\nexport { B } from './b.ts'\n"), [])
  assert.deepEqual(undocumented('a.ts', 'const a = 1\nexport { a }\n'), [
    'a.ts:2: export { a } is to be exported where it is declared',
  ])
})
