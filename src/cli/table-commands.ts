import type { Command } from 'commander'
import { COMMANDS, type CommandArgument, type CommandName } from '../core/commands.ts'
import type { CliContext } from './context.ts'
import { DaemonClient, withSocketOption } from './daemon.ts'

/** What is said once the daemon has taken a command; it acts in the background. */
const DONE: Readonly<Record<CommandName, string>> = {
  up: 'is switched on',
  down: 'is switched off until `lifeline up` or a restart of the daemon',
  reconnect: 'hangs up and dials again',
}

/** Every command of core/commands.ts that the command line offers. */
export function addTableCommands(program: Command, { terminal, connect }: CliContext): void {
  for (const { name, help, arguments: parameters, surfaces } of COMMANDS) {
    if (!surfaces.includes('cli')) continue
    const command = program
      .command(name)
      .description(help)
      .addHelpText(
        'after',
        `\nExample:\n  lifeline ${name} ${parameters.map((one) => EXAMPLES[one.type]).join(' ')}`,
      )
    for (const parameter of parameters) command.argument(`<${parameter.name}>`, parameter.help)
    withSocketOption(command).action(async (...given: unknown[]) => {
      const { socket } = command.opts<{ socket: string }>()
      const [tunnel] = given as [string]
      await DaemonClient.ask(connect, socket, name, { tunnel })
      terminal.out(`The tunnel ${tunnel} ${DONE[name]}.\n`)
    })
  }
}

const EXAMPLES: Readonly<Record<CommandArgument['type'], string>> = { tunnel: 'aaisp' }
