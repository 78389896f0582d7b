/** Kernel settings below /proc/sys. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Sysctls, SystemError } from '../app/ports.ts'

/** Those of this network namespace. */
export const sysctls: Sysctls = sysctlsBelow('/proc/sys/')

/** Those below a folder, whose path ends with a slash. */
export function sysctlsBelow(root: string): Sysctls {
  return {
    read(path) {
      try {
        return readFileSync(`${root}${path}`, 'latin1').trimEnd()
      } catch {
        return undefined
      }
    },

    /** Throws SystemError: ENOENT, EACCES, EROFS (a container, or a unit with ProtectKernelTunables), EINVAL. */
    write(path, value) {
      try {
        // Without a line feed: some settings take a single octet at a time (Linux 6.1), and refuse what is written after that.
        writeFileSync(`${root}${path}`, value)
      } catch (error) {
        const { code = 'EIO', message } = error as NodeJS.ErrnoException
        const tried = `could not write ${value} to ${root}${path}`
        throw new SystemError(code, `${tried}: ${message}`, { cause: error })
      }
    },
  }
}
