import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { CliError, EXIT } from './exit-codes.ts'

/** Where the configuration is looked for without -c: OpenWrt's place first. */
export const CONFIG_FILES = [
  '/etc/config/lifeline',
  '/etc/lifeline/lifeline.json',
  '/etc/lifeline/lifeline.conf',
]

/** The option -c of `run`, `check` and `plan`. */
export function withConfigOption(command: Command): Command {
  return command.addOption(
    new Option(
      '-c, --config <file>',
      `configuration, UCI or JSON (default: the first of ${CONFIG_FILES.join(', ')})`,
    ),
  )
}

/** The file to read: the one named, or the first of the usual ones that exists. */
export function chooseConfigFile(
  named: string | undefined,
  exists: (file: string) => boolean = existsSync,
): string {
  if (named !== undefined) return named
  const found = CONFIG_FILES.find(exists)
  if (found !== undefined) return found
  throw new CliError(
    EXIT.usage,
    `there is no configuration: write ${CONFIG_FILES.join(' or ')}, or name one with -c FILE`,
  )
}
