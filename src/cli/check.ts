import { type Command, Option } from 'commander'
import type { Notation } from '../core/config/notation.ts'
import { printEffective } from '../core/config/print.ts'
import { formatProblem } from '../core/config/problems.ts'
import { formatStandbyCost, standbyCosts } from '../core/failover/standby-cost.ts'
import { type ChosenFile, chooseConfigFile, findingLine, namedFile, withConfigFile } from './config-file.ts'
import type { CliContext, Finish } from './context.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

/** `lifeline check`: validates a configuration and prints what is in effect. */
export function addCheck(program: Command, context: CliContext, finish: Finish): void {
  const { realPath } = context
  const command = program
    .command('check')
    .description('Validate a configuration and print what is in effect, secrets hidden')
    .addOption(new Option('--format <notation>', 'print as').choices(['uci', 'json']))
    .addHelpText('after', '\nExamples:\n  lifeline check\n  lifeline check ./lifeline.json --format uci')
  withConfigFile(command).action((named: string | undefined, { config, format }: CheckOptions) => {
    const chosen = chooseConfigFile(namedFile(named, config), realPath)
    finish(runCheck({ config: chosen.file, others: chosen.others(), format }, context))
  })
}

interface CheckOptions {
  readonly config?: string
  readonly format?: Notation
}

/** What `lifeline check` was given. */
export interface CheckArguments {
  readonly config: string
  /** What is to be said of the choice of this file. */
  readonly others?: ReturnType<ChosenFile['others']>
  /** How to print; as the file is written if left out. */
  readonly format?: Notation | undefined
}

/** Prints problems, and what standby costs, to stderr, and the effective configuration, secrets hidden, to stdout. */
export function runCheck(
  args: CheckArguments,
  { terminal, loadConfig }: Pick<CliContext, 'terminal' | 'loadConfig'>,
): ExitCode {
  for (const other of args.others ?? []) terminal.err(`lifeline: warning: ${findingLine(other)}\n`)
  const loaded = loadConfig(args.config)
  const problems = loaded.ok ? loaded.value.warnings : loaded.error
  for (const problem of problems) terminal.err(`${formatProblem(problem)}\n`)
  if (!loaded.ok) return EXIT.usage
  for (const cost of standbyCosts(loaded.value.config))
    terminal.err(`${args.config}: note: uplink '${cost.uplink}': ${formatStandbyCost(cost)}\n`)
  terminal.out(printEffective(loaded.value.effective, args.format ?? loaded.value.notation))
  return EXIT.ok
}
