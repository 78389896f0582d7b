/**
 * 10,000 histories of a house with several ways out: what must hold does at every step of each of them. To read the
 * history of a seed: LIFELINE_SEED=123 node --import tsx --test test/core/failover/world.test.ts
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../../sim/failover-judge.ts'

const HISTORIES = 10_000
/** Tests that the histories are told in, so that one can see which part fails. */
const CHAPTER = 2_500
/** Histories that are printed. */
const PRINTED = 3

const only = process.env.LIFELINE_SEED

if (only !== undefined) {
  test(`the history of seed ${only}`, () => {
    const { violations, history } = judge(Number(only), true)
    console.log(history.join('\n'))
    assert.deepEqual(violations, [])
  })
} else {
  for (let first = 0; first < HISTORIES; first += CHAPTER) {
    test(`histories ${first} to ${first + CHAPTER - 1}: never two active, no dead path kept, no flapping, cut-off respected, well in the end`, () => {
      const failed: number[] = []
      let switches = 0
      for (let seed = first; seed < first + CHAPTER; seed++) {
        const verdict = judge(seed)
        switches += verdict.switches
        if (verdict.violations.length > 0) failed.push(seed)
      }
      for (const seed of failed.slice(0, PRINTED))
        console.log(`seed ${seed}\n${judge(seed, true).history.join('\n')}\n`)
      assert.deepEqual(failed, [], 'seeds whose history is not as it must be')
      assert.ok(switches > CHAPTER, 'the histories are eventful')
    })
  }
}
