/** What is left on the machine of networks whose namespaces and folders have names that begin alike. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** Namespaces, processes, mounts and folders whose names begin with `id`, each in a few words. */
export function tracesOf(id: string): string[] {
  return [
    ...list('/run/netns')
      .filter((name) => name.startsWith(id))
      .map((name) => `namespace ${name}`),
    ...list('/proc')
      .filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(id))
      .map((pid) => `process ${pid}: ${commandOf(pid)}`),
    ...readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(id))
      .map((line) => `mount ${line}`),
    ...list(tmpdir())
      .filter((name) => name.startsWith(id))
      .map((name) => `folder ${name}`),
  ]
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

/** Empty if it has ended meanwhile. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}
