import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Octets of the heap that are still held when all garbage is gone; what the last turn of the event loop holds is garbage. */
export async function heldHeap(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let round = 0; round < 4; round++) {
    await new Promise(setImmediate)
    collect()
  }
  return process.memoryUsage().heapUsed
}
