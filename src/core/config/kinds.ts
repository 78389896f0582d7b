/** What the value of an option may be: each kind reads one text, says what it allows, and writes values back. */
import { encodeUtf8 } from '../bytes.ts'
import { err, ok, type Result } from '../result.ts'
import { Secret } from '../secret.ts'
import { type Millis, millis } from '../time.ts'

/** One kind of value: how it is read, printed and described. */
export interface Kind<T> {
  /** For the reference: `duration`, `IPv4 address`. */
  readonly name: string
  /** Completes "allowed: ". */
  readonly allowed: string
  /** For the reference, behind the name: `1 to 10`. */
  readonly range?: string
  /** JSON may give `true` or `false`. */
  readonly boolean?: true
  /** A value may hold spaces, so that several in one text cannot be told from one. */
  readonly spaced?: true
  /** JSON and `check` show it in words of their own, never the value. */
  readonly secret?: true
  /** The value, or what is wrong with the text; of a secret the text is not quoted. */
  parse(text: string): Result<T, string>
  /** The value as a user would write it; parsing its text gives the value again. */
  print(value: T): string | number | boolean
  /** The same for values that are the same; what is printed if left out. */
  identity?(value: T): string
}

const TRUE = new Set(['1', 'true', 'on', 'yes', 'enabled'])
const FALSE = new Set(['0', 'false', 'off', 'no', 'disabled'])

/** On or off, in all the words that OpenWrt takes. */
export const flag: Kind<boolean> = {
  name: 'boolean',
  allowed: '1 or 0 (also true/false, on/off, yes/no, enabled/disabled)',
  boolean: true,
  parse(text) {
    if (TRUE.has(text)) return ok(true)
    if (FALSE.has(text)) return ok(false)
    return err(`'${text}' is neither on nor off`)
  },
  print: (value) => value,
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number, unit = ''): Kind<number> {
  return {
    name: 'integer',
    allowed: `${min} to ${max}${unit && ` ${unit}`}`,
    range: `${min} to ${max}`,
    parse(text) {
      if (!/^(0|[1-9]\d*)$/.test(text)) return err(`'${text}' is not a whole number`)
      return between(Number(text), min, max, text)
    },
    print: (value) => value,
  }
}

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, '': 1000, m: 60_000, h: 3_600_000 }

/** A span of time: seconds, or a number with ms, s, m or h. The limits are texts of the same form. */
export function duration(min: string, max: string): Kind<Millis> {
  const lower = milliseconds(min) ?? 0
  const upper = milliseconds(max) ?? 0
  return {
    name: 'duration',
    range: `${min} to ${max}`,
    allowed: `${min} to ${max}, as seconds or with ms, s, m or h`,
    parse(text) {
      const value = milliseconds(text)
      if (value === undefined) return err(`'${text}' is not a duration`)
      const inRange = between(value, lower, upper, text)
      return inRange.ok ? ok(millis(inRange.value)) : inRange
    },
    print: (value) => (value % 1000 === 0 ? value / 1000 : `${value}ms`),
  }
}

function milliseconds(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  return digits === undefined ? undefined : Math.round(Number(digits) * (MILLISECONDS[unit] ?? 0))
}

const FACTOR: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 }

/** A number of octets: plain, or with k, M or G, which are decimal. The limits are texts of the same form. */
export function size(min: string, max: string): Kind<number> {
  const lower = octets(min) ?? 0
  const upper = octets(max) ?? 0
  return {
    name: 'size',
    range: `${min} to ${max}`,
    allowed: `${min} to ${max} octets, plain or with k, M or G (decimal)`,
    parse(text) {
      const value = octets(text)
      if (value === undefined) return err(`'${text}' is not a size`)
      return between(value, lower, upper, text)
    },
    print: (value) => value,
  }
}

function octets(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([kMG])?$/.exec(text) ?? []
  return digits === undefined ? undefined : Math.round(Number(digits) * (FACTOR[unit] ?? 0))
}

