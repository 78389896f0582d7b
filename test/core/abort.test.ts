import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AbortController } from '../../src/core/abort.ts'

/** The platform's own, which this one stands in for. */
const PLATFORM = globalThis.AbortController

for (const [name, Controller] of [
  ['ours', AbortController],
  ['that of the platform', PLATFORM],
] as const) {
  describe(`a signal, ${name}`, () => {
    test('tells each listener once, in order, and none that left or came too late', () => {
      const controller = new Controller()
      const { signal } = controller
      const told: string[] = []
      const leaves = () => told.push('left')
      signal.addEventListener('abort', () => {
        told.push('first')
        signal.removeEventListener('abort', leavesMeanwhile)
      })
      const leavesMeanwhile = () => told.push('left meanwhile')
      signal.addEventListener('abort', leaves)
      signal.addEventListener('abort', leavesMeanwhile)
      signal.addEventListener('abort', () => told.push('second'))
      signal.removeEventListener('abort', leaves)
      assert.equal(signal.aborted, false)
      controller.abort()
      controller.abort()
      signal.addEventListener('abort', () => told.push('late'))
      assert.deepEqual(told, ['first', 'second'])
      assert.equal(signal.aborted, true)
    })

    test('has the first reason that was given, and throws it', () => {
      const controller = new Controller()
      const reason = new Error('enough')
      controller.signal.throwIfAborted()
      assert.equal(controller.signal.reason, undefined)
      controller.abort(reason)
      controller.abort(new Error('another'))
      assert.equal(controller.signal.reason, reason)
      assert.throws(() => controller.signal.throwIfAborted(), reason)
    })

    test('has a reason of its own where none was given', () => {
      const controller = new Controller()
      controller.abort()
      assert.throws(() => controller.signal.throwIfAborted(), { name: 'AbortError' })
    })
  })
}
