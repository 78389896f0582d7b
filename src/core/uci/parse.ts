/** OpenWrt's configuration language, read as libuci reads it: the same files accepted, the same values, the same order. */
import { err, ok, type Result } from '../result.ts'
import { CHAR, isSpace, Statement } from './statement.ts'

/** A parsed file. All texts hold one character (U+0000 to U+00FF) for each octet of the file. */
export interface UciPackage {
  readonly sections: readonly UciSection[]
}

/** A section of a UCI file: `config TYPE 'NAME'`. */
export interface UciSection {
  readonly type: string
  /** The given name, or the one generated for an anonymous section (`cfg` and hexadecimal digits). */
  readonly name: string
  readonly anonymous: boolean
  /** Line of its first `config`, from 1. */
  readonly line: number
  /** Lines of the later ones, which go on with it. */
  readonly continued: readonly number[]
  readonly options: readonly UciOption[]
}

/** An option of a section, with one value or a list of them. */
export interface UciOption {
  readonly name: string
  /** Whether any of it came from a `list` line. */
  readonly list: boolean
  /** One for an option, one or more for a list; never none. */
  readonly values: readonly UciValue[]
  /** Lines of the values that a later `option` put an end to. */
  readonly replaced: readonly number[]
}

/** A value of an option. */
export interface UciValue {
  readonly text: string
  /** Line in which its statement starts, from 1. */
  readonly line: number
}

/** Why a file is refused: where the reader stood, and where the statement began (an open quote runs to the end). */
export interface UciError {
  readonly reason: string
  readonly line: number
  /** Octets from the start of the statement. */
  readonly byte: number
  readonly statementLine: number
  /** The section that the statement is about, as far as it was read; an anonymous one has no name. */
  readonly section?: Pick<UciSection, 'type'> & { readonly name?: string }
  /** The option that it is about, or what stands in the place of its name. */
  readonly option?: string
  /** The section that has the name already. */
  readonly taken?: Pick<UciSection, 'type' | 'line'>
}

/** What an error is about. Never a value, which may be a secret. */
type About = Pick<UciError, 'section' | 'option' | 'taken'>

/** Reads a whole file. */
export function parseUci(bytes: Uint8Array): Result<UciPackage, UciError> {
  return new Parser(bytes).run()
}

interface MutableSection extends UciSection {
  readonly continued: number[]
  readonly options: MutableOption[]
}

interface MutableOption {
  readonly name: string
  list: boolean
  values: UciValue[]
  readonly replaced: number[]
}

const KEYWORDS: ReadonlyMap<string, 'package' | 'config' | 'option' | 'list'> = new Map([
  ['p', 'package'],
  ['package', 'package'],
  ['c', 'config'],
  ['config', 'config'],
  ['o', 'option'],
  ['option', 'option'],
  ['l', 'list'],
  ['list', 'list'],
])

const NAME = /^[A-Za-z0-9_]+$/
const PACKAGE_NAME = /^[A-Za-z0-9_-]+$/
const TYPE = /^[!-~]+$/

class Parser {
  readonly #statement: Statement
  readonly #sections: MutableSection[] = []
  /** The first section of each name: what a later `config` line with that name continues. */
  readonly #named = new Map<string, MutableSection>()
  #section: MutableSection | undefined
  #startLine = 0
  #about: About = {}
  #failure: UciError | undefined

  constructor(bytes: Uint8Array) {
    this.#statement = new Statement(bytes)
  }

