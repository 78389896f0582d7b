/** Child processes of the harness. Each dies with the harness, even when that is killed, and is ended by its pid alone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from './wait.ts'

export type Environment = Readonly<Record<string, string>>

/** What a command said and how it ended; `code` is 128 + the signal where one ended it. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  /** ms until the command is killed. */
  readonly timeout?: number
  /** Return the outcome of a command that fails instead of throwing. */
  readonly mayFail?: boolean
}

/**
 * What a service manager would pass on. Whatever else is set where the tests are started is not part of what they test:
 * NODE_EXTRA_CA_CERTS alone makes each start of Node.js 40 ms longer.
 */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => ['PATH', 'HOME', 'LANG', 'TMPDIR'].includes(name)),
)
/** How much of a process's output is kept: its last characters. */
const KEPT = 4_000_000
/** ms after its end in which a process's output may still arrive. */
const LAST_WORDS = 1000
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
}

/** Runs a command to its end. Throws what it printed if it fails. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = spawnTied(command)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  // A command that ends before it has read all its input is no failure of ours.
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input ?? '')
  const alarm = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 60_000)
  const [code, signal] = await once(child, 'close').finally(() => clearTimeout(alarm))
  const outcome = { code: exitCode(code, signal), stdout, stderr }
  if (outcome.code !== 0 && options.mayFail !== true) {
    throw new Error(`${command.join(' ')}: exit code ${outcome.code}\n${stderr}${stdout}`)
  }
  return outcome
}

/** A long-running process whose output is collected. */
export class Process {
  readonly name: string
  readonly pid: number
  /** Settles with the exit code when the process has ended and its output is here. */
  readonly exited: Promise<number>
  readonly #child: ChildProcess
  #output = ''
  #onOutput: ((text: string) => void) | undefined
  #code: number | undefined

  /** `env` comes on top of what every process gets. */
  constructor(name: string, command: readonly string[], env: Environment = {}) {
    this.name = name
    this.#child = spawnTied(command, env)
    if (this.#child.pid === undefined) throw new Error(`${name} did not start: ${command.join(' ')}`)
    this.pid = this.#child.pid
    const closed = once(this.#child, 'close')
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT)
        this.#onOutput?.(text)
      })
    }
    this.#child.stdin?.on('error', () => {})
    this.exited = once(this.#child, 'exit').then(async ([code, signal]) => {
      // Its own children may hold its output open for ever.
      await Promise.race([closed, sleep(LAST_WORDS)])
      this.#code = exitCode(code, signal)
      return this.#code
    })
  }

  /** What it wrote to stdout and stderr so far. */
  get output(): string {
    return this.#output
  }

  /** Tells of what it writes from now on, in pieces as they come. */
  set onOutput(listener: (text: string) => void) {
    this.#onOutput = listener
  }

  get running(): boolean {
    return this.#code === undefined
  }

  write(data: string | Uint8Array): void {
    this.#child.stdin?.write(data)
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal)
  }

  /** Waits until its output matches; fails at once if it ends before. */
  async waitForOutput(pattern: RegExp, within = 30_000): Promise<RegExpExecArray> {
    return waitFor(
      `${this.name} to say ${pattern}`,
      () => {
        const match = pattern.exec(this.#output)
        if (match === null && !this.running)
          throw new Error(`${this.name} ended with ${this.#code}: ${this.#output.slice(-300)}`)
        return match ?? undefined
      },
      { within, every: 10, explain: () => this.#output.slice(-3000) },
    )
  }

  /** Sends the signal and waits for the end; SIGKILL follows after `within` ms. Returns the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', within = 60_000): Promise<number> {
    this.signal(signal)
    const alarm = setTimeout(() => this.signal('SIGKILL'), within)
    return this.exited.finally(() => clearTimeout(alarm))
  }
}

/**
 * The child leads a session of its own: Ctrl-C reaches only the harness, which ends things in order, and a child that
 * signals its process group (l2tpns does on exit) hits nobody else.
 */
function spawnTied(command: readonly string[], env: Environment = {}): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    detached: true,
    env: { ...ENVIRONMENT, ...env },
  })
}

function exitCode(code: number | null, signal: string | null): number {
  return code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0)
}
