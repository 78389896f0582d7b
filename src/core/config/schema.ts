/** The form of the schema: what each section file says of its options, for the reader, the reference and later LuCI. */
import { err, ok, type Result } from '../result.ts'
import type { Kind } from './kinds.ts'
import type { Report } from './problems.ts'

/** One option. `V` is what the section's `build` gets: a value, a list, or undefined. */
export interface Option<V> {
  readonly kindName: string
  /** For the reference, behind the name of the kind. */
  readonly range: string | undefined
  readonly allowed: string
  /** One sentence for the reference; Markdown. */
  readonly doc: string
  /** The version that brought it. */
  readonly since: string
  /** The default as a user would write it; undefined if there is none. */
  readonly defaultText: string | undefined
  readonly list: boolean
  readonly required: boolean
  readonly secret: boolean
  readonly takesBoolean: boolean
  /** The value of one or more texts; errors carry the index of the text. */
  read(texts: readonly string[]): Result<V, readonly ReadError[]>
  /** The value where the option is left out. */
  absent(section: string): V
  /** Each value as a user would write it; none where there is no value. */
  print(value: V): readonly (string | number | boolean)[]
}

/** Why a value cannot be used, in words; `index` is its position in the list, from 0. */
export interface ReadError {
  readonly index: number
  readonly reason: string
  /** Where it is not what the option allows in general. */
  readonly allowed?: string
}

/** The options of a type of section, by name. */
export type Options = Readonly<Record<string, Option<unknown>>>

/** What `build` gets: one property for each option. */
export type Values<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer V> ? V : never }

/** What a section may ask while it is built. */
export interface BuildContext {
  readonly name: string
  /** Whether an option was written, even if wrongly. */
  readonly given: (option: string) => boolean
  /** Whether the section takes part; what does not needs only be written correctly. */
  readonly enabled: boolean
  readonly report: Report
  readonly secrets: SecretSource
}

/** Files that hold one secret each. */
export interface SecretSource {
  read(path: string): Result<FileSecret, string>
}

/** A secret that came from a file of its own. */
export interface FileSecret {
  readonly text: string
  /** What is unwise about the file, such as that everyone may read it. */
  readonly warning?: string
}

/** A type of section. `C` is what it becomes in `Config`. */
export interface Section<O extends Options, C> {
  readonly type: string
  readonly doc: string
  readonly options: O
  /** The only name that a section of this type may have, which it also has if it is anonymous. */
  readonly onlyName?: string
  /** What a section without a name goes by; the second one has a 2 behind it. Without this a name is needed. */
  readonly anonymousName?: string
  /** There is one such section at most, whatever its name. */
  readonly single?: true
  /** Options of other programs that are known, not obeyed, and more than a slip: what is said of them. */
  readonly foreign?: Readonly<Record<string, Foreign>>
  build(values: Values<O>, context: BuildContext): C
}

/** What is said of an option that other programs know and this one does not. */
export interface Foreign {
  readonly severity: 'error' | 'warning'
  readonly reason: string
}

interface About {
  readonly doc: string
  readonly since?: string
  readonly required?: boolean
}

/**
 * An option with one value. Left out it is `default` (written as a user would), or what `defaultFor` makes of the
 * section's name and `defaultText` describes, else undefined.
 */
export function one<T>(kind: Kind<T>, about: About & { default: string }): Option<T>
export function one<T>(
  kind: Kind<T>,
  about: About & { defaultFor: (section: string) => T; defaultText: string },
): Option<T>
export function one<T>(kind: Kind<T>, about: About & { defaultText?: string }): Option<T | undefined>
export function one<T>(
  kind: Kind<T>,
  about: About & { default?: string; defaultFor?: (section: string) => T; defaultText?: string },
): Option<T | undefined> {
  const fallback = about.default === undefined ? undefined : parsed(kind, about.default)
  return {
    ...common(kind, about),
    defaultText: about.defaultText ?? about.default,
    list: false,
    read([first = '', ...more]) {
      if (more.length > 0)
        return err([{ index: 1, reason: 'there is more than one value', allowed: 'one value' }])
      const value = kind.parse(first)
      return value.ok ? value : err([{ index: 0, reason: value.error }])
    },
    absent: about.defaultFor ?? (() => fallback),
    print: (value) => (value === undefined ? [] : [kind.print(value)]),
  }
}

/**
 * An option with any number of values. `default` is as a user would write them, empty if left out. One text may hold
 * several, divided by spaces as in other files of OpenWrt, where no value can hold a space itself.
 */
export function list<T>(
  kind: Kind<T>,
  about: About & { default?: readonly string[]; defaultText?: string },
): Option<readonly T[]> {
  const fallback = (about.default ?? []).map((text) => parsed(kind, text))
  return {
    ...common(kind, about),
    defaultText: about.defaultText ?? about.default?.join(' '),
    list: true,
    read(texts) {
      const values: T[] = []
      const errors: ReadError[] = []
      const seen = new Map<string, string>()
      for (const { index, text } of texts.flatMap((text, index) => divided(kind, text, index))) {
        const value = kind.parse(text)
        if (!value.ok) {
          errors.push({
            index,
            reason: `${value.error}${kind.spaced && isSeveral(kind, text) ? EACH_ITS_OWN : ''}`,
          })
          continue
        }
        const identity = kind.identity?.(value.value) ?? String(kind.print(value.value))
        const first = seen.get(identity)
        if (first === undefined) values.push(value.value)
        else errors.push({ index, reason: twice(first, text), allowed: 'each value once' })
        seen.set(identity, first ?? text)
      }
      return errors.length > 0 ? err(errors) : ok(values)
    },
    absent: () => fallback,
    print: (values) => values.map((value) => kind.print(value)),
  }
}

const EACH_ITS_OWN = ' (give each value a `list` line, or an element of an array, of its own)'

/** Each value of a text, with the index of that. */
function divided(kind: Kind<unknown>, text: string, index: number): { index: number; text: string }[] {
  const words = kind.spaced ? [] : text.split(/\s+/).filter((word) => word !== '')
  return (words.length === 0 ? [text] : words).map((word) => ({ index, text: word }))
}

/** Several values in one are a common slip, as other programs divide them at spaces. */
function isSeveral(kind: Kind<unknown>, text: string): boolean {
  const words = text.trim().split(/\s+/)
  return words.length > 1 && words.every((word) => kind.parse(word).ok)
}

function twice(first: string, text: string): string {
  return text === first ? `'${text}' stands there twice` : `'${text}' is the same as '${first}'`
}

function common<T>(kind: Kind<T>, about: About) {
  return {
    kindName: kind.name,
    range: kind.range,
    allowed: kind.allowed,
    doc: about.doc,
    since: about.since ?? '0.1.0',
    required: about.required ?? false,
    secret: kind.secret ?? false,
    takesBoolean: kind.boolean ?? false,
  }
}

function parsed<T>(kind: Kind<T>, text: string): T {
  const value = kind.parse(text)
  if (!value.ok) throw new Error(`the schema's own default is wrong: ${value.error}`)
  return value.value
}
