import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KnownTargets } from '../../../src/app/failover/known-targets.ts'
import { MemoryFiles } from '../../memory-files.ts'

const keys = (count: number) => Array.from({ length: count }, (_, i) => `icmp:192.0.2.${i}`)

test('targets that answered are known over a restart, on the path where they did', () => {
  const files = new MemoryFiles()
  const known = new KnownTargets(files)
  assert.equal(known.remember('fibre', keys(2)), true)
  assert.equal(known.remember('fibre', keys(1)), false)
  const later = new KnownTargets(files)
  assert.deepEqual([...later.of('fibre')], keys(2))
  assert.deepEqual([...later.of('lte')], [])
})

test('more targets than are kept are news once, and none already kept is pushed out by itself', () => {
  const known = new KnownTargets(new MemoryFiles())
  assert.equal(known.remember('fibre', keys(40)), true)
  assert.equal(known.remember('fibre', keys(40)), false)
  assert.equal(known.of('fibre').size, 32)
  assert.equal(known.remember('fibre', ['tcp:192.0.2.9:443', ...keys(31)]), true)
  assert.equal(known.of('fibre').size, 32)
})
