/** Keeps the daemon small: routers have little memory, and the start needs more than all the time after it. */
import { setFlagsFromString } from 'node:v8'
import { loadAddon } from './native.ts'

/** When the start is over, and once more when sessions and brokers have settled; ms after `keepSmall`. */
const SETTLED = [10_000, 60_000]

/** The control plane is never hot: compilers beyond the interpreter cost 4 to 6 MB and gain it nothing. */
const FLAGS = ['--no-opt', '--no-sparkplug', '--optimize-for-size']

/** Call it first, and only where the process stays. */
export function keepSmall(): void {
  for (const flag of FLAGS) setFlagsFromString(flag)
  for (const delay of SETTLED) setTimeout(() => loadAddon().giveBack(), delay).unref()
}
