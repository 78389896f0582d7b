/** A configuration written in JSON: `{"TYPE":{"NAME":{"OPTION":VALUE}}}`. */
import { type JsonMember, type JsonNode, parseJson } from './json.ts'
import { lookalikeIn } from './lookalikes.ts'
import { sectionTitle, unknownType } from './problems.ts'
import type {
  SectionType,
  SectionTypes,
  Source,
  SourceOption,
  SourceProblem,
  SourceSection,
  SourceValue,
} from './source.ts'
import { decodeText } from './text.ts'

/** `types`: the types of section that there are. */
export function jsonSource(content: Uint8Array, types: SectionTypes): Source {
  const decoded = decodeText(content)
  if (!decoded.ok) return { sections: [], problems: [{ line: 1, reason: decoded.error }] }
  const text = decoded.value
  const parsed = parseJson(text)
  if (!parsed.ok) {
    const { line, column, reason } = parsed.error
    const there = text.split('\n')[line - 1]?.[column - 1] ?? ''
    const lookalike = lookalikeIn(there)
    const named = lookalike === undefined ? '' : `, not ${lookalike}`
    const problem = { line, reason: `this is not JSON (column ${column}): ${reason}${named}` }
    return { sections: [], problems: [problem] }
  }
  return new JsonSource(types).read(parsed.value)
}

const FORM = '{"TYPE":{"NAME":{"OPTION":VALUE}}}'
const VALUES = 'a text, number, boolean, or a list of them'

/** Whether the options of the one section stand in the place of its name: then not all of it are objects. */
function isWrittenDirectly(node: JsonNode, { options }: SectionType): boolean {
  if (node.kind !== 'object') return false
  return node.members.some(({ name, value }) =>
    value.kind === 'null' ? options.includes(name) : value.kind !== 'object',
  )
}

class JsonSource {
  readonly #types: SectionTypes
  readonly #sections: SourceSection[] = []
  readonly #problems: SourceProblem[] = []

  constructor(types: SectionTypes) {
    this.#types = types
  }

  read(root: JsonNode): Source {
    for (const type of this.#members(root, 'the whole text', 'types of sections')) this.#type(type)
    return { sections: this.#sections, problems: this.#problems }
  }

  #type(type: JsonMember): void {
    const { name, line, value } = type
    const known = Object.hasOwn(this.#types, name) ? this.#types[name] : undefined
    if (known?.single && isWrittenDirectly(value, known)) {
      this.#section(name, { name: undefined, line, value })
      return
    }
    const sections = this.#members(value, `'${name}'`, 'names of sections')
    for (const section of sections) this.#section(name, section)
    // Without a section in it nobody else would notice.
    if (known === undefined && sections.length === 0)
      this.#problems.push({ line, section: `'${name}'`, ...unknownType(name, Object.keys(this.#types)) })
  }

  #section(
    type: string,
    { name, line, value }: Omit<JsonMember, 'name'> & { name: string | undefined },
  ): void {
    const title = name === undefined ? type : sectionTitle(type, name)
    const members = this.#members(value, title, 'options', title)
    const options = members.flatMap((member) => this.#option(title, member) ?? [])
    if (value.kind === 'object' || value.kind === 'null') this.#sections.push({ type, name, line, options })
  }

  /** As in UCI an empty text is as if left out; `null` and the empty list are as well. */
  #option(section: string, { name, value }: JsonMember): SourceOption | undefined {
    const items = value.kind === 'array' ? value.items : [value]
    const absent = value.kind === 'null' || (value.kind === 'string' && value.text === '')
    if (absent || items.length === 0) return undefined
    return { name, values: items.flatMap((item) => this.#value(section, name, item) ?? []) }
  }

  #value(section: string, option: string, node: JsonNode): SourceValue | undefined {
    const { line } = node
    switch (node.kind) {
      case 'string':
      case 'number':
        return { text: node.text, line }
      case 'boolean':
        return { text: String(node.value), line, boolean: true }
      case 'null':
      case 'array':
      case 'object': {
        const reason = node.kind === 'null' ? 'there is a null in the list' : `an ${node.kind} is no value`
        this.#problems.push({ line, section, option, reason, allowed: VALUES })
        return undefined
      }
    }
  }

  /** Members of an object, each name once; a `null` has none. */
  #members(node: JsonNode, what: string, keys: string, section?: string): readonly JsonMember[] {
    if (node.kind === 'null') return []
    if (node.kind !== 'object') {
      this.#problems.push({
        line: node.line,
        reason: `${what} is not an object with ${keys}`,
        allowed: FORM,
      })
      return []
    }
    const seen = new Set<string>()
    return node.members.filter(({ name, line }) => {
      if (!seen.has(name)) return seen.add(name)
      this.#problems.push({
        line,
        ...(section === undefined ? {} : { section }),
        reason: `'${name}' stands there twice`,
        allowed: 'each name once',
      })
      return false
    })
  }
}