function between(value: number, min: number, max: number, text: string): Result<number, string> {
  if (value < min) return err(`'${text}' is too small`)
  return value > max ? err(`'${text}' is too large`) : ok(value)
}

/** One of some words. */
export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  return {
    name: words.map((word) => `\`${word}\``).join(', '),
    allowed: words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    parse(text) {
      const word = words.find((candidate) => candidate === text)
      return word === undefined ? err(`'${text}' is unknown`) : ok(word)
    },
    print: (value) => value,
  }
}

/** A word, or else another kind. */
export function wordOr<const W extends string, T>(word: W, other: Kind<T>): Kind<W | T> {
  return {
    name: `\`${word}\` or ${other.name}`,
    ...(other.range === undefined ? {} : { range: other.range }),
    allowed: `${word}, or ${other.allowed}`,
    parse: (text) => (text === word ? ok(word) : other.parse(text)),
    print: (value) => (value === word ? word : other.print(value as T)),
  }
}

/** A text of one line. `max` counts octets of UTF-8. */
export function text(max: number): Kind<string> {
  return {
    name: 'text',
    range: `1 to ${max} octets`,
    allowed: `a text of 1 to ${max} octets in one line`,
    parse(value) {
      const wrong = wrongLine(value, max)
      return wrong === undefined ? ok(value) : err(`the value ${wrong}`)
    },
    print: (value) => value,
  }
}

/** A password or the like; no message quotes it. */
export function secret(max: number): Kind<Secret> {
  return {
    name: 'secret',
    range: `1 to ${max} octets`,
    allowed: `a text of 1 to ${max} octets in one line`,
    secret: true,
    parse(value) {
      const wrong = wrongLine(value, max)
      return wrong === undefined ? ok(new Secret(value)) : err(`the secret ${wrong}`)
    },
    print: () => '***',
  }
}

function wrongLine(value: string, max: number): string | undefined {
  if (value === '') return 'is empty'
  if (/[\r\n]/.test(value)) return 'holds a line break'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) return 'holds a control character'
  if (/\p{Surrogate}/u.test(value)) return 'holds half a character'
  if (encodeUtf8(value).length > max) return `is longer than ${max} octets`
  return undefined
}

/** A text in which every character is one of a class, such as `a-z0-9_`. */
export function charactersOf(name: string, characters: string, max: number, allowed: string): Kind<string> {
  const pattern = new RegExp(`^[${characters}]+$`)
  return {
    name,
    range: `1 to ${max} of ${allowed}`,
    allowed: `1 to ${max} of ${allowed}`,
    parse(value) {
      if (value.length > max) return err(`'${value}' has ${value.length} characters`)
      return pattern.test(value) ? ok(value) : err(`'${value}' is not a ${name}`)
    },
    print: (value) => value,
  }
}

/** What sections are called. */
export const sectionName: Kind<string> = charactersOf('section name', 'a-z0-9_', 64, "a-z, 0-9 and '_'")

/** The full path of a file or folder. */
export const path: Kind<string> = {
  name: 'path',
  allowed: "a full path, which begins with '/'",
  parse(value) {
    if (wrongLine(value, 4095)) return err('the path is empty, too long or holds control characters')
    // Not quoted: some day somebody writes a password into the option for its file.
    return value.startsWith('/') ? ok(value) : err('it is not a full path')
  },
  print: (value) => value,
}

/** Bits of the packet mark, none of which may be missing altogether. */
export const mask: Kind<number> = {
  name: 'mask',
  allowed: '0x1 to 0xffffffff, or the same number in decimal',
  parse(value) {
    if (!/^(0[xX][0-9a-fA-F]+|\d+)$/.test(value)) return err(`'${value}' is not a mask`)
    return between(Number(value), 1, 0xffffffff, value)
  },
  print: (value) => `0x${value.toString(16).padStart(8, '0')}`,
}
