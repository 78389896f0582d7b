/** The order of rooms of this tree, tried with one thing of each kind that breaks it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { disorder, sources } from '../../.tools/rooms.ts'

const TREE = sources()

/** What is said of the tree with a line put before the first one of a file. */
function said(file: string, line: string): string[] {
  const text = TREE.get(file)
  assert.ok(text !== undefined, `${file} is there`)
  return disorder(new Map(TREE).set(file, `${line}\n${text}`))
}

test('the tree is in order', () => {
  assert.deepEqual(disorder(TREE), [])
})

for (const [what, file, line] of [
  ['core imports no host', 'core/time.ts', "import { systemClock } from '../host/clock.ts'"],
  ['core sees nothing of Node', 'core/time.ts', "import { hrtime } from 'node:process'"],
  ['l2tp does not know ppp', 'core/l2tp/avp.ts', "import { LcpPolicy } from '../ppp/lcp.ts'"],
  ['app sees no host', 'app/daemon.ts', "import { systemClock } from '../host/clock.ts'"],
  ['hosts see of app only its ports', 'host/nft.ts', "import { DnsResolver } from '../app/resolver.ts'"],
  ['commands see no host', 'cli/plan.ts', "import { systemClock } from '../host/clock.ts'"],
  ['nobody imports the wiring', 'cli/plan.ts', "import '../main.ts'"],
  ['a package is for the room that has it', 'core/mqtt/failure.ts', "import { connect } from 'mqtt'"],
] as const)
  test(`refused: ${what}`, () => {
    const [problem = '', ...more] = said(file, line)
    assert.ok(problem.startsWith(`src/${file}:1: imports `), problem)
    // It may make a circle as well: then this is told once, not for every file that the circle catches.
    assert.ok(more.length <= 2, more.join('\n'))
    assert.match(problem, /, but \S+ may import (only|no) .+: .*have (it|what it does) handed in$/)
  })

test('refused: a circle of folders, though its files are in none', () => {
  const problems = said('core/ip/prefix.ts', "import type { Counters } from '../netlink/link.ts'")
  const circle = problems.find((one) => one.includes(': circle of folders: '))
  assert.match(circle ?? '', /src\/core\/ip\/prefix\.ts:1 imports types of src\/core\/netlink\/link\.ts/)
  assert.match(circle ?? '', /src\/core\/netlink\/\S+:\d+ imports (types of )?src\/core\/ip\//)
  assert.match(circle ?? '', /^src\/core\/\S+:\d+: .*: move what they share into one below all of them$/)
  assert.ok(!problems.some((one) => one.includes(': circle of files: ')))
})

test('refused: a circle of files in one folder, of values or of types alone', () => {
  const back = "from './prefix.ts'"
  for (const line of [`import { parsePrefix } ${back}`, `import type { Prefix } ${back}`]) {
    const [problem = '', ...more] = said('core/ip/address.ts', line)
    assert.match(problem, /^src\/core\/ip\/\S+:\d+: circle of files: /)
    assert.ok(problem.includes('src/core/ip/address.ts:1 imports '))
    assert.match(problem, /src\/core\/ip\/prefix\.ts:\d+ imports .*src\/core\/ip\/address\.ts/)
    assert.deepEqual(more, [])
  }
})

test('refused: a circle of includes in C', () => {
  for (const [file, header] of [
    ['native/mail.h', 'channel.h'],
    ['native/reactor.c', 'channel.h'],
    ['native/tun.h', 'datapath.h'],
    ['native/datagram.c', 'session.h'],
  ] as const) {
    const [problem = '', ...more] = said(file, `#include "${header}"`)
    assert.match(problem, /^src\/native\/\S+:\d+: circle of files: /)
    assert.ok(problem.includes(`src/${file}:1 includes src/native/${header}`), problem)
    assert.deepEqual(more, [])
  }
})
