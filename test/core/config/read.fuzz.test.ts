import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { notationOf } from '../../../src/core/config/notation.ts'
import { printEffective } from '../../../src/core/config/print.ts'
import { formatProblem } from '../../../src/core/config/problems.ts'
import { fixture, read } from './reading.ts'

const numRuns = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)

const SEEDS = ['shortest.uci', 'shortest.json', 'every-option.uci', 'every-option.json'].map(fixture)
const PIECES = [
  ...[
    '"',
    "'",
    '\\',
    '\n',
    ' ',
    '\t',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '-1',
    '1e9',
    'null',
    'true',
    '\0',
    '\xff',
    ';',
    '#',
  ],
  ...[
    'config tunnel x\n',
    'config uplink\n',
    '\n\tlist server a\n',
    '\n\toption enabled 0\n',
    '"__proto__":',
    'constructor',
  ],
]

/** A file with some octets replaced, or no file at all. */
const content = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 9,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...SEEDS),
        fc.array(fc.tuple(fc.nat(2000), fc.nat(6), fc.constantFrom('', ...PIECES)), {
          minLength: 1,
          maxLength: 4,
        }),
      )
      .map(([seed, changes]) => {
        let text = seed
        for (const [at, gone, put] of changes) {
          const index = at % (text.length + 1)
          text = text.slice(0, index) + put + text.slice(index + gone)
        }
        return Buffer.from(text, 'latin1')
      }),
  },
)

test('no file makes the reader throw; it gives a configuration, or an error that names a line', () => {
  let good = 0
  fc.assert(
    fc.property(content, (bytes) => {
      const result = read(notationOf('lifeline', bytes), bytes)
      if (result.ok) {
        good++
        assert.ok(result.value.warnings.every(({ severity }) => severity === 'warning'))
        printEffective(result.value.effective, 'json')
        printEffective(result.value.effective, 'uci')
        return
      }
      const errors = result.error.filter(({ severity }) => severity === 'error')
      assert.ok(errors.length > 0)
      const lines = Buffer.from(bytes).toString('latin1').split('\n').length
      for (const { line = 0 } of errors) assert.ok(line >= 1 && line <= lines)
      for (const problem of result.error) {
        assert.doesNotMatch(formatProblem(problem), /undefined|\[object/)
        // The secrets of the files are never at fault for a mistake elsewhere.
        assert.doesNotMatch(formatProblem(problem), /looking-glass/)
      }
    }),
    { numRuns },
  )
  assert.ok(good > 0)
})
