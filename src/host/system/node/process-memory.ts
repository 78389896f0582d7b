/** Keeps the daemon small: routers have little memory, and the start needs more than all the time after it. */
import { setFlagsFromString } from 'node:v8'
import type { Log } from '../../../app/ports.ts'
import { addon } from './addon.ts'

/** When the start is over, and once more when sessions and brokers have settled; ms after `keepSmall`. */
const STARTED = 10_000
const SETTLED = 60_000

/** The control plane is never hot: compilers beyond the interpreter cost 4 to 6 MB and gain it nothing. */
const FLAGS = ['--no-opt', '--no-sparkplug', '--optimize-for-size']

/** What V8 compiled of this program, as launcher.ts knows it. */
export interface CompiledCode {
  /** It was there at the start already. */
  readonly fits: boolean
  /** For the next start. To be called once this one has proved to work, and before V8's flags change. */
  keep(): void
}

/** Comes from launcher.ts, and is not there when src runs directly. */
declare const LIFELINE_CODE: CompiledCode

/** May be kept more than once. Where it cannot be, the next start takes longer, no more. */
export function compiledCode(log: Log): CompiledCode {
  if (typeof LIFELINE_CODE === 'undefined') return { fits: true, keep() {} }
  let isKept = false
  return {
    fits: LIFELINE_CODE.fits,
    keep() {
      if (isKept) return
      isKept = true
      try {
        LIFELINE_CODE.keep()
      } catch (error) {
        log.debug('compiled code could not be kept', { error })
      }
    },
  }
}

/**
 * For a process that stays; to be called when all that it needs is loaded. With other flags V8 would not take code that
 * was compiled before, neither ours nor that of Node's modules.
 */
export function keepSmall(code: CompiledCode): void {
  if (code.fits) setFlags()
  setTimeout(() => {
    code.keep()
    setFlags()
    giveBack()
  }, STARTED).unref()
  setTimeout(() => giveBack(), SETTLED).unref()
}

function giveBack(): void {
  const { giveBack } = addon() as { giveBack(): void }
  giveBack()
}

function setFlags(): void {
  for (const flag of FLAGS) setFlagsFromString(flag)
}
