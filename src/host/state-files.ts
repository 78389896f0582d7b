import type { Log, StateFiles } from '../app/ports.ts'
import { encodeUtf8 } from '../core/bytes.ts'
import { below } from '../core/path.ts'
import { textOf } from '../core/utf8-decoder.ts'
import { makeFolder } from './make-folder.ts'
import { system } from './system/engine.ts'

const { files } = system

/**
 * Small files in one directory, mode 0600 in 0700. A write is atomic also when the power fails (flash file systems), and
 * nothing is written that is there already. Disks may take their time to promise that: nobody waits for them but
 * `settled`. Where the directory cannot be used, values live in memory and one warning says so.
 */
export class StateDirectory implements StateFiles {
  readonly #directory: string
  readonly #log: Log
  readonly #known = new Map<string, string | undefined>()
  /** What is not on disk yet; later texts replace earlier ones. */
  readonly #pending = new Map<string, string>()
  #writing: Promise<void> | undefined
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
    this.#pending.set(checked(name), text)
    this.#writing ??= this.#writeAll()
  }

  /** Resolves when all that was written is on disk, or was given up. */
  async settled(): Promise<void> {
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      await store(this.#directory, ...next).catch((cause) => this.#degrade(cause))
    }
    this.#writing = undefined
  }

  #take(): [name: string, text: string] | undefined {
    for (const entry of this.#pending) {
      this.#pending.delete(entry[0])
      return entry
    }
    return undefined
  }

  #load(name: string): string | undefined {
    const file = below(this.#directory, checked(name))
    try {
      // What a crash left half-written.
      files.remove(`${file}.new`)
      return textOf(files.read(file))
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

async function store(directory: string, name: string, text: string): Promise<void> {
  makeFolder(files, directory, 0o700)
  await files.replace(below(directory, name), encodeUtf8(text))
}

function checked(name: string): string {
  if (!/^[a-z0-9_.-]+$/.test(name) || name.startsWith('.'))
    throw new Error(`not the name of a state file: ${name}`)
  return name
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}
