/** Reads a configuration: UCI or JSON in, one frozen `Config` out, or everything that is wrong with it. */
import { err, ok, type Result } from '../result.ts'
import { checkAddresses, checkBrokers, checkTogether } from './checks.ts'
import { checkFailover } from './checks-failover.ts'
import { checkFirewalls, checkRedirects } from './checks-firewall.ts'
import { failover } from './failover.ts'
import { firewall } from './firewall.ts'
import { sectionName } from './kinds.ts'
import { lifeline } from './lifeline.ts'
import { mqtt } from './mqtt.ts'
import { type Notation, readSource } from './notation.ts'
import { nameTaken, type Problem, unknownType } from './problems.ts'
import {
  type EffectiveSection,
  type Reading,
  type ReadSection,
  readSection,
  reporter,
} from './read-section.ts'
import { redirect } from './redirect.ts'
import type { Options, SecretSource, Section } from './schema.ts'
import type { SectionTypes, SourceSection } from './source.ts'
import { tunnel } from './tunnel.ts'
import type { Config } from './types.ts'
import { uplink } from './uplink.ts'

/** Which file is read, and where the secrets that it names come from. */
export interface ReadOptions {
  /** How messages call the file. */
  readonly file: string
  readonly notation: Notation
  readonly secrets: SecretSource
}

/** A configuration that can be used. */
export interface ReadConfig {
  readonly config: Config
  /** In the order of the file, the section `lifeline` first. */
  readonly effective: readonly EffectiveSection[]
  readonly warnings: readonly Problem[]
}

/** What was read from a file. */
export interface LoadedConfig extends ReadConfig {
  readonly file: string
  readonly notation: Notation
}

/** All types of section, in the order of the reference. */
export const SECTIONS = { lifeline, uplink, tunnel, failover, firewall, redirect, mqtt } as const

const TYPES: SectionTypes = Object.fromEntries(
  Object.values(SECTIONS).map(
    ({ type, options, ...schema }: AnySection & Pick<Section<Options, unknown>, 'type' | 'options'>) => [
      type,
      { single: schema.single === true || schema.onlyName !== undefined, options: Object.keys(options) },
    ],
  ),
)

/** Reads the octets of a file. On failure all problems are listed, warnings included, in the order of lines. */
export function readConfig(
  content: Uint8Array,
  options: ReadOptions,
): Result<ReadConfig, readonly Problem[]> {
  const { file, notation, secrets } = options
  const source = readSource(notation, content, TYPES)
  const reading: Reading = { file, secrets, problems: [], typesWith }
  for (const { severity = 'error', line, section, option, reason, allowed } of source.problems)
    reading.problems.push({ severity, file, line, section, option, reason, allowed })

  for (const section of source.sections) reportUnknownType(section, reading)
  const named = nameSections(source.sections, reading)
  const all = <O extends Options, C>(schema: Section<O, C>): ReadSection<C>[] =>
    named
      .filter(({ section }) => section.type === schema.type)
      .map(({ section, name }) => readSection(schema, section, name, reading))

  const main = all(lifeline)[0] ?? readSection(lifeline, NO_LIFELINE, 'main', reading)
  const uplinks = all(uplink)
  const tunnels = all(tunnel)
  const brokers = all(mqtt)
  const failovers = all(failover)
  const firewalls = all(firewall)
  const redirects = all(redirect)
  checkTogether(main, uplinks, tunnels)
  checkAddresses(tunnels, uplinks)
  checkFailover(failovers[0], uplinks, tunnels)
  checkFirewalls(firewalls, uplinks, tunnels)
  checkRedirects(redirects, firewalls)
  checkBrokers(brokers)

  const problems = reading.problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  if (problems.some(({ severity }) => severity === 'error')) return err(problems)
  if (tunnels.length === 0 && failovers.length === 0)
    problems.unshift({ ...NOWHERE, severity: 'warning', file, reason: 'there is no tunnel' })
  const config: Config = {
    lifeline: main.value,
    uplinks: uplinks.map(({ value }) => value),
    tunnels: tunnels.map(({ value }) => value),
    failover: failovers[0]?.value,
    firewalls: firewalls.map(({ value }) => value),
    redirects: redirects.map(({ value }) => value),
    mqtt: brokers.map(({ value }) => value),
  }
  const sections = [main, ...uplinks, ...tunnels, ...failovers, ...firewalls, ...redirects, ...brokers]
  const effective = sections.map((section) => section.effective)
  return ok({ config: deepFreeze(config), effective, warnings: problems })
}

const NOWHERE = { line: undefined, section: undefined, option: undefined, allowed: undefined }
const NO_LIFELINE: SourceSection = { type: 'lifeline', name: 'main', line: 1, options: [] }

function reportUnknownType(section: SourceSection, reading: Reading): void {
  const { type, name } = section
  if (!Object.hasOwn(SECTIONS, type))
    reporter(reading, section, name)(unknownType(type, Object.keys(SECTIONS)))
}

function typesWith(option: string): readonly string[] {
  return Object.entries(TYPES).flatMap(([type, { options }]) => (options.includes(option) ? [type] : []))
}

interface NamedSection {
  readonly section: SourceSection
  readonly name: string
}

/** The known sections with the names they go by, which are unique over all types. */
function nameSections(sections: readonly SourceSection[], reading: Reading): NamedSection[] {
  const known = sections.filter(({ type }) => Object.hasOwn(SECTIONS, type))
  const takenBy = new Map<string, SourceSection>()
  const written = new Set(known.flatMap(({ name }) => name ?? []))
  return known.map((section) => {
    const schema: AnySection = SECTIONS[section.type as keyof typeof SECTIONS]
    const report = reporter(reading, section, section.name)
    const name = section.name ?? schema.onlyName ?? freeName(schema.anonymousName, written)
    if (name === undefined) {
      report({ reason: 'a name is missing', allowed: `config ${section.type} 'NAME'` })
      return { section, name: '' }
    }
    written.add(name)
    const valid = sectionName.parse(name)
    const other = takenBy.get(name)
    const twin = schema.single ? known.find(({ type }) => type === section.type) : other
    if (!valid.ok) report({ reason: valid.error, allowed: sectionName.allowed })
    else if (schema.onlyName !== undefined && name !== schema.onlyName)
      report({ reason: `'${name}' cannot be its name`, allowed: schema.onlyName })
    else if (twin !== undefined && twin !== section && twin.type === section.type)
      report({ reason: `there is another in line ${twin.line}`, allowed: 'one such section' })
    else if (other !== undefined) report(nameTaken(other.type, other.line))
    takenBy.set(name, other ?? section)
    return { section, name }
  })
}

type AnySection = Pick<Section<Options, unknown>, 'onlyName' | 'anonymousName' | 'single'>

/** A name for a section without one: `redirect`, then `redirect2`, `redirect3`. */
function freeName(base: string | undefined, taken: ReadonlySet<string>): string | undefined {
  if (base === undefined || !taken.has(base)) return base
  let number = 2
  while (taken.has(`${base}${number}`)) number++
  return `${base}${number}`
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const property of Object.values(value)) deepFreeze(property)
  }
  return value
}