  run(): Result<UciPackage, UciError> {
    const statement = this.#statement
    while (!statement.inputEnded) {
      this.#startLine = statement.line + 1
      statement.position = 0
      statement.fetchLine(0)
      if (statement.exhausted) this.#fail('out of memory')
      else this.#line()
      if (this.#failure) return err(this.#failure)
    }
    return ok({ sections: this.#sections })
  }

  /** One line may hold several statements, divided by `;`. */
  #line(): void {
    const statement = this.#statement
    statement.skipSpace()
    while (!this.#failure) {
      this.#about = {}
      const { word, end } = this.#nextWord()
      if (word === '' || word.startsWith('#')) return
      const keyword = KEYWORDS.get(word)
      if (keyword === undefined) {
        this.#fail('invalid command')
      } else if ((keyword === 'option' || keyword === 'list') && this.#section === undefined) {
        this.#fail('option/list command found before the first section')
      } else if (end + 1 > statement.filled) {
        this.#fail(`${keyword === 'list' ? 'option' : keyword} without name`)
      } else {
        statement.position = end + 1
        if (keyword === 'package') this.#package()
        else if (keyword === 'config') this.#config()
        else this.#option(keyword === 'list')
      }
    }
  }

  /** What stands next up to a space or tab, which alone may precede it, and the index behind it. */
  #nextWord(): { word: string; end: number } {
    const { position } = this.#statement
    const text = this.#statement.text(position)
    const [blanks = ''] = /^[ \t]*/.exec(text) ?? []
    const [word = ''] = text.slice(blanks.length).split(/[ \t]/, 1)
    return { word, end: position + blanks.length + word.length }
  }

  /** `package NAME`: in a file of its own the name is checked and otherwise ignored. */
  #package(): void {
    this.#word({ required: true, pattern: PACKAGE_NAME })
    this.#endOfStatement()
  }

