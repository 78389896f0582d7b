/** Kernel settings below /proc/sys. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Sysctls, SystemError } from '../app/ports.ts'

const ROOT = '/proc/sys/'

export const sysctls: Sysctls = {
  read(path) {
    try {
      return readFileSync(`${ROOT}${path}`, 'latin1').trimEnd()
    } catch {
      return undefined
    }
  },

  /** Throws SystemError: ENOENT, EACCES, EROFS (a container, or a unit with ProtectKernelTunables), EINVAL. */
  write(path, value) {
    try {
      writeFileSync(`${ROOT}${path}`, `${value}\n`)
    } catch (error) {
      const { code = 'EIO', message } = error as NodeJS.ErrnoException
      throw new SystemError(code, `could not write ${value} to ${ROOT}${path}: ${message}`, { cause: error })
    }
  },
}
