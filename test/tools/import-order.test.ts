import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Exception, importsOf, orderProblems, type Room } from '../../.tools/import-order.ts'

const ROOMS: readonly Room[] = [
  { name: 'low', may: [] },
  { name: 'mid', may: ['low'] },
  { name: 'top', may: ['low', 'mid'], packages: ['node:', 'commander'] },
]

const GOOD = {
  'low/bytes.ts': 'export const u8 = 1\n',
  'low/text.ts': "import { u8 } from './bytes.ts'\n",
  'mid/frame.ts': "import { u8 } from '../low/bytes.ts'\n",
  'top/run.ts': "import { readFileSync } from 'node:fs'\nimport { frame } from '../mid/frame.ts'\n",
}

function problems(
  changed: Readonly<Record<string, string>> = {},
  { rooms = ROOMS, exceptions = [] }: { rooms?: readonly Room[]; exceptions?: readonly Exception[] } = {},
): string[] {
  return orderProblems(new Map(Object.entries({ ...GOOD, ...changed })), rooms, exceptions, 'src')
}

test('a tree in order has no problems', () => {
  assert.deepEqual(problems(), [])
})

test('a forbidden import is told with its line, and with what the room may import', () => {
  const imports = "import { u8 } from './bytes.ts'\nimport type {\n  Frame,\n} from '../mid/frame.ts'\n"
  const told = 'src/low/text.ts:4: imports src/mid/frame.ts; low may import no other room'
  assert.ok(problems({ 'low/text.ts': imports }).includes(told))
  // One that makes no circle is refused as well.
  const upwards = { 'mid/frame.ts': "export * from '../other/x.ts'\n", 'other/x.ts': '' }
  assert.deepEqual(problems(upwards, { rooms: [...ROOMS, { name: 'other', may: [] }] }), [
    'src/mid/frame.ts:1: imports src/other/x.ts; mid may import only low',
  ])
})

test('a circle of files in one room is refused, also one of types alone', () => {
  assert.deepEqual(problems({ 'low/bytes.ts': "import type { Text } from './text.ts'\n" }), [
    'circle of files: src/low/bytes.ts:1 imports src/low/text.ts, src/low/text.ts:1 imports src/low/bytes.ts',
  ])
  assert.deepEqual(problems({ 'low/bytes.ts': "\nimport './bytes.ts'\n" }), [
    'src/low/bytes.ts:2: imports itself',
  ])
})

test('a circle of folders is refused where no files are in one', () => {
  const changed = { 'low/other.ts': "export { frame } from '../mid/frame.ts'\n" }
  const rooms = ROOMS.map((room) => (room.name === 'low' ? { ...room, may: ['mid'] } : room))
  assert.deepEqual(problems(changed, { rooms }), [
    'table: low may import mid, which does not stand before it',
    'circle of folders: src/mid/frame.ts:1 imports src/low/bytes.ts, src/low/other.ts:1 imports src/mid/frame.ts',
  ])
})

test('an exception lets exactly its import through, and is refused when it is not needed', () => {
  const changed = { 'low/bytes.ts': "import type { Text } from './text.ts'\n" }
  const exception = { file: 'low/bytes.ts', imports: 'low/text.ts' }
  assert.deepEqual(problems(changed, { exceptions: [exception] }), [])
  const stale = (file: string, imports: string) =>
    `stale exception: src/${file} may import src/${imports} without it`
  // The import is gone, it is allowed, or it stands in no circle.
  assert.deepEqual(problems({}, { exceptions: [exception] }), [stale('low/bytes.ts', 'low/text.ts')])
  for (const [file, imports] of [
    ['mid/frame.ts', 'low/bytes.ts'],
    ['low/text.ts', 'low/bytes.ts'],
  ] as const)
    assert.deepEqual(problems({}, { exceptions: [{ file, imports }] }), [stale(file, imports)])
})

