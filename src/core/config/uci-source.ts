/** A configuration written in UCI. */
import { decodeUtf8 } from '../bytes.ts'
import { parseUci, type UciError, type UciOption, type UciSection } from '../uci/parse.ts'
import { nameTaken, sectionTitle } from './problems.ts'
import type { Source, SourceOption, SourceProblem, SourceSection } from './source.ts'

export function uciSource(content: Uint8Array): Source {
  const parsed = parseUci(content)
  if (!parsed.ok) return { sections: [], problems: [explain(parsed.error)] }
  const problems: SourceProblem[] = []
  const sections = parsed.value.sections.map((section) => sourceSection(section, problems))
  return { sections, problems }
}

function sourceSection(section: UciSection, problems: SourceProblem[]): SourceSection {
  const name = section.anonymous ? undefined : section.name
  const title = sectionTitle(section.type, name)
  const options = section.options.map((option) => sourceOption(option, title, problems))
  for (const line of section.continued)
    problems.push({
      severity: 'warning',
      line,
      section: title,
      reason: `it adds to the section in line ${section.line}: of an option in both, the later one counts`,
      allowed: 'one section of each name',
    })
  return { type: section.type, name, line: section.line, options }
}

function sourceOption({ name, values }: UciOption, section: string, problems: SourceProblem[]): SourceOption {
  const decoded = values.flatMap(({ text, line }) => {
    const value = decodeUtf8(Uint8Array.from(text, (char) => char.charCodeAt(0)))
    if (value !== undefined) return { text: value, line }
    problems.push({ line, section, option: name, reason: 'it is not UTF-8' })
    return []
  })
  return { name, values: decoded }
}

type Explanation = Pick<SourceProblem, 'reason' | 'allowed'>

const WORD_MISSING: Explanation = {
  reason: 'a word is missing',
  allowed: "config TYPE 'NAME', option NAME 'VALUE', list NAME 'VALUE'",
}

/** What the words of the UCI reader mean to a user. */
const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  'invalid command': {
    reason: 'the line is none of UCI',
    allowed: 'lines that begin with config, option or list',
  },
  'insufficient arguments': WORD_MISSING,
  'config without name': WORD_MISSING,
  'option without name': WORD_MISSING,
  'package without name': WORD_MISSING,
  'too many arguments': {
    reason: 'there are too many words',
    allowed: 'one value, in quotes if it holds spaces',
  },
  'option/list command found before the first section': {
    reason: 'an option stands before the first section',
    allowed: "a line config TYPE 'NAME' first",
  },
  'invalid character in name field': {
    reason: 'the name holds a wrong character',
    allowed: "letters, digits and '_'",
  },
  'invalid character in type field': {
    reason: 'the type of section holds a wrong character',
    allowed: 'lifeline, uplink, tunnel, failover, firewall, redirect, mqtt',
  },
  'out of memory': { reason: 'there are many NUL octets', allowed: 'text' },
}

function explain(error: UciError): SourceProblem {
  const { section, option } = error
  return {
    ...(section && { section: sectionTitle(section.type, section.name) }),
    ...(option && { option }),
    ...explainReason(error),
  }
}

function explainReason({ reason, line, statementLine, taken }: UciError): SourceProblem {
  // An open quote is noticed at the end of the file; where it was opened is what has to be mended.
  const [, quote] = /^EOF with unterminated (.)/.exec(reason) ?? []
  if (quote !== undefined)
    return { line: statementLine, reason: `the quote ${quote} is not closed`, allowed: `another ${quote}` }
  // uci does not count a last line without a line break.
  return {
    line: Math.max(line, statementLine),
    ...(taken === undefined
      ? (EXPLANATIONS[reason] ?? { reason: `this is not UCI: ${reason}` })
      : nameTaken(taken.type, taken.line)),
  }
}
