import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs'
import type { SystemProbe } from '../app/ports.ts'

/** Looks at the files of this system. */
export const systemProbe: SystemProbe = {
  exists: existsSync,

  read(path) {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },

  openError(path) {
    try {
      closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK))
      return undefined
    } catch (cause) {
      return (cause as NodeJS.ErrnoException).code ?? 'EIO'
    }
  },
}
