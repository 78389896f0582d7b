import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { FileFacts, Files } from '../port.ts'
import { asked, systemError } from './system-error.ts'

/** Octets that are asked for at a time. */
const CHUNK = 65_536

/** The files of this system. */
export const files: Files = {
  read: (path, most = Number.POSITIVE_INFINITY) =>
    withFile(path, constants.O_RDONLY, (fd) => readUpTo(fd, most)),
  look: (path, what) => {
    try {
      return factsOf(what === 'link' ? lstatSync(path) : statSync(path))
    } catch (cause) {
      if (isNothing(cause)) return undefined
      throw systemError(cause)
    }
  },
  list: (folder) => asked(() => readdirSync(folder)),
  target: (link) => asked(() => readlinkSync(link)),
  real: (path) => asked(() => realpathSync(path)),
  tryOpen: (path) => withFile(path, constants.O_RDWR, () => {}),
  write: (path, octets) => withFile(path, constants.O_WRONLY, (fd) => void writeSync(fd, octets)),
  replace,
  rename: (from, to) => asked(() => renameSync(from, to)),
  remove: (path) => {
    try {
      unlinkSync(path)
      return true
    } catch (cause) {
      if (isNothing(cause)) return false
      throw systemError(cause)
    }
  },
  makeFolder: (path, mode) => asked(() => mkdirSync(path, { mode })),
}

function isNothing(cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** Opens without waiting for the other end of a pipe, and closes whatever happens. */
function withFile<T>(path: string, flags: number, use: (fd: number) => T): T {
  return asked(() => {
    const fd = openSync(path, flags | constants.O_NONBLOCK)
    try {
      return use(fd)
    } finally {
      closeSync(fd)
    }
  })
}

function readUpTo(fd: number, most: number): Uint8Array {
  const chunks: Buffer[] = []
  for (let left = most; left > 0; ) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(left, CHUNK))
    const read = readSync(fd, chunk, 0, chunk.length, null)
    if (read === 0) break
    chunks.push(chunk.subarray(0, read))
    left -= read
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function factsOf(stats: Stats): FileFacts {
  return {
    kind: kindOf(stats),
    octets: stats.size,
    device: stats.dev,
    inode: stats.ino,
    user: stats.uid,
    group: stats.gid,
    permissions: stats.mode & 0o7777,
  }
}

function kindOf(stats: Stats): FileFacts['kind'] {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  if (stats.isSymbolicLink()) return 'link'
  return stats.isSocket() ? 'socket' : 'other'
}

async function replace(path: string, octets: Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  try {
    const handle = await open(temporary, 'w', 0o600)
    try {
      await handle.writeFile(octets)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    throw systemError(cause)
  }
}

/** Makes the rename itself last; a file system that cannot do that is no reason to fail. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EINVAL') throw cause
  } finally {
    await handle.close()
  }
}
