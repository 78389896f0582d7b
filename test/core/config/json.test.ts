import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type JsonNode, parseJson } from '../../../src/core/config/json.ts'

/** What JSON.parse makes of the same text, without __proto__, which it treats as any other name. */
function plainValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'null':
      return null
    case 'boolean':
      return node.value
    case 'number':
      return Number(node.text)
    case 'string':
      return node.text
    case 'array':
      return node.items.map(plainValue)
    case 'object':
      return Object.fromEntries(node.members.map(({ name, value }) => [name, plainValue(value)]))
  }
}

function official(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

test('accepts and refuses what JSON.parse does, and reads the same', () => {
  const json = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.constantFrom(undefined, 2, '\t'))
    .map(([text, space]) => JSON.stringify(JSON.parse(text), undefined, space))
  const mutated = fc
    .tuple(
      json,
      fc.nat(),
      fc.nat(3),
      fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '\n', 'e', '.', '\\u00'),
    )
    .map(([text, at, gone, put]) => {
      const index = at % (text.length + 1)
      return text.slice(0, index) + put + text.slice(index + gone)
    })
  fc.assert(
    fc.property(fc.oneof(json, mutated), (text) => {
      const parsed = parseJson(text)
      const expected = official(text)
      assert.equal(parsed.ok, expected !== undefined, text)
      if (parsed.ok) assert.deepEqual(plainValue(parsed.value), expected?.value)
    }),
    { numRuns: 5000 },
  )
})

test('knows the line of each name and value', () => {
  const parsed = parseJson('{\n "a":\n  1,\r\n "b": [\n  true,\n\n  "x" ]\n}')
  assert.ok(parsed.ok && parsed.value.kind === 'object')
  const [a, b] = parsed.value.members
  assert.deepEqual([a?.line, a?.value.line, b?.line, b?.value.line], [2, 3, 4, 4])
  assert.ok(b?.value.kind === 'array')
  assert.deepEqual(
    b.value.items.map(({ line }) => line),
    [5, 7],
  )
})

test('says where it stopped', () => {
  const refusals: [string, number, number, RegExp][] = [
    ['', 1, 1, /ends where a value is due/],
    ['{\n  "a" 1}', 2, 7, /':' is due/],
    ['[1,\n 2\n 3]', 3, 2, /',' or ']' is due/],
    ['["a\nb"]', 1, 4, /a string ends within its line/],
    ['[01]', 1, 3, /',' or ']'/],
    ['[1] x', 1, 5, /something follows/],
    ['[tru]', 1, 2, /a value is due/],
  ]
  for (const [text, line, column, reason] of refusals) {
    const parsed = parseJson(text)
    assert.ok(!parsed.ok, text)
    assert.deepEqual([parsed.error.line, parsed.error.column], [line, column], text)
    assert.match(parsed.error.reason, reason)
  }
})

test('refuses endless nesting instead of running out of stack', () => {
  const parsed = parseJson('['.repeat(1_000_000))
  assert.ok(!parsed.ok)
  assert.match(parsed.error.reason, /nested too deeply/)
})
