import type { Command } from 'commander'
import { COMMANDS, type CommandArgument, type CommandName } from '../core/commands.ts'
import type { DrillReport } from '../core/status/event.ts'
import type { CliContext } from './context.ts'
import { DaemonClient, withSocketOption } from './daemon.ts'

/** What is said once the daemon has taken a command; it acts in the background. */
const DONE: Readonly<Record<CommandName, (name: string, result: unknown) => string>> = {
  up: (tunnel) => `The tunnel ${tunnel} is switched on.`,
  down: (tunnel) => `The tunnel ${tunnel} is switched off until \`lifeline up\` or a restart of the daemon.`,
  reconnect: (tunnel) => `The tunnel ${tunnel} hangs up and dials again.`,
  use: (path) =>
    path === 'auto'
      ? 'The path is chosen by its health.'
      : `The path ${path} is used until \`lifeline use auto\`.`,
  drill: (_path, result) => drillText(result as DrillReport),
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
    for (const parameter of parameters as readonly CommandArgument[]) {
      command.argument(
        parameter.optional || parameter.sole ? `[${parameter.name}]` : `<${parameter.name}>`,
        parameter.help,
      )
    }
    withSocketOption(command).action(async (...given: unknown[]) => {
      const { socket } = command.opts<{ socket: string }>()
      const [first] = given
      const [parameter] = parameters
      const value = typeof first === 'string' ? first : undefined
      const params = value === undefined ? {} : { [parameter.name]: value }
      const result = await DaemonClient.ask(connect, socket, name, params as never)
      terminal.out(`${DONE[name](value ?? takenName(result), result)}\n`)
    })
  }
}

/** Which one the daemon has taken for what was left out. */
function takenName(result: unknown): string {
  const tunnel = typeof result === 'object' && result !== null && 'tunnel' in result ? result.tunnel : ''
  return String(tunnel)
}

const EXAMPLES: Readonly<Record<CommandArgument['type'], string>> = {
  tunnel: 'aaisp',
  path: 'fibre',
  mode: 'lte',
}

function drillText({ path, to, outage_ms: outage, return_ms: back, standby }: DrillReport): string {
  if (standby !== null) return standby.message
  const over =
    outage === null
      ? `no probe was answered over ${to}`
      : `probes were answered over ${to} after ${outage} ms`
  const home = back === null ? `traffic is still on ${to}` : `going back took ${back} ms`
  return `${path} was treated as dead: ${over}; ${home}.`
}
