import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatProblem } from '../../../src/core/config/problems.ts'
import { read } from './reading.ts'

/** Cases as `=== NOTATION: TITLE`, the configuration, `--- problems`, one problem in each line. */
const GOLDEN = 'test/fixtures/config/problems.txt'

const [introduction = '', ...cases] = readFileSync(GOLDEN, 'utf8').split(/^=== /m)

const seen = cases.map((text) => {
  const [head = '', said = ''] = text.split('--- problems\n')
  const [title = ''] = head.split('\n', 1)
  const content = head.slice(title.length + 1)
  const result = read(title.startsWith('json') ? 'json' : 'uci', octets(content))
  const problems = (result.ok ? result.value.warnings : result.error).map(
    (problem) => `${formatProblem(problem)}\n`,
  )
  return { title, head, said, problems: problems.join(''), ok: result.ok }
})

function octets(content: string): Uint8Array {
  const unescaped = content.replace(/\\x([89a-f][0-9a-f])/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(unescaped, 'latin1')
}

// After a wanted change: LIFELINE_GOLDEN=write, and read the difference.
if (process.env.LIFELINE_GOLDEN === 'write')
  writeFileSync(
    GOLDEN,
    [introduction, ...seen.map(({ head, problems }) => `=== ${head}--- problems\n${problems}`)].join(''),
  )

for (const { title, said, problems, ok } of seen) {
  test(title, () => {
    assert.equal(problems, said)
    // Only what is called so goes through.
    assert.equal(ok, title.endsWith('only warnings'))
    assert.notEqual(problems, '')
    assert.doesNotMatch(problems, /wonder|looking-glass/)
  })
}

test('there are enough of them', () => assert.ok(seen.length >= 40))
