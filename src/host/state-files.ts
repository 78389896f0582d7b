import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Log, StateFiles } from '../app/ports.ts'

/**
 * Small files in one directory, mode 0600 in 0700. A write is atomic also when the power fails (flash file systems), and
 * nothing is written that is there already. Where the directory cannot be used, values live in memory and one warning
 * says so.
 */
export class StateDirectory implements StateFiles {
  readonly #directory: string
  readonly #log: Log
  readonly #known = new Map<string, string | undefined>()
  #warned = false

  constructor(directory: string, log: Log) {
    this.#directory = directory
    this.#log = log
  }

  read(name: string): string | undefined {
    if (!this.#known.has(name)) this.#known.set(name, this.#load(name))
    return this.#known.get(name)
  }

  write(name: string, text: string): void {
    if (this.read(name) === text) return
    this.#known.set(name, text)
    try {
      store(this.#directory, checked(name), text)
    } catch (cause) {
      this.#degrade(cause)
    }
  }

  #load(name: string): string | undefined {
    try {
      return readFileSync(join(this.#directory, checked(name)), 'utf8')
    } catch (cause) {
      if (codeOf(cause) !== 'ENOENT') this.#degrade(cause)
      return undefined
    }
  }

  #degrade(cause: unknown): void {
    if (codeOf(cause) === undefined) throw cause
    if (this.#warned) return
    this.#warned = true
    this.#log.warn('state cannot be kept on disk and will be lost at a restart: check option state_dir', {
      state_dir: this.#directory,
      cause,
    })
  }
}

function store(directory: string, name: string, text: string): void {
  const file = join(directory, name)
  const temporary = `${file}.new`
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const fd = openSync(temporary, 'w', 0o600)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, file)
  syncDirectory(directory)
}

/** Makes the rename itself last; a file system that cannot do that is no reason to fail. */
function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r')
  try {
    fsyncSync(fd)
  } catch (cause) {
    if (codeOf(cause) !== 'EINVAL') throw cause
  } finally {
    closeSync(fd)
  }
}

function checked(name: string): string {
  if (!/^[a-z0-9_.-]+$/.test(name) || name.startsWith('.'))
    throw new Error(`not the name of a state file: ${name}`)
  return name
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}
