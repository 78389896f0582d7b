/** Keeps the daemon small: routers have little memory, and the start needs more than all the time after it. */
import { setFlagsFromString } from 'node:v8'
import { loadAddon } from './native.ts'

/** When the start is over, and once more when sessions and brokers have settled; ms after `keepSmall`. */
const STARTED = 10_000
const SETTLED = 60_000

/** The control plane is never hot: compilers beyond the interpreter cost 4 to 6 MB and gain it nothing. */
const FLAGS = ['--no-opt', '--no-sparkplug', '--optimize-for-size']

/** What V8 compiled of this program, as launcher.ts knows it. */
export interface CompiledCode {
  /** The next start will find it. */
  readonly isKept: boolean
  keep(): void
}

/**
 * For a process that stays; to be called when all that it needs is loaded. With other flags V8 would not take code that
 * was compiled before, neither ours nor that of Node's modules.
 */
export function keepSmall(code: CompiledCode): void {
  if (code.isKept) setFlags()
  setTimeout(() => {
    if (!code.isKept) code.keep()
    setFlags()
    loadAddon().giveBack()
  }, STARTED).unref()
  setTimeout(() => loadAddon().giveBack(), SETTLED).unref()
}

function setFlags(): void {
  for (const flag of FLAGS) setFlagsFromString(flag)
}
