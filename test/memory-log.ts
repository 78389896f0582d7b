import type { Log, LogFields } from '../src/app/ports.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export type Level = (typeof LEVELS)[number]

export interface Entry {
  readonly level: Level
  readonly message: string
  /** Its own, and those of the log that it was told through; functions are left uncalled. */
  readonly fields: LogFields
}

/** Keeps what was logged, oldest first; all that `with` makes of it share the entries. */
export class MemoryLog implements Log {
  readonly entries: Entry[]
  readonly #least: Level
  readonly #fields: LogFields

  /** `least`: the lowest level that is kept, for tests that log more than memory holds. */
  constructor(least: Level = 'debug', entries: Entry[] = [], fields: LogFields = {}) {
    this.#least = least
    this.entries = entries
    this.#fields = fields
  }

  debug(message: string, fields?: LogFields): void {
    this.#keep('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.#keep('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#keep('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.#keep('error', message, fields)
  }

  with(fields: LogFields): Log {
    return new MemoryLog(this.#least, this.entries, { ...this.#fields, ...fields })
  }

  /** All of it, as `level message`. */
  get lines(): string[] {
    return this.entries.map(({ level, message }) => `${level} ${message}`)
  }

  /** Warnings and errors, which a test may want to be none. */
  get complaints(): string[] {
    const { entries } = this
    return entries.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message)
  }

  #keep(level: Level, message: string, fields?: LogFields): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#least)) return
    this.entries.push({ level, message, fields: { ...this.#fields, ...fields } })
  }
}
