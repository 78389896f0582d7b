/** Configuration files, and the files with secrets that they name. */
import { notationOf } from '../core/config/notation.ts'
import { formatProblem, formatWarning, type Problem } from '../core/config/problems.ts'
import { type LoadedConfig, type ReadConfig, readConfig as read } from '../core/config/read.ts'
import type { FileSecret, SecretSource } from '../core/config/schema.ts'
import { decodeText } from '../core/config/text.ts'
import type { Config } from '../core/config/types.ts'
import { err, ok, type Result } from '../core/result.ts'
import { system } from './system/engine.ts'
import type { FileFacts } from './system/port.ts'

const { files } = system

/** Reads and validates a file, and the files of secrets that it names. Never throws: what went wrong is in the problems. */
export function loadConfig(file: string): Result<LoadedConfig, readonly Problem[]> {
  const content = readWhole(file, MAX_CONFIG_OCTETS)
  if (!content.ok) return err([problem('error', file, content.error)])
  const { bytes, facts } = content.value
  const notation = notationOf(file, bytes)
  const result = read(bytes, { file, notation, secrets: secretFiles })
  if (!result.ok) return result
  const warnings = [...result.value.warnings]
  if (holdsSecrets(result.value) && isWorldReadable(facts))
    warnings.push(problem('warning', file, `it holds secrets and ${worldReadable(file)}`))
  return ok({ ...result.value, warnings, file, notation })
}

/** A configuration that can be run, or why not; everything noticed about it in words. */
export function readConfig(
  file: string,
): Result<
  { readonly config: Config; readonly warnings: readonly string[] },
  { readonly code: 'config_invalid'; readonly message: string; readonly problems: readonly string[] }
> {
  const loaded = loadConfig(file)
  if (loaded.ok) {
    const { config, warnings } = loaded.value
    return ok({ config, warnings: warnings.map(formatWarning) })
  }
  const problems = loaded.error.map(formatProblem)
  return err({ code: 'config_invalid', message: `the configuration ${file} is wrong`, problems })
}

/** Files of secrets on this system: UTF-8 text; a byte order mark and one line break at the end do not count. */
export const secretFiles: SecretSource = {
  read(path: string): Result<FileSecret, string> {
    const content = readWhole(path, MAX_SECRET_OCTETS)
    if (!content.ok) return err(`${path}: ${content.error}`)
    const { bytes, facts } = content.value
    const text = decodeText(bytes)
    if (!text.ok) return err(`${path}: ${text.error}`)
    const warning = isWorldReadable(facts)
      ? `${path}: it holds a secret and ${worldReadable(path)}`
      : undefined
    return ok({ text: text.value.replace(/\r?\n$/, ''), ...(warning === undefined ? {} : { warning }) })
  },
}

/** What a path leads to, symbolic links followed; undefined if nothing is there that this user may see. */
export function realPath(file: string): string | undefined {
  try {
    return files.real(file)
  } catch {
    return undefined
  }
}

/** What a regular file holds; undefined where it cannot be read. */
export function readFile(file: string): Uint8Array | undefined {
  try {
    return files.look(file)?.kind === 'file' ? files.read(file) : undefined
  } catch {
    return undefined
  }
}

const MAX_CONFIG_OCTETS = 1_000_000
const MAX_SECRET_OCTETS = 4096
const NO_FILE = 'there is no such file'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: NO_FILE,
  ENOTDIR: NO_FILE,
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links go in circles',
}

/** No more than `max` octets are ever asked for: files below /proc say that they have none, and may never end. */
function readWhole(file: string, max: number): Result<{ bytes: Uint8Array; facts: FileFacts }, string> {
  try {
    const facts = files.look(file)
    if (facts === undefined) return err(NO_FILE)
    if (facts.kind === 'folder') return err('it is a folder')
    // Pipes and the like would block; /dev/null is harmless but holds nothing either.
    if (facts.kind !== 'file') return err('it is not a regular file')
    if (facts.octets > max) return err(`it has ${facts.octets} octets, more than ${max}`)
    const bytes = files.read(file, max + 1)
    if (bytes.length > max) return err(`it has more than ${max} octets`)
    return ok({ bytes, facts })
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    return err(REASONS[code] ?? `it cannot be read (${code})`)
  }
}

function holdsSecrets({ effective }: ReadConfig): boolean {
  return effective.some(({ options }) =>
    options.some(({ name }) => name === 'password' || name === 'tunnel_secret'),
  )
}

function isWorldReadable({ permissions }: FileFacts): boolean {
  return (permissions & 0o004) !== 0
}

function worldReadable(file: string): string {
  return `everyone may read it: chmod o-rwx ${file}`
}

function problem(severity: Problem['severity'], file: string, reason: string): Problem {
  return {
    severity,
    file,
    line: undefined,
    section: undefined,
    option: undefined,
    reason,
    allowed: undefined,
  }
}
