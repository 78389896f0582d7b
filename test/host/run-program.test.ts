import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from '../../src/host/run-program.ts'

test('what a program complains of is one line', async () => {
  const complaint =
    "printf 'Error: not permitted\\n\\n  table inet x\\n  ^^^^\\nnetlink: Error: failed\\n' >&2; exit 1"
  await assert.rejects(runProgram('sh', ['-c', complaint], { timeLimit: 10_000 }), (error: Error) => {
    assert.match(error.message, / refused: Error: not permitted; table inet x; netlink: Error: failed$/)
    return true
  })
})