  #config(): void {
    const type = this.#word({ required: true })
    if (type === undefined) return
    if (!TYPE.test(type)) this.#fail('invalid character in type field')
    if (this.#failure) return
    const name = this.#word({
      pattern: NAME,
      about: (text) => ({ section: text === '' ? { type } : { type, name: text } }),
    })
    this.#endOfStatement()
    if (name === undefined || this.#failure) return
    const known = name === '' ? undefined : this.#named.get(name)
    if (known && known.type !== type) {
      this.#about = { ...this.#about, taken: known }
      this.#fail('section of different type overwrites prior section with same name')
      return
    }
    known?.continued.push(this.#startLine)
    this.#section = known ?? this.#open(type, name)
  }

  #open(type: string, name: string): MutableSection {
    const section = {
      type,
      name: name === '' ? generatedName(type, this.#sections.length + 1) : name,
      anonymous: name === '',
      line: this.#startLine,
      continued: [],
      options: [],
    }
    this.#sections.push(section)
    if (!this.#named.has(section.name)) this.#named.set(section.name, section)
    return section
  }

  #option(list: boolean): void {
    const section = titleOf(this.#section)
    this.#about = { section }
    const name = this.#word({ required: true, pattern: NAME, about: (option) => ({ section, option }) })
    if (name === undefined) return
    const text = this.#word({})
    this.#endOfStatement()
    if (text === undefined || this.#failure) return
    // An empty option sets nothing and leaves an earlier value alone; an empty list item is an item.
    if (text === '' && !list) return
    const options = this.#section?.options ?? []
    const value = { text, line: this.#startLine }
    const known = options.find((option) => option.name === name)
    if (known === undefined) {
      options.push({ name, list, values: [value], replaced: [] })
    } else if (list) {
      known.list = true
      known.values.push(value)
    } else {
      known.list = false
      known.replaced.push(...known.values.map(({ line }) => line))
      known.values = [value]
    }
  }

  /**
   * The next word, rewritten in place without its quotes; empty where there is none. Undefined after a failure, which
   * an empty word is if it is `required`, and another one if it does not match `pattern`. From a word that is a name on,
   * the statement is `about` something.
   */
  #word(rule: { required?: boolean; pattern?: RegExp; about?: (name: string) => About }): string | undefined {
    const statement = this.#statement
    statement.skipSpace()
    const start = statement.position
    if (statement.char() === CHAR.semicolon) {
      statement.put(start, CHAR.end)
      statement.position++
    } else {
      this.#unquote()
    }
    if (this.#failure) return undefined
    const word = statement.text(start)
    if (word !== '' && rule.about) this.#about = rule.about(nameIn(word))
    if (word === '' && rule.required) this.#fail('insufficient arguments')
    else if (word !== '' && rule.pattern?.test(word) === false) this.#fail('invalid character in name field')
    return this.#failure ? undefined : word
  }

  #unquote(): void {
    const statement = this.#statement
    let target = statement.position
    let atSemicolon = false
    do {
      const char = statement.char()
      if (char === CHAR.singleQuote || char === CHAR.doubleQuote) {
        target = this.#quoted(char, target)
        if (this.#failure) return
        continue
      }
      if (char === CHAR.comment) statement.put(statement.position, CHAR.end)
      atSemicolon = char === CHAR.semicolon
      if (char === CHAR.comment || char === CHAR.end || atSemicolon) break
      if (char === CHAR.backslash && !this.#escaped()) continue
      statement.put(target++, statement.char())
      statement.position++
    } while (statement.char() !== CHAR.end && !isSpace(statement.char()))
    // The white space after the word is about to be overwritten, where the word was not shortened.
    if (statement.char() !== CHAR.end && !atSemicolon) statement.position++
    statement.put(target, CHAR.end)
  }

  /** Moves a quoted text to `target`, over as many lines as it takes; returns where the moved text ends. */
  #quoted(quote: number, target: number): number {
    const statement = this.#statement
    statement.position++
    for (;;) {
      const char = statement.char()
      if (char === quote) {
        statement.position++
        return target
      }
      if (char === CHAR.end) {
        statement.fetchLine(statement.position)
        if (statement.exhausted) this.#fail('out of memory')
        else if (statement.char() === CHAR.end)
          this.#fail(`EOF with unterminated ${String.fromCharCode(quote)}`)
        if (this.#failure) return target
        continue
      }
      if (quote === CHAR.doubleQuote && char === CHAR.backslash && !this.#escaped()) continue
      statement.put(target++, statement.char())
      statement.position++
    }
  }

  /** Steps over a backslash. True if the character behind it is to be taken as it is, false if it joined two lines. */
  #escaped(): boolean {
    const statement = this.#statement
    const at = ++statement.position
    const crlf =
      statement.char(at) === CHAR.carriageReturn &&
      statement.char(at + 1) === CHAR.newline &&
      statement.char(at + 2) === CHAR.end
    if (statement.char(at) !== CHAR.end && statement.char(at) !== CHAR.newline && !crlf) return true
    statement.fetchLine(at)
    if (statement.exhausted) this.#fail('out of memory')
    return false
  }

  #endOfStatement(): void {
    if (this.#failure) return
    const extra = this.#word({})
    if (extra) this.#fail('too many arguments')
  }

  #fail(reason: string): void {
    this.#failure ??= {
      reason,
      line: this.#statement.line,
      byte: this.#statement.position,
      statementLine: this.#startLine,
      ...this.#about,
    }
  }
}

/** As far as it may be a name: behind a character such as `=` a value may stand that was never to be seen. */
function nameIn(word: string): string {
  return /^[A-Za-z0-9_.-]{0,64}/.exec(word)?.[0] ?? ''
}

function titleOf(section: UciSection | undefined): UciError['section'] {
  if (section === undefined) return undefined
  return section.anonymous ? { type: section.type } : { type: section.type, name: section.name }
}

/** The name that libuci gives to an anonymous section: its number among all sections, and 16 bits of a hash of its type. */
function generatedName(type: string, number: number): string {
  let hash = 5381
  for (const char of type) hash = (Math.imul(hash, 33) + char.charCodeAt(0)) | 0
  return `cfg${number.toString(16).padStart(2, '0')}${(hash & 0xffff).toString(16).padStart(4, '0')}`
}
