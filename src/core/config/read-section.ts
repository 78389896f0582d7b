/** Reads one section by its schema: values, defaults, and what is wrong with them. */
import { lineOf, nearest, type Problem, type Report, sectionTitle } from './problems.ts'
import type { Option, Options, SecretSource, Section, Values } from './schema.ts'
import type { SourceOption, SourceSection } from './source.ts'

/** A section with every default filled in, as a user would write it; secrets are replaced by `***`. */
export interface EffectiveSection {
  readonly type: string
  readonly name: string
  readonly options: readonly EffectiveOption[]
}

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
}

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
    if (!Object.hasOwn(section.options, given)) reportUnknown(given, section, report)

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
  if (read.ok) return read.value
  for (const { index, reason, allowed = option.allowed } of read.error)
    report({ option: name, index, reason, allowed })
  return option.absent(section)
}

function reportUnknown(
  name: string,
  { options, foreign = {} }: Pick<Section<Options, unknown>, 'options' | 'foreign'>,
  report: Report,
): void {
  const known = Object.hasOwn(foreign, name) ? foreign[name] : undefined
  if (known !== undefined) {
    report({ ...known, option: name })
    return
  }
  const guess = nearest(name, Object.keys(options))
  const hint = guess === undefined ? '' : `; did you mean '${guess}'?`
  report({ severity: 'warning', option: name, reason: `unknown, so it has no effect${hint}` })
}

function allowedOf(option: Option<unknown> | undefined): { allowed?: string } {
  return option === undefined ? {} : { allowed: option.allowed }
}
