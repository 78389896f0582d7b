import { type ChildProcess, spawn } from 'node:child_process'
import { SystemError } from '../../../app/ports.ts'
import type { Ending, Program, ProgramOptions, Programs } from '../port.ts'

/** The programs of this system. */
export const programs: Programs = {
  /**
   * Where descriptors are short, Node gives a child without any pipes and tells why by an event a moment later, which ends
   * the process unless somebody listens.
   */
  async start(name, args, options) {
    const { environment, folder, input, leads = false } = options
    try {
      const child = spawn(name, args, {
        env: environment,
        ...(folder === undefined ? {} : { cwd: folder }),
        stdio: [input.length === 0 ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        detached: leads,
      })
      const program = new NodeProgram(child, options)
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        // It stays: what is told later, as of a signal that could not be sent, is no reason to end either.
        child.on('error', reject)
      })
      return program
    } catch (cause) {
      const { code = 'EIO', message } = cause as NodeJS.ErrnoException
      throw new SystemError(code, message)
    }
  },
}

/** Those that end with this process. */
const bound = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of bound) child.kill('SIGKILL')
})

class NodeProgram implements Program {
  readonly #child: ChildProcess
  readonly #leads: boolean
  readonly ended: Promise<Ending>
  readonly closed: Promise<void>

  constructor(child: ChildProcess, options: ProgramOptions) {
    this.#child = child
    this.#leads = options.leads ?? false
    child.stdout?.on('data', (chunk: Buffer) => options.onOutput(octets(chunk)))
    child.stderr?.on('data', (chunk: Buffer) => options.onComplaint(octets(chunk)))
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.input)
    if (options.bound) bound.add(child)
    this.ended = new Promise((resolve) =>
      child.once('exit', (status, signal) => {
        bound.delete(child)
        resolve(signal === null ? { status: status ?? 0 } : { signal })
      }),
    )
    this.closed = new Promise((resolve) => child.once('close', () => resolve()))
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#child
    if (!this.#leads || pid === undefined) {
      this.#child.kill(name)
      return
    }
    try {
      process.kill(-pid, name)
    } catch {
      // All of it has ended.
    }
  }

  release(): void {
    this.#child.stdout?.destroy()
    this.#child.stderr?.destroy()
  }
}

function octets(chunk: Buffer): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
}
