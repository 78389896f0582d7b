import { type Command, Option } from 'commander'
import type { Finding } from '../app/doctor/finding.ts'
import { CliError, EXIT } from './exit-codes.ts'

/** Where the configuration is looked for without -c, the first one that exists is read: OpenWrt's place, then Debian's. */
export const CONFIG_FILES = [
  '/etc/config/lifeline',
  '/etc/lifeline/lifeline.json',
  '/etc/lifeline/lifeline.conf',
]

/** The file to read, and what has to be said of the choice. */
export interface ChosenFile {
  readonly file: string
  /** One finding for each usual file that is there as well; looked for anew at each call. None for a file that was named. */
  others(): readonly Finding[]
}

/** What a path leads to, symbolic links followed; undefined if nothing is there. */
export type RealPath = (file: string) => string | undefined

/** The option -c of every command that reads a configuration. */
export function withConfigOption(command: Command): Command {
  return command.addOption(
    new Option(
      '-c, --config <file>',
      `configuration, UCI or JSON (default: the first of ${CONFIG_FILES.join(', ')})`,
    ),
  )
}

/** The same, for commands that take the file as their argument too. */
export function withConfigFile(command: Command): Command {
  return withConfigOption(command.argument('[file]', 'the same as -c'))
}

/** What was named, once: as an argument or with -c. */
export function namedFile(argument: string | undefined, option: string | undefined): string | undefined {
  if (argument !== undefined && option !== undefined && argument !== option)
    throw new CliError(EXIT.usage, `two configurations are named, ${argument} and ${option}: name one`)
  return argument ?? option
}

/** The one rule: the file that is named, or else the first of the usual ones that exists. */
export function chooseConfigFile(named: string | undefined, realPath: RealPath): ChosenFile {
  if (named !== undefined) return { file: named, others: () => [] }
  const file = CONFIG_FILES.find((candidate) => realPath(candidate) !== undefined)
  if (file === undefined)
    throw new CliError(
      EXIT.usage,
      `there is no configuration: write ${CONFIG_FILES.join(' or ')}, or name one with -c FILE`,
    )
  return { file, others: () => othersThan(file, realPath) }
}

/** A finding in one line, for standard error and the log. */
export function findingLine({ message, advice }: Finding): string {
  return advice === undefined ? message : `${message}: ${advice}`
}

function othersThan(file: string, realPath: RealPath): Finding[] {
  const read = realPath(file)
  return CONFIG_FILES.flatMap((other, place) => {
    const real = realPath(other)
    if (other === file || real === undefined || real === read) return []
    // It was not there when the daemon chose.
    const earlier = place < CONFIG_FILES.indexOf(file)
    const message = earlier
      ? `there are two configurations: ${file} is read, and ${other} will be instead from the next start on`
      : `there are two configurations: ${file} is read, and ${other} has no effect`
    const advice = 'keep one of them, or name it with -c'
    return [{ severity: 'warning' as const, subject: 'configuration', message, advice }]
  })
}
