import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NameCache } from '../../../src/core/client/name-cache.ts'

const NAME = 'l2tp.aa.net.uk'

describe('the name cache', () => {
  it('knows nothing at first', () => {
    assert.equal(NameCache.parse(undefined).recall(NAME, 'fibre'), undefined)
  })

  it('gives the last answer over the same uplink, else the latest over any', () => {
    const cache = NameCache.parse(undefined)
    cache.remember(NAME, 'fibre', ['2001:db8::1', '198.51.100.1'])
    cache.remember(NAME, 'lte', ['198.51.100.2'])
    cache.remember('other.example', 'fibre', ['198.51.100.9'])
    assert.deepEqual(cache.recall(NAME, 'fibre'), ['2001:db8::1', '198.51.100.1'])
    assert.deepEqual(cache.recall(NAME, 'lte'), ['198.51.100.2'])
    assert.deepEqual(cache.recall(NAME, 'dsl'), ['198.51.100.2'])
    cache.remember(NAME, 'fibre', ['198.51.100.1'])
    assert.deepEqual(cache.recall(NAME, 'dsl'), ['198.51.100.1'])
  })

  it('says when there is something new to write', () => {
    const cache = NameCache.parse(undefined)
    assert.equal(cache.remember(NAME, 'fibre', ['2001:db8::1', '198.51.100.1']), true)
    assert.equal(cache.remember(NAME, 'fibre', ['198.51.100.1', '2001:DB8:0::1']), false)
    assert.equal(cache.remember(NAME, 'lte', ['198.51.100.1', '2001:db8::1']), true)
    assert.equal(cache.remember(NAME, 'fibre', ['198.51.100.1']), true)
    assert.equal(cache.remember(NAME, 'fibre', []), false)
    assert.deepEqual(cache.recall(NAME, 'fibre'), ['198.51.100.1'])
  })

  it('survives a restart', () => {
    const cache = NameCache.parse(undefined)
    cache.remember(NAME, 'fibre', ['2001:db8::1'])
    cache.remember(NAME, 'lte', ['198.51.100.1'])
    const text = cache.toText()
    const reread = NameCache.parse(text)
    assert.equal(reread.toText(), text)
    assert.deepEqual(reread.recall(NAME, 'fibre'), ['2001:db8::1'])
    assert.deepEqual(reread.recall(NAME, 'dsl'), ['198.51.100.1'])
  })

  it('keeps the address that carried a session, whatever resolvers say, until another one does', () => {
    const cache = NameCache.parse(undefined)
    cache.remember(NAME, 'fibre', ['198.51.100.1', '198.51.100.2'])
    assert.equal(cache.carried(NAME, 'fibre', '198.51.100.2'), true)
    assert.equal(cache.carried(NAME, 'fibre', '198.51.100.2'), false)
    cache.remember(NAME, 'fibre', ['192.0.2.80'])
    cache.remember(NAME, 'fibre', ['192.0.2.81'])
    const reread = NameCache.parse(cache.toText())
    assert.deepEqual(reread.recall(NAME, 'fibre'), ['198.51.100.2', '192.0.2.81'])
    reread.remember(NAME, 'lte', ['192.0.2.80'])
    assert.deepEqual(reread.recall(NAME, 'lte'), ['198.51.100.2', '192.0.2.80'], 'over another uplink too')
    reread.carried(NAME, 'fibre', '192.0.2.81')
    assert.deepEqual(reread.recall(NAME, 'fibre'), ['192.0.2.81'])
  })

  it('forgets the oldest beyond 64', () => {
    const cache = NameCache.parse(undefined)
    for (let i = 0; i < 65; i++) cache.remember(`lns${i}.example`, 'fibre', ['198.51.100.1'])
    assert.equal(cache.recall('lns0.example', 'fibre'), undefined)
    assert.deepEqual(cache.recall('lns1.example', 'fibre'), ['198.51.100.1'])
    const many = Array.from({ length: 40 }, (_, i) => `198.51.100.${i}`)
    cache.remember(NAME, 'fibre', many)
    assert.deepEqual(cache.recall(NAME, 'fibre'), many.slice(0, 16))
  })

  it('makes the best of a file that is not as it was written', () => {
    const entry = { name: NAME, uplink: 'fibre', addresses: ['198.51.100.1', 'junk'] }
    const entries = [
      null,
      7,
      [],
      { name: NAME },
      { ...entry, addresses: [7] },
      { ...entry, uplink: 1 },
      entry,
    ]
    assert.deepEqual(NameCache.parse(JSON.stringify(entries)).recall(NAME, 'fibre'), ['198.51.100.1'])
    for (const text of ['', '{', 'null', '{"a":1}', '"text"', JSON.stringify([entry]).slice(0, -1)]) {
      assert.equal(NameCache.parse(text).recall(NAME, 'fibre'), undefined)
    }
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void NameCache.parse(text)))
  })
})
