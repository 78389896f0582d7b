/** What is wrong with a configuration, and where. */
import type { SourceSection } from './source.ts'

/** What is wrong or unwise in a configuration, and where; `reason` and `allowed` are words for users. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** From 1; undefined where the problem belongs to no line. */
  readonly line: number | undefined
  /** `tunnel 'aaisp'` */
  readonly section: string | undefined
  readonly option: string | undefined
  readonly reason: string
  readonly allowed: string | undefined
}

/** Notes a problem with a section, at one of its options or one value of it. */
export type Report = (problem: {
  readonly severity?: Problem['severity']
  readonly option?: string
  /** Which value of the option, from 0. */
  readonly index?: number
  readonly reason: string
  readonly allowed?: string
}) => void

/** `FILE:LINE: error: tunnel 'NAME', option 'mtu': REASON; allowed: ...` */
export function formatProblem(problem: Problem): string {
  return inWords(problem, `${problem.severity}: `)
}

/** The same for readers who are told in another way that it is a warning. */
export function formatWarning(problem: Problem): string {
  return inWords(problem, '')
}

function inWords(problem: Problem, severity: string): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`
  const option = problem.option === undefined ? undefined : `option '${problem.option}'`
  const subject = [problem.section, option].filter((part) => part !== undefined).join(', ')
  const allowed = problem.allowed === undefined ? '' : `; allowed: ${problem.allowed}`
  return `${place}: ${severity}${subject && `${subject}: `}${problem.reason}${allowed}`
}

/** How messages name a section. */
export function sectionTitle(type: string, name: string | undefined): string {
  return name === undefined ? `${type} without a name` : `${type} '${name}'`
}

/** Why a section cannot have its name. */
export function nameTaken(
  type: string,
  line: number,
): Pick<Problem, 'reason'> & { readonly allowed: string } {
  return {
    reason: `the name is taken by the ${type} in line ${line}`,
    allowed: 'names that differ over all types',
  }
}

/** Types of OpenWrt's own files, and where they belong. */
const FOREIGN_TYPES: Readonly<Record<string, string>> = {
  interface: "a tunnel that was an interface of `proto l2tp` is written as `config tunnel 'NAME'` here",
  lac: "what xl2tpd calls a LAC is written as `config tunnel 'NAME'` here",
  zone: "there are no zones here: `config firewall` has 'path' and 'lan'",
  rule: 'what may come in is `list allow` of `config firewall` here',
  forwarding: 'from where the internet may be used is `list lan` of `config firewall` here',
}

/** What is said of a type of section that there is not. */
export function unknownType(type: string, known: readonly string[]): { reason: string; allowed: string } {
  const foreign = Object.hasOwn(FOREIGN_TYPES, type) ? FOREIGN_TYPES[type] : undefined
  const guess = foreign === undefined ? nearest(type, known) : undefined
  const hint = guess === undefined ? '' : ` (did you mean '${guess}'?)`
  const reason = foreign === undefined ? '' : `: ${foreign}`
  return { reason: `the type of section is unknown${hint}${reason}`, allowed: known.join(', ') }
}

/** The line of an option, or of one of its values; that of the section where it was not written. */
export function lineOf(source: SourceSection, option?: string, index = 0): number {
  const values = source.options.find((candidate) => candidate.name === option)?.values
  return (values?.[index] ?? values?.[0])?.line ?? source.line
}

/** The candidate that was probably meant, if any is near enough. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase().replaceAll('-', '_'), candidate)
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best ?? [...candidates].find((candidate) => word.length >= 4 && candidate.includes(word))
}

/** Letters to insert, remove or replace to turn one word into the other. */
function editDistance(a: string, b: string): number {
  // Far apart at any rate; keeps the work small for absurdly long words.
  if (Math.abs(a.length - b.length) > 20) return a.length + b.length
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let k = 1; k <= b.length; k++) {
      const replaced = (row[k - 1] ?? 0) + (a[i - 1] === b[k - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[k] ?? 0) + 1, (next[k - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
