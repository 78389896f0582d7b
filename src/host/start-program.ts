import { SystemError } from '../app/ports.ts'
import { system } from './system/engine.ts'
import type { Program, ProgramOptions } from './system/port.ts'

/** Starts a program, and says in words why it could not be started. Rejects as the port does. */
export async function startProgram(
  name: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Program> {
  try {
    return await system.programs.start(name, args, options)
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    const { code, message } = cause
    throw new SystemError(code, `${name} could not be started: ${WORDS[code] ?? message}`, { cause })
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program',
  EMFILE: 'this process has no file descriptors left (ulimit -n)',
  ENFILE: 'the system has no file descriptors left',
  EAGAIN: 'the system lets no more processes be started',
}
