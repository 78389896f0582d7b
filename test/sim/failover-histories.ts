import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from './failover-judge.ts'

/** Histories that are printed. */
const PRINTED = 3
const PROMISES = 'never two active, no dead path kept, no flapping, cut-off respected, well in the end'

/** Tests that all of these histories are as they must be, told in chapters, so that one can see which part fails. */
export function historiesHold(histories: number, chapter: number): void {
  const only = process.env.LIFELINE_SEED
  if (only !== undefined) {
    test(`the history of seed ${only}`, async () => {
      const { violations, history } = await judge(Number(only), true)
      console.log(history.join('\n'))
      assert.deepEqual(violations, [])
    })
    return
  }
  for (let first = 0; first < histories; first += chapter) {
    test(`histories ${first} to ${first + chapter - 1}: ${PROMISES}`, async () => {
      const failed: number[] = []
      let switches = 0
      for (let seed = first; seed < first + chapter; seed++) {
        const verdict = await judge(seed)
        switches += verdict.switches
        if (verdict.violations.length > 0) failed.push(seed)
      }
      for (const seed of failed.slice(0, PRINTED)) {
        const { history } = await judge(seed, true)
        console.log(`seed ${seed}\n${history.join('\n')}\n`)
      }
      assert.deepEqual(failed, [], 'seeds whose history is not as it must be')
      assert.ok(switches > chapter, 'the histories are eventful')
    })
  }
}
