/** Kernel settings below /proc/sys. */
import { type Sysctls, SystemError } from '../app/ports.ts'
import { encodeUtf8 } from '../core/bytes.ts'
import { readText } from './read-text.ts'
import { system } from './system/engine.ts'

/** Those of this network namespace. */
export const sysctls: Sysctls = sysctlsBelow('/proc/sys/')

/** Those below a folder, whose path ends with a slash. */
export function sysctlsBelow(root: string): Sysctls {
  return {
    read: (path) => readText(`${root}${path}`)?.trimEnd(),

    /** Throws SystemError: ENOENT, EACCES, EROFS (a container, or a unit with ProtectKernelTunables), EINVAL. */
    write(path, value) {
      try {
        // Without a line feed: some settings take a single octet at a time (Linux 6.1), and refuse what is written after that.
        system.files.write(`${root}${path}`, encodeUtf8(value))
      } catch (error) {
        const { code, message } = error as SystemError
        const tried = `could not write ${value} to ${root}${path}`
        throw new SystemError(code, `${tried}: ${message}`, { cause: error })
      }
    },
  }
}
