/** What `uci show` and `uci export` print. Texts hold one character for each octet, as in UciPackage. */
import type { UciPackage } from './parse.ts'

/** Sections and options, however they were made, that can be printed. */
export type Printable = {
  readonly sections: readonly {
    readonly type: string
    readonly name: string
    readonly anonymous: boolean
    readonly options: readonly {
      readonly name: string
      readonly list: boolean
      readonly values: readonly { readonly text: string }[]
    }[]
  }[]
}

/** `uci show PACKAGE`; with `generatedNames` as `uci -X show PACKAGE`. */
export function showUci(name: string, content: UciPackage, { generatedNames = false } = {}): string {
  const seen = new Map<string, number>()
  let text = ''
  for (const section of content.sections) {
    const index = seen.get(section.type) ?? 0
    seen.set(section.type, index + 1)
    const indexed = section.anonymous && !generatedNames
    const path = `${name}.${indexed ? `@${section.type}[${index}]` : section.name}`
    text += `${path}=${section.type}\n`
    for (const option of section.options) {
      text += `${path}.${option.name}=${option.values.map((value) => quoteUci(value.text)).join(' ')}\n`
    }
  }
  return text
}

/** `uci export PACKAGE`: a file that reads back as the same content. */
export function exportUci(name: string, content: Printable): string {
  return `package ${name}\n${formatUci(content)}\n`
}

/** The sections of an export, each after an empty line. */
export function formatUci(content: Printable): string {
  let text = ''
  for (const section of content.sections) {
    text += `\nconfig ${section.type}${section.anonymous ? '' : ` ${quoteUci(section.name)}`}\n`
    for (const option of section.options) {
      const keyword = option.list ? 'list' : 'option'
      for (const value of option.values) text += `\t${keyword} ${option.name} ${quoteUci(value.text)}\n`
    }
  }
  return text
}

/** In single quotes, fit for UCI and for a shell. */
export function quoteUci(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
