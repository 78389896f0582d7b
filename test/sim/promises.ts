/** Promises in virtual time: what hangs on them happens before time goes on. */
import { promiseHooks } from 'node:v8'

let moved = false

function move(): void {
  moved = true
}

promiseHooks.createHook({ init: move, settled: move })

/** Runs it; resolves once all promises are kept that can be now, or is undefined where it has made and kept none. */
export function settling(run: () => void): Promise<void> | undefined {
  moved = false
  run()
  return moved ? new Promise((resolve) => setImmediate(resolve)) : undefined
}
