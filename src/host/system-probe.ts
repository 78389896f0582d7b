import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs'
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

  names(path) {
    try {
      return readdirSync(path)
    } catch {
      return []
    }
  },

  link(path) {
    try {
      return readlinkSync(path)
    } catch {
      return undefined
    }
  },

  mode(path) {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat && { uid: stat.uid, gid: stat.gid, permissions: stat.mode & 0o7777 }
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