test('packages are allowed by name or by how they begin', () => {
  assert.deepEqual(problems({ 'top/run.ts': "import 'commander'\nawait import('node:os')\n" }), [])
  assert.deepEqual(
    problems({ 'top/run.ts': "import 'commander-more'\n", 'low/text.ts': "import 'node:fs'\n" }),
    [
      'src/low/text.ts:1: imports the package node:fs; low may import no package',
      'src/top/run.ts:1: imports the package commander-more; top may import only node:, commander',
    ],
  )
})

test('a package is no file that happens to have its name', () => {
  assert.deepEqual(problems({ 'top/commander-more.d.ts': '', 'top/run.ts': "import 'commander-more'\n" }), [
    'src/top/run.ts:1: imports the package commander-more; top may import only node:, commander',
  ])
})

test('imports that leave the tree or lead nowhere are refused', () => {
  assert.deepEqual(problems({ 'top/run.ts': "import x from '../../test/x.ts'\n" }), [
    'src/top/run.ts:1: imports ../../test/x.ts, which is no file of src',
  ])
})

test('the table names every folder once, and no other', () => {
  assert.deepEqual(problems({ 'new/x.ts': '' }), ['src/new/x.ts: is in no room of the table'])
  assert.deepEqual(problems({ 'low/deeper/x.ts': '' }), ['src/low/deeper/x.ts: is in no room of the table'])
  assert.deepEqual(problems({}, { rooms: [...ROOMS, { name: 'gone', may: [] }] }), [
    'table: no file is in gone',
  ])
  assert.deepEqual(problems({}, { rooms: [...ROOMS, { name: 'mid', may: [] }] }), [
    'table: mid stands there twice',
  ])
})

test('a file with a line of its own in the table is a room of its own', () => {
  const rooms = [...ROOMS, { name: 'low/join.ts', may: ['low', 'mid'] }]
  const changed = { 'low/join.ts': "import '../mid/frame.ts'\nimport './bytes.ts'\n" }
  assert.deepEqual(problems(changed, { rooms }), [])
  assert.deepEqual(problems({ ...changed, 'mid/more.ts': "import '../low/join.ts'\n" }, { rooms }), [
    'src/mid/more.ts:1: imports src/low/join.ts; mid may import only low',
    'circle of folders: src/mid/more.ts:1 imports src/low/join.ts, src/low/join.ts:1 imports src/mid/frame.ts',
  ])
})

test('in C a header and its implementation are one: includes of either make a circle', () => {
  const rooms = [...ROOMS, { name: 'native', may: [] }]
  const headers = { 'native/mail.h': '', 'native/channel.h': '#include <poll.h>\n#include "mail.h"\n' }
  const fine = { ...headers, 'native/mail.c': '#include "mail.h"\n' }
  assert.deepEqual(problems(fine, { rooms }), [])
  assert.deepEqual(problems({ ...headers, 'native/mail.c': '#  include "channel.h"\n' }, { rooms }), [
    'circle of files: src/native/channel.h:2 imports src/native/mail.h, src/native/mail.c:1 imports src/native/channel.h',
  ])
})

test('every way to import is seen', () => {
  const text = [
    "import './a.ts'",
    "import type { B } from './b.ts'",
    "export * from './c.ts'",
    "export type { D } from './d.ts'",
    "const e = await import('./e.ts')",
    "let f: import('./f.ts').F",
    'import g from "./g.ts"',
    "import * as h from './h.ts'",
    "import i, { j } from './i'",
    "const no = 'import'",
  ].join('\n')
  const names = [...'abcdefghi'].map((name) => `${name}.ts`)
  const tree = new Map([['x.ts', text], ...names.map((name): [string, string] => [name, ''])])
  assert.deepEqual(
    importsOf(tree)
      .map(({ target, line }) => `${target}:${line}`)
      .sort(),
    names.map((name, i) => `${name}:${i + 1}`),
  )
})
