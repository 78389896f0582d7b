import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf, orderProblems, type Room } from '../../.tools/import-order.ts'

const ROOMS: readonly Room[] = [
  { name: 'low', may: [] },
  { name: 'mid', may: ['low'] },
  { name: 'top', may: ['low', 'mid'], packages: ['node:', 'commander'] },
]

const GOOD = {
  'low/bytes.ts': 'export const u8 = 1\n',
  'low/text.ts': "import { u8 } from './bytes.ts'\n",
  'mid/frame.ts': "import { u8 } from '../low/bytes.ts'\n",
  'mid/more.ts': "import '../low/bytes.ts'\n",
  'top/all.ts': "import 'commander'\nimport 'node:os'\nimport '../low/bytes.ts'\nimport '../mid/frame.ts'\n",
  'top/run.ts': "import { readFileSync } from 'node:fs'\nimport { frame } from '../mid/frame.ts'\n",
}

function problems(changed: Readonly<Record<string, string>> = {}, rooms: readonly Room[] = ROOMS): string[] {
  return orderProblems(new Map(Object.entries({ ...GOOD, ...changed })), rooms, 'src')
}

test('a tree in order has no problems', () => {
  assert.deepEqual(problems(), [])
})

test('a forbidden import is told with its line, and with what the room may import', () => {
  const imports = "import { u8 } from './bytes.ts'\nimport type {\n  Frame,\n} from '../mid/frame.ts'\n"
  const told =
    'src/low/text.ts:4: imports types of src/mid/frame.ts, but low may import no other room: move what is needed into a room below both, or have it handed in'
  assert.ok(problems({ 'low/text.ts': imports }).includes(told))
  // One that makes no circle is refused as well.
  const upwards = { 'mid/frame.ts': "export * from '../other/x.ts'\n", 'other/x.ts': '' }
  assert.deepEqual(problems(upwards, [...ROOMS, { name: 'other', may: [] }]), [
    'src/mid/frame.ts:1: imports src/other/x.ts, but mid may import only low: move what is needed into a room below both, or have it handed in',
  ])
})

test('a circle of files in one room is refused, also one of types alone', () => {
  assert.deepEqual(problems({ 'low/bytes.ts': "import type { Text } from './text.ts'\n" }), [
    'src/low/bytes.ts:1: circle of files: src/low/bytes.ts:1 imports types of src/low/text.ts, src/low/text.ts:1 imports src/low/bytes.ts: move what they share into one below all of them',
  ])
  assert.deepEqual(problems({ 'low/bytes.ts': "\nimport './bytes.ts'\n" }), [
    'src/low/bytes.ts:2: imports itself: take that out',
  ])
})

test('of circles that hang together the shortest is told', () => {
  const changed = {
    'low/a.ts': "import './b.ts'\n",
    'low/b.ts': "import './c.ts'\n",
    'low/c.ts': "import './a.ts'\nimport './d.ts'\n",
    'low/d.ts': "import './c.ts'\n",
  }
  assert.deepEqual(problems(changed), [
    'src/low/c.ts:2: circle of files: src/low/c.ts:2 imports src/low/d.ts, src/low/d.ts:1 imports src/low/c.ts: move what they share into one below all of them',
  ])
})

test('a circle of folders is refused where no files are in one', () => {
  const changed = { 'low/other.ts': "export { frame } from '../mid/frame.ts'\n" }
  const rooms = ROOMS.map((room) => (room.name === 'low' ? { ...room, may: ['mid'] } : room))
  assert.deepEqual(problems(changed, rooms), [
    'table: low may import mid, which does not stand before it: only what does is below it',
    'src/mid/frame.ts:1: circle of folders: src/mid/frame.ts:1 imports src/low/bytes.ts, src/low/other.ts:1 imports src/mid/frame.ts: move what they share into one below all of them',
  ])
})

test('packages are allowed by name or by how they begin', () => {
  assert.deepEqual(problems({ 'top/run.ts': "import 'commander'\nawait import('node:os')\n" }), [])
  assert.deepEqual(
    problems({ 'top/run.ts': "import 'commander-more'\n", 'low/text.ts': "import 'node:fs'\n" }),
    [
      'src/low/text.ts:1: imports the package node:fs, but low may import no package: have what it does handed in',
      'src/top/run.ts:1: imports the package commander-more, but top may import only node:, commander: have what it does handed in',
    ],
  )
})

