/** The two notations, UCI and JSON, read into one form. */
import { decodeUtf8 } from '../bytes.ts'
import { parseUci, type UciOption, type UciSection } from '../uci/parse.ts'
import { type JsonMember, type JsonNode, parseJson } from './json.ts'
import type { SourceOption, SourceSection, SourceValue } from './source.ts'

export type Notation = 'uci' | 'json'

/** A configuration as written. Where there are problems, what could be read is here all the same. */
export interface Source {
  readonly sections: readonly SourceSection[]
  readonly problems: readonly SourceProblem[]
}

export interface SourceProblem {
  readonly line: number
  readonly section?: string
  readonly option?: string
  readonly reason: string
  readonly allowed?: string
}

/** By the extension of the file (`.json`, `.uci`), otherwise by content: only JSON begins with a brace. */
export function notationOf(file: string, content: Uint8Array): Notation {
  if (/\.json$/i.test(file)) return 'json'
  if (/\.uci$/i.test(file)) return 'uci'
  const first = withoutMark(content).find((octet) => !WHITE_SPACE.includes(octet))
  return first === 0x7b ? 'json' : 'uci'
}

export function readSource(notation: Notation, content: Uint8Array): Source {
  return notation === 'json' ? readJson(content) : readUci(content)
}

const WHITE_SPACE = [0x09, 0x0a, 0x0d, 0x20]
const NOT_UTF8 = 'it is not UTF-8'

/** Without a byte order mark, which RFC 8259 section 8.1 lets a reader ignore. */
function withoutMark(content: Uint8Array): Uint8Array {
  const marked = content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf
  return marked ? content.subarray(3) : content
}

function readUci(content: Uint8Array): Source {
  const parsed = parseUci(content)
  if (!parsed.ok) {
    const { reason, line, statementLine } = parsed.error
    // An open quote is noticed at the end of the file; its beginning is what has to be mended.
    const open = /^EOF with unterminated (.)/.exec(reason)
    if (open)
      return {
        sections: [],
        problems: [{ line: statementLine, reason: `the quote ${open[1]} is not closed` }],
      }
    return { sections: [], problems: [{ line, reason: `this is not UCI: ${reason}` }] }
  }
  const problems: SourceProblem[] = []
  const sections = parsed.value.sections.map((section) => uciSection(section, problems))
  return { sections, problems }
}

function uciSection(section: UciSection, problems: SourceProblem[]): SourceSection {
  const name = section.anonymous ? undefined : section.name
  const options = section.options.map((option) => uciOption(option, section, problems))
  return { type: section.type, name, line: section.line, options }
}

function uciOption(option: UciOption, { type, name }: UciSection, problems: SourceProblem[]): SourceOption {
  const values = option.values.map(({ text, line }) => {
    const decoded = decodeUtf8(Uint8Array.from(text, (char) => char.charCodeAt(0)))
    if (decoded === undefined)
      problems.push({ line, section: `${type} '${name}'`, option: option.name, reason: NOT_UTF8 })
    return { text: decoded ?? '', line }
  })
  return { name: option.name, values }
}

function readJson(content: Uint8Array): Source {
  const text = decodeUtf8(withoutMark(content))
  if (text === undefined) return { sections: [], problems: [{ line: 1, reason: NOT_UTF8 }] }
  const parsed = parseJson(text)
  if (!parsed.ok) {
    const { line, column, reason } = parsed.error
    return { sections: [], problems: [{ line, reason: `this is not JSON: column ${column}: ${reason}` }] }
  }
  return new JsonSource().read(parsed.value)
}

/** `{"TYPE":{"NAME":{"OPTION":VALUE}}}` */
class JsonSource {
  readonly #sections: SourceSection[] = []
  readonly #problems: SourceProblem[] = []

  read(root: JsonNode): Source {
    for (const type of this.#members(root, 'the whole text', 'types of sections'))
      for (const section of this.#members(type.value, `'${type.name}'`, 'the names of its sections'))
        this.#section(type.name, section)
    return { sections: this.#sections, problems: this.#problems }
  }

  #section(type: string, { name, line, value }: JsonMember): void {
    const options: SourceOption[] = []
    const title = `${type} '${name}'`
    for (const member of this.#members(value, title, 'its options', title)) {
      const values = this.#values(title, member)
      if (values.length > 0) options.push({ name: member.name, values })
    }
    this.#sections.push({ type, name, line, options })
  }

  /** The values of an option. As in UCI an empty text is no value; `null` is none either. */
  #values(section: string, { name, value }: JsonMember): SourceValue[] {
    if (value.kind === 'string' && value.text === '') return []
    const items = value.kind === 'array' ? value.items : value.kind === 'null' ? [] : [value]
    return items.flatMap((item) => {
      if (item.kind === 'string' || item.kind === 'number') return { text: item.text, line: item.line }
      if (item.kind === 'boolean')
        return { text: String(item.value), line: item.line, boolean: true as const }
      this.#problems.push({
        line: item.line,
        section,
        option: name,
        reason: item.kind === 'null' ? 'there is a null in the list' : `an ${item.kind} is no value`,
        allowed: 'a text, number, boolean, or a list of them',
      })
      return []
    })
  }

  /** Members of an object, each name once; a `null` has none. */
  #members(node: JsonNode, what: string, keys: string, section?: string): readonly JsonMember[] {
    if (node.kind === 'null') return []
    if (node.kind !== 'object') {
      this.#problems.push({
        line: node.line,
        reason: `${what} is not an object with ${keys}`,
        allowed: '{"TYPE":{"NAME":{"OPTION":VALUE}}}',
      })
      return []
    }
    const seen = new Set<string>()
    return node.members.filter((member) => {
      const first = !seen.has(member.name)
      seen.add(member.name)
      if (!first)
        this.#problems.push({
          line: member.line,
          ...(section === undefined ? {} : { section }),
          reason: `'${member.name}' stands there twice`,
        })
      return first
    })
  }
}
