import type { SystemError } from '../app/ports.ts'
import { folderOf } from '../core/path.ts'
import type { Files } from './system/port.ts'

/** Makes a folder and those above it that are missing; one that is there stays as it is. Throws SystemError. */
export function makeFolder(files: Pick<Files, 'look' | 'makeFolder'>, path: string, mode: number): void {
  try {
    files.makeFolder(path, mode)
  } catch (cause) {
    const { code } = cause as SystemError
    if (code === 'EEXIST' && files.look(path)?.kind === 'folder') return
    const above = folderOf(path)
    if (code !== 'ENOENT' || above === path) throw cause
    makeFolder(files, above, mode)
    files.makeFolder(path, mode)
  }
}
