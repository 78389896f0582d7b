/** Reads one section by its schema: values, defaults, and what is wrong with them. */
import { lookalikeIn, suspectIn, suspectReason } from './lookalikes.ts'
import { OTHER_CLIENTS, wordOf } from './other-clients.ts'
import { lineOf, nearest, type Problem, type Report, sectionTitle } from './problems.ts'
import type { Option, Options, SecretSource, Section, Values } from './schema.ts'
import type { SourceOption, SourceSection } from './source.ts'

/** A section with every default filled in, as a user would write it; secrets are replaced by `***`. */
export interface EffectiveSection {
  readonly type: string
  readonly name: string
  readonly options: readonly EffectiveOption[]
}

/** One option as it is in effect; `values` are as JSON has them, none where it has no value. */
export interface EffectiveOption {
  readonly name: string
  readonly list: boolean
  readonly values: readonly (string | number | boolean)[]
}

/** What sections are read with; problems are added to `problems`. */
export interface Reading {
  readonly file: string
  readonly secrets: SecretSource
  readonly problems: Problem[]
  /** Types of section that have an option of that name. */
  typesWith(option: string): readonly string[]
}

/** A section made out of what stands in the file, what it says then, and what is to be said of it. */
export interface ReadSection<C> {
  readonly value: C
  readonly effective: EffectiveSection
  readonly report: Report
}

/** Reads a section under the name it goes by. A value is built in any case, with defaults in place of what is wrong. */
export function readSection<O extends Options, C>(
  section: Section<O, C>,
  source: SourceSection,
  name: string,
  reading: Reading,
): ReadSection<C> {
  const report = reporter(reading, source, name)
  const values: Record<string, unknown> = {}
  const effective: EffectiveOption[] = []
  for (const [optionName, option] of Object.entries(section.options)) {
    const value = readOption(option, find(source, optionName), name, report)
    values[optionName] = value
    const printed = option.print(value)
    if (printed.length > 0) effective.push({ name: optionName, list: option.list, values: printed })
  }
  for (const { name: given } of source.options)
    if (!Object.hasOwn(section.options, given))
      reportUnknown(given, section, reading.typesWith(given), report)

  const enabled = values.enabled !== false
  const missing = Object.entries(section.options).filter(
    ([key, { required }]) => required && !find(source, key),
  )
  if (enabled)
    for (const [option] of missing)
      report({ reason: `'${option}' is missing`, ...allowedOf(section.options[option]) })

  const value = section.build(values as Values<O>, {
    name,
    given: (option) => find(source, option) !== undefined,
    enabled,
    report,
    secrets: reading.secrets,
  })
  return { value, effective: { type: section.type, name, options: effective }, report }
}

/** Notes problems with a section in `reading.problems`. */
export function reporter(reading: Reading, source: SourceSection, name: string | undefined): Report {
  return ({ severity = 'error', option, index, reason, allowed }) => {
    reading.problems.push({
      severity,
      file: reading.file,
      line: lineOf(source, option, index),
      section: sectionTitle(source.type, name),
      option,
      reason,
      allowed,
    })
  }
}

function find(source: SourceSection, name: string): SourceOption | undefined {
  return source.options.find((option) => option.name === name)
}

function readOption<V>(
  option: Option<V>,
  given: SourceOption | undefined,
  section: string,
  report: Report,
): V {
  if (given === undefined || given.values.length === 0) return option.absent(section)
  const { name, values } = given
  const misplaced = values.findIndex(({ boolean }) => boolean && !option.takesBoolean)
  if (misplaced >= 0) {
    report({ option: name, index: misplaced, reason: 'a boolean does not fit', allowed: option.allowed })
    return option.absent(section)
  }
  const read = option.read(values.map(({ text }) => text))
  if (read.ok) {
    if (!option.list) warnOfSuspects(given, report)
    return read.value
  }
  for (const { index, reason, allowed = option.allowed } of read.error) {
    const lookalike = lookalikeIn(values[index]?.text ?? '')
    const named = lookalike === undefined ? '' : `: it holds ${lookalike}`
    report({ option: name, index, reason: `${reason}${named}`, allowed })
  }
  return option.absent(section)
}

/** A login with such a character in it fails, and nobody sees why. */
function warnOfSuspects({ name, values }: SourceOption, report: Report): void {
  for (const [index, { text }] of values.entries()) {
    const suspect = suspectIn(text)
    if (suspect !== undefined)
      report({ severity: 'warning', option: name, index, reason: suspectReason(suspect) })
  }
}

function reportUnknown(
  name: string,
  { options, foreign = {} }: Pick<Section<Options, unknown>, 'options' | 'foreign'>,
  elsewhere: readonly string[],
  report: Report,
): void {
  const word = wordOf(name)
  const known = Object.hasOwn(foreign, word) ? foreign[word] : undefined
  if (known !== undefined) {
    report({ ...known, option: name })
    return
  }
  const guess = Object.hasOwn(OTHER_CLIENTS, word) ? undefined : nearest(name, Object.keys(options))
  const hint =
    elsewhere.length > 0
      ? `; it is an option of ${elsewhere.map((type) => `'config ${type}'`).join(' and ')}`
      : guess === undefined
        ? ''
        : `; did you mean '${guess}'?`
  report({ severity: 'warning', option: name, reason: `unknown, so it has no effect${hint}` })
}

function allowedOf(option: Option<unknown> | undefined): { allowed?: string } {
  return option === undefined ? {} : { allowed: option.allowed }
}
