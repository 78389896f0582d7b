/** Runs the hooks of the user: the programs of one folder, in the order of their names, as run-parts(8) does. */
import type { Cancel, HookRunner, Log, SystemError } from '../app/ports.ts'
import type { AbortSignal } from '../core/abort.ts'
import type { HookEvent } from '../core/hooks.ts'
import { below } from '../core/path.ts'
import { ProgramLines } from '../core/program-lines.ts'
import { startProgram } from './start-program.ts'
import { system } from './system/engine.ts'
import type { Ending, FileFacts, Program } from './system/port.ts'
import { later } from './timers.ts'

const { files } = system

/** Where hooks lie. */
export const HOOKS_FOLDER = '/etc/lifeline/hooks.d'

/** How long a hook may take. */
export interface HookLimits {
  /** ms until a hook is asked to end (SIGTERM). */
  readonly patience: number
  /** ms from there until it is killed. */
  readonly grace: number
}

const LIMITS: HookLimits = { patience: 10_000, grace: 2000 }
/** ms that output may take after the end of its hook: something in the background may hold it open for ever. */
const LAST_OUTPUT = 200
/** Nothing of the daemon's own environment is passed on: it may name credentials and sockets. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin'

/** The hooks in a folder. A program that everyone may write would give everyone the rights of this process. */
export class HookFolder implements HookRunner {
  readonly #folder: string
  readonly #log: Log
  readonly #limits: HookLimits
  /** Why each path was left out when it was last told. */
  readonly #told = new Map<string, string>()

  constructor(log: Log, folder = HOOKS_FOLDER, limits = LIMITS) {
    this.#log = log
    this.#folder = folder
    this.#limits = limits
  }

  async run(event: HookEvent, signal: AbortSignal): Promise<void> {
    for (const name of this.#names()) {
      if (signal.aborted) return
      await this.#runOne(name, event, signal)
    }
  }

  /** Those that may run, in lexical order. */
  #names(): string[] {
    let names: readonly string[]
    try {
      names = files.list(this.#folder)
    } catch (cause) {
      if (codeOf(cause) !== 'ENOENT') this.#leaveOut(this.#folder, `it cannot be read (${codeOf(cause)})`)
      return []
    }
    if (!this.#passes(this.#folder, folderObjection)) return []
    return names
      .filter((name) => !name.startsWith('.'))
      .sort()
      .filter((name) => this.#passes(below(this.#folder, name), hookObjection))
  }

  #passes(path: string, objectionTo: (facts: FileFacts) => string | undefined): boolean {
    const objection = LEFTOVER.test(path)
      ? 'its name is that of a leftover'
      : objectionAfterLooking(path, objectionTo)
    if (objection === undefined) this.#told.delete(path)
    else this.#leaveOut(path, objection)
    return objection === undefined
  }

  #leaveOut(path: string, reason: string): void {
    if (this.#told.get(path) === reason) return
    this.#told.set(path, reason)
    this.#log.warn('left out of the hooks', { path, reason })
  }

  async #runOne(name: string, event: HookEvent, signal: AbortSignal): Promise<void> {
    const log = this.#log.with({ hook: name, event: event.name })
    const says = (line: string) => log.info('hook says', { line })
    const [output, complaints] = [new ProgramLines(says), new ProgramLines(says)]
    try {
      const program = await startProgram(below(this.#folder, name), [event.name], {
        folder: '/',
        environment: { PATH, ...event.environment },
        input: new Uint8Array(),
        // So that what it started can be ended with it.
        leads: true,
        onOutput: (octets) => output.push(octets),
        onComplaint: (octets) => complaints.push(octets),
      })
      const { late, ending } = await this.#ended(program, signal)
      for (const each of [output, complaints]) each.end()
      if (late) log.warn('a hook took too long and was ended')
      else if ('signal' in ending) log.warn('a hook was ended by a signal', { signal: ending.signal })
      else if (ending.status !== 0) log.warn('a hook failed', { status: ending.status })
    } catch (error) {
      log.warn('a hook could not be started', { error })
    }
  }

  /** How it ended, and whether it had to be ended, once it has said all. */
  async #ended(program: Program, signal: AbortSignal): Promise<{ late: boolean; ending: Ending }> {
    let late = false
    let killing: Cancel | undefined
    const end = () => {
      late = true
      program.signal('SIGTERM')
      killing ??= later(this.#limits.grace, () => program.signal('SIGKILL'))
    }
    const patience = later(this.#limits.patience, end)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    const ending = await program.ended
    patience()
    killing?.()
    signal.removeEventListener('abort', end)
    if (late) program.signal('SIGKILL')
    const cut = later(LAST_OUTPUT, () => program.release())
    await program.closed
    cut()
    return { late, ending }
  }
}

/** Names of what packagers and editors leave behind. */
const LEFTOVER = /~$|\.(dpkg-[a-z]+|rpm[a-z]+|orig|bak|swp|apk-new|opkg-[a-z]+)$/

/** Links are followed: on some systems all of /etc consists of them, and who may make one here is root. */
function objectionAfterLooking(path: string, objectionTo: (facts: FileFacts) => string | undefined) {
  try {
    const facts = files.look(path)
    return facts === undefined ? 'it cannot be looked at (ENOENT)' : objectionTo(facts)
  } catch (cause) {
    return `it cannot be looked at (${codeOf(cause)})`
  }
}

function folderObjection(facts: FileFacts): string | undefined {
  return facts.kind === 'folder' ? writersObjection(facts) : 'it is no directory'
}

function hookObjection(facts: FileFacts): string | undefined {
  if (facts.kind !== 'file') return 'it is no regular file'
  if ((facts.permissions & 0o111) === 0) return 'it is not executable'
  return writersObjection(facts)
}

function writersObjection({ user, group, permissions }: FileFacts): string | undefined {
  if (user !== 0) return 'it does not belong to root'
  if ((permissions & 0o002) !== 0) return 'everyone may write it'
  return (permissions & 0o020) !== 0 && group !== 0 ? 'a group other than root may write it' : undefined
}

function codeOf(cause: unknown): string {
  return (cause as SystemError).code
}
