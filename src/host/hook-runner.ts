/** Runs the hooks of the user: the programs of one folder, in the order of their names, as run-parts(8) does. */
import type { ChildProcess } from 'node:child_process'
import { readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import type { HookRunner, Log } from '../app/ports.ts'
import type { AbortSignal } from '../core/abort.ts'
import type { HookEvent } from '../core/hooks.ts'
import { logLines } from './log-lines.ts'
import { startChild } from './start-child.ts'

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
    let names: string[]
    try {
      names = readdirSync(this.#folder)
    } catch (cause) {
      if (codeOf(cause) !== 'ENOENT') this.#leaveOut(this.#folder, `it cannot be read (${codeOf(cause)})`)
      return []
    }
    if (!this.#passes(this.#folder, folderObjection)) return []
    return names
      .filter((name) => !name.startsWith('.'))
      .sort()
      .filter((name) => this.#passes(join(this.#folder, name), hookObjection))
  }

  #passes(path: string, objectionTo: (stats: Stats) => string | undefined): boolean {
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
    try {
      const child = await startChild(join(this.#folder, name), [event.name], {
        cwd: '/',
        env: { PATH, ...event.environment },
        stdio: ['ignore', 'pipe', 'pipe'],
        // A process group of its own, so that what it started can be ended with it.
        detached: true,
      })
      for (const stream of [child.stdout, child.stderr])
        if (stream !== null) logLines(stream, (line) => log.info('hook says', { line }))
      tell(log, await this.#ended(child, signal))
    } catch (error) {
      log.warn('a hook could not be started', { error })
    }
  }

  /** Rejects if it does not even start. */
  #ended(child: ChildProcess, signal: AbortSignal): Promise<Ending> {
    return new Promise((resolve, reject) => {
      let late = false
      let killing: NodeJS.Timeout | undefined
      const end = () => {
        late = true
        killGroup(child, 'SIGTERM')
        killing ??= setTimeout(() => killGroup(child, 'SIGKILL'), this.#limits.grace)
      }
      const ending = setTimeout(end, this.#limits.patience)
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
      const settled = () => {
        clearTimeout(ending)
        clearTimeout(killing)
        signal.removeEventListener('abort', end)
      }
      child.on('error', (error) => {
        settled()
        reject(error)
      })
      child.on('exit', (status, by) => {
        settled()
        if (late) killGroup(child, 'SIGKILL')
        const cut = setTimeout(() => {
          child.stdout?.destroy()
          child.stderr?.destroy()
        }, LAST_OUTPUT)
        child.on('close', () => {
          clearTimeout(cut)
          resolve({ late, status, by })
        })
      })
    })
  }
}

interface Ending {
  /** It had to be ended. */
  readonly late: boolean
  readonly status: number | null
  readonly by: NodeJS.Signals | null
}

function tell(log: Log, { late, status, by }: Ending): void {
  if (late) log.warn('a hook took too long and was ended')
  else if (by !== null) log.warn('a hook was ended by a signal', { signal: by })
  else if (status !== 0) log.warn('a hook failed', { status })
}

/** Names of what packagers and editors leave behind. */
const LEFTOVER = /~$|\.(dpkg-[a-z]+|rpm[a-z]+|orig|bak|swp|apk-new|opkg-[a-z]+)$/

/** Links are followed: on some systems all of /etc consists of them, and who may make one here is root. */
function objectionAfterLooking(path: string, objectionTo: (stats: Stats) => string | undefined) {
  try {
    return objectionTo(statSync(path))
  } catch (cause) {
    return `it cannot be looked at (${codeOf(cause)})`
  }
}

function folderObjection(stats: Stats): string | undefined {
  return stats.isDirectory() ? writersObjection(stats) : 'it is no directory'
}

function hookObjection(stats: Stats): string | undefined {
  if (!stats.isFile()) return 'it is no regular file'
  if ((stats.mode & 0o111) === 0) return 'it is not executable'
  return writersObjection(stats)
}

function writersObjection({ uid, gid, mode }: Stats): string | undefined {
  if (uid !== 0) return 'it does not belong to root'
  if ((mode & 0o002) !== 0) return 'everyone may write it'
  return (mode & 0o020) !== 0 && gid !== 0 ? 'a group other than root may write it' : undefined
}

/** The hook and all that it started, unless that has made a group of its own. */
function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended by itself.
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}
