/** Runs a program of the system to its end; its arguments never pass through a shell. */
import { SystemError } from '../app/ports.ts'
import { concat, encodeUtf8 } from '../core/bytes.ts'
import { textOf } from '../core/utf8-decoder.ts'
import { startProgram } from './start-program.ts'
import { system } from './system/engine.ts'
import type { Ending, Program, ProgramOptions } from './system/port.ts'
import { later } from './timers.ts'

/** Where programs may be although the PATH of some service managers leaves it out. */
const PATH_EXTRA = '/usr/sbin:/sbin:/usr/local/sbin:/run/current-system/sw/bin'

/** ms that output may take after the end of the program: what it has left in the background may hold it open for ever. */
const LAST_OUTPUT = 2000

/** The folders in which programs are looked for. */
export function programPath(): string {
  return `${system.process.environment.PATH ?? ''}:${PATH_EXTRA}`
}

/** What a program gets, and how long it may take. */
export interface RunOptions {
  /** What it gets on its standard input. */
  readonly input?: string
  /** ms after which it is ended. */
  readonly timeLimit: number
  readonly path?: string
}

/**
 * What the program printed. Rejects with SystemError: ENOENT if it is not installed, ETIMEDOUT, or EINVAL with its words
 * if it ended with another status than 0.
 */
export async function runProgram(
  name: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const { input = '', timeLimit, path = programPath() } = options
  const output: Uint8Array[] = []
  const complaints: Uint8Array[] = []
  const program = await started(name, args, {
    environment: { ...system.process.environment, PATH: path, LC_ALL: 'C' },
    input: encodeUtf8(input),
    // What hangs does not outlive this process, and do its work when nobody expects it any more.
    bound: true,
    onOutput: (octets) => output.push(octets),
    onComplaint: (octets) => complaints.push(octets),
  })
  const patience = later(timeLimit, () => program.signal('SIGKILL'))
  const ending = await program.ended
  patience()
  const cut = later(LAST_OUTPUT, () => program.release())
  await program.closed
  cut()
  if ('status' in ending && ending.status === 0) return textOf(concat(...output))
  throw failed([name, ...args].join(' '), ending, textOf(concat(...complaints)))
}

async function started(name: string, args: readonly string[], options: ProgramOptions): Promise<Program> {
  try {
    return await startProgram(name, args, options)
  } catch (cause) {
    if (!(cause instanceof SystemError) || cause.code !== 'ENOENT') throw cause
    throw new SystemError('ENOENT', `the program ${name} is not installed`, { cause })
  }
}

function failed(command: string, ending: Ending, complaints: string): SystemError {
  if ('signal' in ending) return new SystemError('ETIMEDOUT', `${command} was ended by ${ending.signal}`)
  const words = inOneLine(complaints) || `it ended with status ${ending.status}`
  return new SystemError('EINVAL', `${command} refused: ${words}`)
}

/** Without the lines that only point at something in the line above them. */
function inOneLine(complaints: string): string {
  return complaints
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /[^\s^~]/.test(line))
    .join('; ')
}
