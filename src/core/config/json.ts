/** JSON (RFC 8259) with the line of every value, which JSON.parse does not give. */
import { err, ok, type Result } from '../result.ts'

/** A JSON value (RFC 8259) with the line, from 1, on which it begins. */
export type JsonNode =
  | { readonly kind: 'string'; readonly text: string; readonly line: number }
  /** `text` as written. */
  | { readonly kind: 'number'; readonly text: string; readonly line: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly line: number }
  | { readonly kind: 'null'; readonly line: number }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[]; readonly line: number }
  | { readonly kind: 'object'; readonly members: readonly JsonMember[]; readonly line: number }

/** Members keep the order of the text; a name may occur more than once. */
export interface JsonMember {
  readonly name: string
  readonly line: number
  readonly value: JsonNode
}

/** `line` and `column` from 1. */
export interface JsonError {
  readonly line: number
  readonly column: number
  readonly reason: string
}

/** Deeper nesting is refused rather than followed. */
const MAX_DEPTH = 64

/** Reads a whole text. */
export function parseJson(text: string): Result<JsonNode, JsonError> {
  return new JsonReader(text).run()
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class JsonReader {
  readonly #text: string
  #at = 0
  #line = 1
  #lineStart = 0
  #failure: JsonError | undefined

  constructor(text: string) {
    this.#text = text
  }

  run(): Result<JsonNode, JsonError> {
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) this.#fail('something follows the end of the JSON text')
    return value === undefined || this.#failure ? err(this.#failure ?? this.#here('no value')) : ok(value)
  }

  #value(depth: number): JsonNode | undefined {
    this.#space()
    const line = this.#line
    if (depth > MAX_DEPTH) return this.#fail('nested too deeply')
    const char = this.#text[this.#at]
    if (char === '{') return this.#object(depth)
    if (char === '[') return this.#array(depth)
    if (char === '"') {
      const text = this.#string()
      return text === undefined ? undefined : { kind: 'string', text, line }
    }
    const [number] = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y)
    if (number !== undefined) return { kind: 'number', text: number, line }
    const [word] = this.#match(/true|false|null/y)
    if (word === 'null') return { kind: 'null', line }
    if (word !== undefined) return { kind: 'boolean', value: word === 'true', line }
    return this.#fail(char === undefined ? 'the text ends where a value is due' : 'a value is due here')
  }

  #object(depth: number): JsonNode | undefined {
    const line = this.#line
    const members: JsonMember[] = []
    const closed = this.#elements('}', () => {
      this.#space()
      const at = this.#line
      if (this.#text[this.#at] !== '"') return this.#fail('a name in double quotes is due here')
      const name = this.#string()
      this.#space()
      if (name === undefined || !this.#take(':')) return this.#fail("':' is due here")
      const value = this.#value(depth + 1)
      if (value !== undefined) members.push({ name, line: at, value })
      return value
    })
    return closed ? { kind: 'object', members, line } : undefined
  }

  #array(depth: number): JsonNode | undefined {
    const line = this.#line
    const items: JsonNode[] = []
    const closed = this.#elements(']', () => {
      const value = this.#value(depth + 1)
      if (value !== undefined) items.push(value)
      return value
    })
    return closed ? { kind: 'array', items, line } : undefined
  }

  /** From the opening bracket to `close`; false after a failure. */
  #elements(close: '}' | ']', element: () => JsonNode | undefined): boolean {
    this.#at++
    this.#space()
    if (this.#take(close)) return true
    for (;;) {
      if (element() === undefined) return false
      this.#space()
      if (this.#take(close)) return true
      if (!this.#take(',')) {
        this.#fail(`',' or '${close}' is due here`)
        return false
      }
    }
  }

  #string(): string | undefined {
    this.#at++
    let text = ''
    for (;;) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 section 7 excludes them
      text += this.#match(/[^"\\\u0000-\u001f]*/y)[0] ?? ''
      const char = this.#text[this.#at]
      if (char === '"') {
        this.#at++
        return text
      }
      if (char !== '\\') {
        this.#fail(char === undefined ? 'the text ends within a string' : 'a string ends within its line')
        return undefined
      }
      const [, simple, hex] = this.#match(/\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))/y)
      if (simple !== undefined) text += ESCAPES[simple]
      else if (hex !== undefined) text += String.fromCharCode(Number.parseInt(hex, 16))
      else {
        this.#fail('the escape after a backslash is unknown')
        return undefined
      }
    }
  }

  #space(): void {
    for (;;) {
      const char = this.#text[this.#at]
      if (char !== ' ' && char !== '\t' && char !== '\r' && char !== '\n') return
      this.#at++
      if (char === '\n') {
        this.#line++
        this.#lineStart = this.#at
      }
    }
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  /** Matches a sticky pattern here and steps over it. */
  #match(pattern: RegExp): readonly (string | undefined)[] {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return []
    this.#at += match[0].length
    return match
  }

  #here(reason: string): JsonError {
    return { line: this.#line, column: this.#at - this.#lineStart + 1, reason }
  }

  #fail(reason: string): undefined {
    this.#failure ??= this.#here(reason)
  }
}
