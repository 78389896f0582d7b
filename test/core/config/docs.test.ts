import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configurationPage } from '../../../.tools/docs.ts'

test('docs/configuration.md is what `npm run docs` makes of the schema', () => {
  assert.equal(readFileSync('docs/configuration.md', 'utf8'), configurationPage())
})
