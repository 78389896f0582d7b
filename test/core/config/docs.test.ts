import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configurationPage } from '../../../.tools/docs.ts'
import { fixture } from './reading.ts'

test('docs/configuration.md is what `npm run docs` makes of the schema', () => {
  assert.equal(readFileSync('docs/configuration.md', 'utf8'), configurationPage())
})

for (const name of ['shortest', 'failover', 'server']) {
  test(`the README shows the configuration ${name} word for word, in both notations`, () => {
    const readme = readFileSync('README.md', 'utf8')
    for (const notation of ['uci', 'json'])
      assert.ok(readme.includes(`\n\`\`\`\n${fixture(`${name}.${notation}`)}\`\`\`\n`), notation)
  })
}
