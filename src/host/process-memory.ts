/** Keeps the daemon small: routers have little memory, and the start needs more than all the time after it. */
import { setFlagsFromString } from 'node:v8'
import { loadAddon } from './native.ts'

/** When the start is over, and once more when sessions and brokers have settled; ms after `keepSmall`. */
const STARTED = 10_000
const SETTLED = 60_000

/** The control plane is never hot: compilers beyond the interpreter cost 4 to 6 MB and gain it nothing. */
const FLAGS = ['--no-opt', '--no-sparkplug', '--optimize-for-size']

/**
 * For a process that stays. `onStarted` is called when the start is over, before V8's flags change: with other flags it
 * would not take code that was compiled before, its own included.
 */
export function keepSmall(onStarted: () => void): void {
  setTimeout(() => {
    onStarted()
    for (const flag of FLAGS) setFlagsFromString(flag)
    loadAddon().giveBack()
  }, STARTED).unref()
  setTimeout(() => loadAddon().giveBack(), SETTLED).unref()
}
