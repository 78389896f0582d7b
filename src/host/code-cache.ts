/**
 * What V8 made of our source, kept between starts. To parse and compile the program is most of its start: 45 ms of a
 * dial on a fast machine, seconds of every command on a small router.
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
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

const FILE = 'code'
/** Octets of the SHA-256 that the file begins with. */
const DIGEST = 32

/**
 * One file, in one folder: a digest of what follows and of the build that it belongs to, then the code. V8 itself refuses
 * code of another V8 or of other flags, but takes damaged code as it is; so nothing that is not whole is handed to it.
 */
export class CodeCache {
  readonly #folder: string
  readonly #build: string

  /** `build` is different for each version of the source. */
  constructor(folder: string, build: string) {
    this.#folder = folder
    this.#build = build
  }

  /** Undefined unless there is code of this build, whole, and from nobody but root or ourselves: it will be run. */
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

  /** Appears in one step. Throws what the system refused. */
  write(code: Uint8Array): void {
    const temporary = join(this.#folder, `${FILE}.${process.pid}`)
    mkdirSync(this.#folder, { recursive: true, mode: 0o755 })
    try {
      writeFileSync(temporary, Buffer.concat([this.#digest(code), code]), { mode: 0o644, flag: 'wx' })
      renameSync(temporary, join(this.#folder, FILE))
    } catch (cause) {
      rmSync(temporary, { force: true })
      throw cause
    }
  }

  #digest(code: Uint8Array): Buffer {
    return createHash('sha256').update(this.#build).update('\0').update(code).digest()
  }
}

function readTrusted(path: string): Buffer | undefined {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { uid, mode } = fstatSync(file)
    const isOurs = uid === 0 || uid === process.geteuid?.()
    return isOurs && (mode & 0o022) === 0 ? readFileSync(file) : undefined
  } finally {
    closeSync(file)
  }
}
