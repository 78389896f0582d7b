/** A configuration written in UCI. */
import { decodeUtf8 } from '../bytes.ts'
import { parseUci, type UciError, type UciOption, type UciSection } from '../uci/parse.ts'
import { octetText } from '../uci/statement.ts'
import { lookalikeIn } from './lookalikes.ts'
import { OTHER_CLIENTS, wordOf } from './other-clients.ts'
import { nameTaken, sectionTitle } from './problems.ts'
import type { Source, SourceOption, SourceProblem, SourceSection } from './source.ts'
import { isUtf16, UTF16, withoutMark } from './text.ts'

/** The sections of a file in uci(5). A line that cannot be read is a problem, and ends it. */
export function uciSource(content: Uint8Array): Source {
  if (isUtf16(content)) return { sections: [], problems: [{ line: 1, reason: UTF16 }] }
  const text = withoutMark(content)
  const parsed = parseUci(text)
  if (!parsed.ok) return { sections: [], problems: [explain(parsed.error, lineIn(text, parsed.error))] }
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

function sourceOption(
  { name, values, replaced }: UciOption,
  section: string,
  problems: SourceProblem[],
): SourceOption {
  const decoded = values.flatMap(({ text, line }) => {
    const value = decodeUtf8(Uint8Array.from(text, (char) => char.charCodeAt(0)))
    if (value !== undefined) return { text: value, line }
    problems.push({ line, section, option: name, reason: 'it is not UTF-8' })
    return []
  })
  if (replaced.length > 0)
    problems.push({
      severity: 'warning',
      line: values[0]?.line ?? 0,
      section,
      option: name,
      reason: `it stands in line ${replaced.join(' and ')} as well: the last one counts`,
      allowed: 'each option once, or lines of `list`',
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

/** `line` is never quoted: it may hold a secret. */
function explain(error: UciError, line: string): SourceProblem {
  const { section, option } = error
  const explained = explainReason(error)
  const hint =
    foreignNotation(line) ?? (section?.type === 'tunnel' ? hintFor(option) : undefined) ?? lookalikeHint(line)
  return {
    ...(section && { section: sectionTitle(section.type, section.name) }),
    ...(option && { option }),
    ...explained,
    ...(hint === undefined ? {} : { reason: `${explained.reason}: ${hint}` }),
  }
}

/** The line where the reader stopped; that of an open quote is where it was opened. */
function lineIn(content: Uint8Array, { statementLine, line, reason }: UciError): string {
  const number = reason.startsWith('EOF') ? statementLine : Math.max(line, statementLine)
  const octets = octetText(content).split('\n')[number - 1] ?? ''
  return decodeUtf8(Uint8Array.from(octets, (char) => char.charCodeAt(0))) ?? ''
}

function lookalikeHint(line: string): string | undefined {
  const lookalike = lookalikeIn(line)
  return lookalike === undefined ? undefined : `the line holds ${lookalike}`
}

/** A line of xl2tpd.conf: `[lac NAME]` or `KEY = VALUE`. */
function foreignNotation(line: string): string | undefined {
  if (/^\s*(?:c|config|o|option|l|list|p|package)\b/.test(line)) return undefined
  const [found, key] = /^\s*(?:\[(?:global|lac|lns)\b|([a-z][a-z0-9 ]*?)\s*=)/.exec(line) ?? []
  if (found === undefined) return undefined
  const hint = hintFor(key)
  return `it is written as for xl2tpd${hint === undefined ? '' : `, and ${hint}`}`
}

/** What is said of an option of another program. */
function hintFor(name: string | undefined): string | undefined {
  const word = wordOf(name ?? '')
  return Object.hasOwn(OTHER_CLIENTS, word) ? OTHER_CLIENTS[word] : undefined
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
