import type { SystemError, SystemProbe } from '../app/ports.ts'
import { readText } from './read-text.ts'
import { system } from './system/engine.ts'

const { files } = system

/** Looks at the files of this system. */
export const systemProbe: SystemProbe = {
  exists: (path) => asked(() => files.look(path)) !== undefined,
  read: readText,
  names: (path) => asked(() => files.list(path)) ?? [],
  link: (path) => asked(() => files.target(path)),

  mode(path) {
    const facts = files.look(path)
    return facts && { uid: facts.user, gid: facts.group, permissions: facts.permissions }
  },

  openError(path) {
    try {
      files.tryOpen(path)
      return undefined
    } catch (cause) {
      return (cause as SystemError).code
    }
  },
}

/** Undefined where the system refuses to tell. */
function asked<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch {
    return undefined
  }
}
