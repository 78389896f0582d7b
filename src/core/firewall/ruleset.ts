/** An nft table as data, and its text. */

/** A chain of our table. */
export interface Chain {
  readonly name: string
  /** Of a base chain; left out for one that others jump to. */
  readonly hook?: {
    readonly type: 'filter' | 'nat' | 'route'
    readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
    /** `filter`, `mangle`, `srcnat - 10` */
    readonly priority: string
  }
  /** In nft's language, one rule each. */
  readonly rules: readonly string[]
}

/** A set of the table that packets fill, empty whenever the table is loaded. */
export interface DynamicSet {
  readonly name: string
  /** `ipv4_addr . inet_service` */
  readonly type: string
  /** At most so many elements. */
  readonly size: number
  /** Of an element since it was last written: `2m`. */
  readonly timeout: string
}

/** Family and name of our table. */
export const TABLE = 'inet lifeline'

/** A script that replaces the table as a whole, in one transaction; also where there was none before. */
export function replaceTable(parts: readonly (Chain | DynamicSet)[]): string {
  const content = parts.map((part) => ('rules' in part ? chainText(part) : setText(part)))
  return `${removeTable()}\ntable ${TABLE} {\n${content.join('\n')}}\n`
}

/** A script that removes the table, also where there is none: `delete` alone would fail, so it is made first. */
export function removeTable(): string {
  return `table ${TABLE}\ndelete table ${TABLE}\n`
}

function setText({ name, type, size, timeout }: DynamicSet): string {
  const lines = [`type ${type}`, `size ${size}`, 'flags dynamic,timeout', `timeout ${timeout}`]
  return `\tset ${name} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`
}

function chainText({ name, hook, rules }: Chain): string {
  const base =
    hook === undefined
      ? []
      : [`type ${hook.type} hook ${hook.hook} priority ${hook.priority}; policy accept;`]
  const lines = [...base, ...rules].map((line) => `\t\t${line}\n`)
  return `\tchain ${name} {\n${lines.join('')}\t}\n`
}
