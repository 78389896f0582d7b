import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { equal, identityOf } from '../../src/core/equal.ts'
import { Secret } from '../../src/core/secret.ts'
import { reversed } from './reversed.ts'

/** JSON as it comes back from a text: without -0. */
const value = fc.jsonValue().map((it): unknown => JSON.parse(JSON.stringify(it)))

describe('equality', () => {
  it('does not see in which order properties were written down', () => {
    assert.ok(equal({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }))
    assert.equal(identityOf({ a: 1, b: [{ c: 2, d: 3 }] }), identityOf({ b: [{ d: 3, c: 2 }], a: 1 }))
    fc.assert(
      fc.property(value, (it) => equal(it, reversed(it)) && identityOf(it) === identityOf(reversed(it))),
    )
  })

  it('is that of Node for what JSON can say, and has the same identities', () => {
    const pair = fc.oneof(
      fc.tuple(value, value),
      value.map((it) => [it, reversed(it)]),
    )
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const same = isDeepStrictEqual(a, b)
        assert.equal(equal(a, b), same)
        assert.equal(identityOf(a) === identityOf(b), same)
      }),
    )
  })

  it('takes a property that is undefined for none', () => {
    assert.ok(equal({ a: 1, b: undefined }, { a: 1 }))
    assert.ok(equal({ a: 1 }, { b: undefined, a: 1 }))
    assert.ok(!equal({ a: 1 }, { a: 1, b: null }))
  })

  it('sees the order and the length of lists, and that a list is no record', () => {
    assert.ok(!equal([1, 2], [2, 1]))
    assert.ok(!equal([1], [1, 2]))
    assert.ok(!equal([], {}))
    assert.ok(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2)))
    assert.ok(!equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3)))
  })

  it('sees what secrets hide', () => {
    assert.ok(equal({ a: new Secret('x') }, { a: new Secret('x') }))
    assert.ok(!equal({ a: new Secret('x') }, { a: new Secret('y') }))
    assert.ok(!equal({ a: new Secret('x') }, { a: {} }))
  })
})