test('a package is no file that happens to have its name', () => {
  assert.deepEqual(problems({ 'top/commander-more.d.ts': '', 'top/run.ts': "import 'commander-more'\n" }), [
    'src/top/run.ts:1: imports the package commander-more, but top may import only node:, commander: have what it does handed in',
  ])
})

test('imports that leave the tree or lead nowhere are refused', () => {
  assert.deepEqual(problems({ 'top/run.ts': "import x from '../../test/x.ts'\n" }), [
    'src/top/run.ts:1: imports ../../test/x.ts, which is no file of src',
  ])
})

test('the table names every folder once, and no other', () => {
  assert.deepEqual(problems({ 'new/x.ts': '' }), [
    'src/new/x.ts:1: is in no room of the table: give its folder a line there',
  ])
  assert.deepEqual(problems({ 'low/deeper/x.ts': '' }), [
    'src/low/deeper/x.ts:1: is in no room of the table: give its folder a line there',
  ])
  assert.deepEqual(problems({}, [...ROOMS, { name: 'gone', may: [] }]), [
    'table: no file is in gone: take it out',
  ])
  assert.deepEqual(problems({}, [...ROOMS, { name: 'mid', may: [] }]), [
    'table: mid stands there twice: take one out',
  ])
})

test('what a room may import and does not is refused', () => {
  const rooms = ROOMS.map((room) => (room.name === 'mid' ? { ...room, packages: ['node:'] } : room))
  assert.deepEqual(problems({ 'mid/frame.ts': '', 'mid/more.ts': '' }, rooms), [
    'table: mid may import low, and nothing in it does: take it out',
    'table: mid may import node:, and nothing in it does: take it out',
  ])
})

test('a file with a line of its own in the table is a room of its own', () => {
  const rooms = [...ROOMS, { name: 'low/join.ts', may: ['low', 'mid'] }]
  const changed = { 'low/join.ts': "import '../mid/frame.ts'\nimport './bytes.ts'\n" }
  assert.deepEqual(problems(changed, rooms), [])
  assert.deepEqual(problems({ ...changed, 'mid/most.ts': "import '../low/join.ts'\n" }, rooms), [
    'src/mid/most.ts:1: imports src/low/join.ts, but mid may import only low: move what is needed into a room below both, or have it handed in',
    'src/mid/most.ts:1: circle of folders: src/mid/most.ts:1 imports src/low/join.ts, src/low/join.ts:1 imports src/mid/frame.ts: move what they share into one below all of them',
  ])
})

test('in C a header and its implementation are one: includes of either make a circle', () => {
  const rooms = [...ROOMS, { name: 'native', may: [] }]
  const headers = { 'native/mail.h': '', 'native/channel.h': '#include <poll.h>\n#include "mail.h"\n' }
  const fine = { ...headers, 'native/mail.c': '#include "mail.h"\n' }
  assert.deepEqual(problems(fine, rooms), [])
  assert.deepEqual(problems({ ...headers, 'native/mail.c': '#  include "channel.h"\n' }, rooms), [
    'src/native/channel.h:2: circle of files: src/native/channel.h:2 includes src/native/mail.h, src/native/mail.c:1 includes src/native/channel.h: move what they share into one below all of them',
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
    "const no = 'import' + 'https://x'",
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

test('comments are no imports, and hide none', () => {
  const text = [
    "// import './a.ts'",
    '/* so',
    "import './a.ts'",
    '*/',
    'export interface Frame {',
    '  /** Comes from "a". */',
    '  readonly text: string',
    '}',
    'import {',
    "  b, // isn't it",
    "} from './b.ts'",
    "const url = 'https://a'; import('./b.ts')",
  ].join('\n')
  const tree = new Map([
    ['x.ts', text],
    ['a.ts', ''],
    ['b.ts', ''],
  ])
  const told = importsOf(tree).map(({ specifier, line }) => `${specifier}:${line}`)
  assert.deepEqual(told, ['./b.ts:11', './b.ts:12'])
})
