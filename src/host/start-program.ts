import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { SystemError } from '../app/ports.ts'

/**
 * Starts a program; its arguments never pass through a shell. Resolves once it runs, before anything that it does can be
 * heard. Rejects with SystemError: ENOENT if there is none, EMFILE or ENFILE (no descriptors left), EAGAIN, EACCES.
 *
 * The only place that spawns: where descriptors are short, node gives a child without any pipes and tells why by an event a
 * moment later, which ends the process unless somebody listens.
 */
export async function startChild(
  name: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<ChildProcess> {
  try {
    const child = spawn(name, args, options)
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      // It stays: what is told later, as of a signal that could not be sent, is no reason to end either.
      child.on('error', reject)
    })
    return child
  } catch (cause) {
    const { code = 'EIO', message } = cause as NodeJS.ErrnoException
    throw new SystemError(code, `${name} could not be started: ${WORDS[code] ?? message}`, { cause })
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program',
  EMFILE: 'this process has no file descriptors left (ulimit -n)',
  ENFILE: 'the system has no file descriptors left',
  EAGAIN: 'the system lets no more processes be started',
}
