import { toHex } from '../core/bytes.ts'
import type { LogLevel } from '../core/config/types.ts'
import { Secret } from '../core/secret.ts'
import type { Log, LogFields } from './ports.ts'

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** sd-daemon(3): how journald learns the level of a line. */
const JOURNAL_PREFIX: Readonly<Record<LogLevel, string>> = {
  debug: '<7>',
  info: '<6>',
  warn: '<4>',
  error: '<3>',
}

/** How each line begins. `journal` and `daemon` leave the time to journald and procd; `terminal` shows it, `file` with the date. */
export type LogStyle = 'journal' | 'daemon' | 'terminal' | 'file'

const MAX_VALUE = 512
const MAX_OCTETS = 64

/** Structured lines: a message, then `key=value` fields. This is the one place where secrets are redacted. */
export class LineLog implements Log {
  readonly #sink: Sink
  readonly #fields: LogFields

  constructor(sink: Sink, fields: LogFields = {}) {
    this.#sink = sink
    this.#fields = fields
  }

  debug(message: string, fields?: LogFields): void {
    this.#line('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.#line('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#line('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.#line('error', message, fields)
  }

  with(fields: LogFields): LineLog {
    return new LineLog(this.#sink, { ...this.#fields, ...fields })
  }

  #line(level: LogLevel, message: string, fields: LogFields = {}): void {
    const { style, write } = this.#sink
    if (RANK[level] < RANK[this.#sink.level]) return
    write(`${start(level, style)}${formatLine(message, { ...this.#fields, ...fields })}\n`)
  }
}

/** Where lines go; shared by a log and all made from it by `with`, so that a new `level` holds for all. */
export interface Sink {
  level: LogLevel
  readonly style: LogStyle
  /** Takes one line with its line feed. */
  readonly write: (line: string) => void
}

/** One line without its beginning: `message key=value key="two words"`, with everything secret redacted. */
export function formatLine(message: string, fields: LogFields): string {
  const parts = [escapeControls(message)]
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) parts.push(`${key}=${formatValue(key, value)}`)
  }
  return parts.join(' ')
}

/** Fields by these names are never shown, whatever they hold. */
const SECRET_KEY = /password|secret|challenge|response|^authenticator$/i

function formatValue(key: string, value: unknown): string {
  if (value instanceof Secret || SECRET_KEY.test(key)) return '***'
  const text = plain(typeof value === 'function' ? value() : value)
  const short = text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}...` : text
  return /^[^\s"=\\]+$/.test(short) && !hasControls(short) ? short : JSON.stringify(short)
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return describe(value)
  if (value instanceof Uint8Array) return octets(value)
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(',')
  if (typeof value === 'object' && value !== null) return JSON.stringify(value, redact) ?? ''
  return String(value)
}

function redact(key: string, value: unknown): unknown {
  if (SECRET_KEY.test(key)) return '***'
  return value instanceof Uint8Array ? octets(value) : value
}

function octets(bytes: Uint8Array): string {
  const hex = toHex(bytes.subarray(0, MAX_OCTETS))
  return bytes.length > MAX_OCTETS ? `${hex}...(${bytes.length} octets)` : hex
}

/** An error with a code is a failure of the system and tells itself; one without is our bug, and needs its stack. */
function describe(error: Error): string {
  const cause = error.cause instanceof Error ? `: ${describe(error.cause)}` : ''
  if ('code' in error) return `${error.message} (${String(error.code)})${cause}`
  return `${stackOf(error)}${cause}`
}

/** What was thrown, then where, in one line: some engines have both in `stack`, some only the places. */
function stackOf({ name, message, stack = '' }: Error): string {
  const text = /^\s*(at |$)/.test(stack) ? `${name}: ${message}\n${stack}` : stack
  return text.trim().replace(/\n\s*/g, ' ')
}

function start(level: LogLevel, style: LogStyle): string {
  switch (style) {
    case 'journal':
      return JOURNAL_PREFIX[level]
    case 'daemon':
      return `${level}: `
    case 'terminal':
      return `${new Date().toISOString().slice(11, 23)} ${level.padEnd(5)} `
    case 'file':
      return `${new Date().toISOString()} ${level}: `
  }
}

function hasControls(text: string): boolean {
  return escapeControls(text) !== text
}

/** A peer must not be able to start a new line or to speak to a terminal. */
function escapeControls(text: string): string {
  return Array.from(text, (character) => {
    const point = character.codePointAt(0) ?? 0
    const control = point < 0x20 || (point >= 0x7f && point < 0xa0) || point === 0x2028 || point === 0x2029
    return control ? `\\u${point.toString(16).padStart(4, '0')}` : character
  }).join('')
}
