/** Prints a configuration with every default filled in and secrets hidden, in either notation. */
import { formatUci } from '../uci/print.ts'
import type { Notation } from './notation.ts'
import type { EffectiveOption, EffectiveSection } from './read-section.ts'

/** The configuration in effect as a file of that notation: every option, defaults filled in, secrets hidden. */
export function printEffective(sections: readonly EffectiveSection[], notation: Notation): string {
  return notation === 'json' ? printJson(sections) : printUci(sections)
}

function printUci(sections: readonly EffectiveSection[]): string {
  const printable = sections.map(({ type, name, options }) => ({
    type,
    name,
    anonymous: false,
    options: options.map((option) => ({
      ...option,
      values: option.values.map((value) => ({ text: uciText(value) })),
    })),
  }))
  return formatUci({ sections: printable }).replace(/^\n/, '')
}

function uciText(value: string | number | boolean): string {
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value)
}

/** Written by hand, as JavaScript would put names that are numbers first. */
function printJson(sections: readonly EffectiveSection[]): string {
  const types = new Map<string, EffectiveSection[]>()
  for (const section of sections) types.set(section.type, [...(types.get(section.type) ?? []), section])
  const object = (indent: string, members: readonly string[]) =>
    members.length === 0
      ? '{}'
      : `{\n${members.map((member) => `${indent}  ${member}`).join(',\n')}\n${indent}}`
  const text = object(
    '',
    [...types].map(([type, ofType]) => {
      const named = ofType.map(
        ({ name, options }) => `${JSON.stringify(name)}: ${object('    ', options.map(jsonMember))}`,
      )
      return `${JSON.stringify(type)}: ${object('  ', named)}`
    }),
  )
  return `${text}\n`
}

function jsonMember({ name, list, values }: EffectiveOption): string {
  const texts = values.map((value) => JSON.stringify(value))
  return `${JSON.stringify(name)}: ${list ? `[${texts.join(', ')}]` : texts[0]}`
}
