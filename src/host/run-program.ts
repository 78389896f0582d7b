/** Runs a program of the system to its end; its arguments never pass through a shell. */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { SystemError } from '../app/ports.ts'
import { startChild } from './start-child.ts'

/** Where programs may be although the PATH of some service managers leaves it out. */
const PATH_EXTRA = '/usr/sbin:/sbin:/usr/local/sbin:/run/current-system/sw/bin'

/** ms that output may take after the end of the program. */
const LAST_OUTPUT = 2000

/** The folders in which programs are looked for. */
export function programPath(): string {
  return `${process.env.PATH ?? ''}:${PATH_EXTRA}`
}

/** What hangs does not outlive this process, and do its work when nobody expects it any more. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

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
  const child = await started(name, args, {
    env: { ...process.env, PATH: path, LC_ALL: 'C' },
    timeout: timeLimit,
    killSignal: 'SIGKILL',
  })
  const { stdin, stdout, stderr } = child
  running.add(child)
  return new Promise((resolve, reject) => {
    const output: Buffer[] = []
    const complaints: Buffer[] = []
    stdout?.on('data', (chunk: Buffer) => output.push(chunk))
    stderr?.on('data', (chunk: Buffer) => complaints.push(chunk))
    // It may end before it has read everything; its exit status says why.
    stdin?.on('error', () => {})
    // What it has left in the background may hold the pipes open for ever.
    child.on('exit', () => {
      const cut = setTimeout(() => {
        stdout?.destroy()
        stderr?.destroy()
      }, LAST_OUTPUT)
      child.on('close', () => clearTimeout(cut))
    })
    child.on('close', (status, signal) => {
      running.delete(child)
      if (status === 0) resolve(Buffer.concat(output).toString())
      else reject(failed([name, ...args].join(' '), status, signal, Buffer.concat(complaints).toString()))
    })
    stdin?.end(input)
  })
}

async function started(name: string, args: readonly string[], options: SpawnOptions): Promise<ChildProcess> {
  try {
    return await startChild(name, args, options)
  } catch (cause) {
    if (!(cause instanceof SystemError) || cause.code !== 'ENOENT') throw cause
    throw new SystemError('ENOENT', `the program ${name} is not installed`, { cause })
  }
}

function failed(
  command: string,
  status: number | null,
  signal: NodeJS.Signals | null,
  complaints: string,
): SystemError {
  if (status === null) return new SystemError('ETIMEDOUT', `${command} was ended by ${signal}`)
  const words = inOneLine(complaints) || `it ended with status ${status}`
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
