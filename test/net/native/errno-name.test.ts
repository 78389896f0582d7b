import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadAddon } from '../../../src/host/native.ts'

const addon = loadAddon()

test('errors have the names of this CPU, also those that its C library has two for', () => {
  assert.equal(addon.errnoName(2), 'ENOENT')
  assert.equal(addon.errnoName(11), 'EAGAIN')
  assert.equal(addon.errnoName(98_765), 'E98765')
  const names = Array.from({ length: 140 }, (_, i) => addon.errnoName(i + 1))
  for (const name of ['EBADFD', 'EOPNOTSUPP', 'ESHUTDOWN', 'EHOSTDOWN', 'ENONET', 'EADDRNOTAVAIL'])
    assert.equal(names.filter((each) => each === name).length, 1, name)
})
