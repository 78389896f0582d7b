import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseUci } from '../../../src/core/uci/parse.ts'
import { exportUci, showUci } from '../../../src/core/uci/print.ts'

const numRuns = Number(process.env.LIFELINE_FUZZ_RUNS ?? 20_000)

/** Pieces of the language, and octets that its reader treats specially. */
const PIECES = [
  ...['config ', 'option ', 'list ', 'package ', 'c ', 'o ', 'l ', 'foo', 'bar', 'a', 'b', '1'],
  ...[' ', '\t', '\n', '\n', '\r\n', "'", '"', '\\', '\\\n', ';', ' ; ', '#', '\0', '\xe9', '\x0b', '-', '.'],
  ...[
    '\nconfig foo\n',
    '\nconfig foo bar\n',
    '\n\toption a 1\n',
    "\n\tlist l 'v w'\n",
    "'it'\\''s'",
    '"q\\"q"',
  ],
]

const octets = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .array(fc.constantFrom(...PIECES), { maxLength: 40 })
    .map((pieces) => Buffer.from(pieces.join(''), 'latin1')),
)

test('no file makes the reader throw, and an error lies within the file', () => {
  fc.assert(
    fc.property(octets, (bytes) => {
      const parsed = parseUci(bytes)
      if (parsed.ok) return
      const lines = Buffer.from(bytes).toString('latin1').split('\n').length
      assert.ok(parsed.error.line <= lines && parsed.error.statementLine <= parsed.error.line + 1)
      assert.ok(parsed.error.byte <= bytes.length + 1)
    }),
    { numRuns },
  )
})

test('what was exported reads back as the same', () => {
  fc.assert(
    fc.property(octets, (bytes) => {
      const parsed = parseUci(bytes)
      // The real export does not quote types, so that odd ones do not survive it.
      if (!parsed.ok || parsed.value.sections.some(({ type }) => !/^[\w-]+$/.test(type))) return
      const again = parseUci(Buffer.from(exportUci('fuzz', parsed.value), 'latin1'))
      assert.ok(again.ok)
      assert.equal(showUci('fuzz', again.value), showUci('fuzz', parsed.value))
    }),
    { numRuns },
  )
})
