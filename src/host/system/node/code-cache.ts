/**
 * What V8 made of our source, kept between starts. To parse and compile the program is most of its start: 30 to 60 ms
 * on a fast machine.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const FILE = 'code'
/** Where a daemon puts the code that it is trying, until it has proved to work. */
const TRIED = 'code.tried'
/** Octets of the SHA-256 that the file begins with. */
const DIGEST = 32

/**
 * One file, in one folder: a digest of what follows and of all that it fits, then the code. V8 takes damaged code as it
 * is, and code of another build of its own version; so nothing that is not whole, and from here, is handed to it.
 */
export class CodeCache {
  readonly #folder: string
  readonly #origin: string

  /** `origin` is different for each source, and for each build of V8. */
  constructor(folder: string, origin: string) {
    this.#folder = folder
    this.#origin = origin
  }

  /** Undefined unless there is code of this origin, whole, and from nobody but root or ourselves: it will be run. */
  read(): Buffer | undefined {
    try {
      const bytes = readTrusted(join(this.#folder, FILE))
      if (bytes === undefined) return undefined
      const code = bytes.subarray(DIGEST)
      return this.#digest(code).equals(bytes.subarray(0, DIGEST)) ? code : undefined
    } catch {
      return undefined
    }
  }

  /**
   * The same, and nobody gets it again before `putBack`: if it makes the process crash, the next one runs without it.
   * Undefined also where it cannot be taken away.
   */
  take(): Buffer | undefined {
    const code = this.read()
    try {
      if (code !== undefined) renameSync(join(this.#folder, FILE), join(this.#folder, TRIED))
      return code
    } catch {
      return undefined
    }
  }

  /** What was taken has proved to work. May be repeated. */
  putBack(): void {
    try {
      renameSync(join(this.#folder, TRIED), join(this.#folder, FILE))
    } catch {
      // Another daemon was faster, or the folder is gone.
    }
  }

  /** Appears in one step. Throws what the system refused. */
  write(code: Uint8Array): void {
    const temporary = join(this.#folder, `${FILE}.${process.pid}`)
    mkdirSync(this.#folder, { recursive: true, mode: 0o755 })
    try {
      writeFileSync(temporary, Buffer.concat([this.#digest(code), code]), { mode: 0o644, flag: 'wx' })
      renameSync(temporary, join(this.#folder, FILE))
      rmSync(join(this.#folder, TRIED), { force: true })
    } catch (cause) {
      rmSync(temporary, { force: true })
      throw cause
    }
  }

  #digest(code: Uint8Array): Buffer {
    return createHash('sha256').update(this.#origin).update('\0').update(code).digest()
  }
}

/** Who may write the folder can put any file of root into it, so it counts as well: root runs nothing from a service's. */
function readTrusted(path: string): Buffer | undefined {
  if (!isOurs(statSync(dirname(path)))) return undefined
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    return isOurs(fstatSync(file)) ? readFileSync(file) : undefined
  } finally {
    closeSync(file)
  }
}

function isOurs({ uid, mode }: Stats): boolean {
  return (uid === 0 || uid === process.geteuid?.()) && (mode & 0o022) === 0
}
