import { Command, CommanderError } from 'commander'
import { SystemError } from '../app/ports.ts'
import { addCheck } from './check.ts'
import { addCompletion } from './completion.ts'
import type { CliContext, Finish } from './context.ts'
import { addDebug } from './debug-uci.ts'
import { addDoctor } from './doctor.ts'
import { addEvents } from './events.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { addHelp } from './help.ts'
import { addHistory } from './history.ts'
import { addMqtt } from './mqtt.ts'
import { addPlan } from './plan.ts'
import { addReload } from './reload.ts'
import { addRun } from './run.ts'
import { addStatus } from './status.ts'
import { addTableCommands } from './table-commands.ts'
import { addVersion } from './version.ts'

/** In the order of the help. */
const ADDERS = [
  addRun,
  addStatus,
  addTableCommands,
  addHistory,
  addReload,
  addCheck,
  addPlan,
  addDoctor,
  addEvents,
  addMqtt,
  addVersion,
  addCompletion,
  addDebug,
  addHelp,
]

/** The whole command line, for parsing or for its help. */
export function buildProgram(context: CliContext, finish: Finish): Command {
  const { terminal } = context
  const program = new Command('lifeline')
    .description('A static public address that survives its line: L2TPv2/PPP client with failover.')
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText('after', '\nSee `lifeline help COMMAND` for examples, and docs/cli.md for exit codes.')
  for (const add of ADDERS) {
    add(program, context, finish)
  }
  return program
}

/** Runs one command line (without the names of interpreter and program); the exit code. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = EXIT.ok
  const program = buildProgram(context, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const [exitCode, details] =
      error instanceof CliError ? [error.exitCode, error.details] : [EXIT.failed, causesOf(error)]
    const message = error instanceof Error ? error.message : String(error)
    context.terminal.err([`lifeline: ${message}`, ...details.map((line) => `  ${line}`), ''].join('\n'))
    return exitCode
  }
}

/** Why the system refused; anything else is a bug of ours and goes on as it is. */
function causesOf(error: unknown): string[] {
  if (!(error instanceof SystemError)) throw error
  return error.cause instanceof Error ? [error.cause.message] : []
}
