import type { Command } from 'commander'
import type { CliContext } from './context.ts'
import { DaemonClient, withSocketOption } from './daemon.ts'

/** `lifeline reload`: as SIGHUP does, and says what came of it. */
export function addReload(program: Command, { terminal, connect }: CliContext): void {
  const command = program
    .command('reload')
    .description('Read the configuration again; only what changed is touched')
    .option('--force', 'also if no tunnel would be left')
    .addHelpText(
      'after',
      `
A wrong configuration leaves the running one in place, and so does one without any tunnel where tunnels run.

Examples:
  lifeline reload
  lifeline reload --force`,
    )
  withSocketOption(command).action(async ({ socket, force }: { socket: string; force?: true }) => {
    const { changes, warnings } = await DaemonClient.ask(connect, socket, 'reload', force && { force })
    for (const warning of warnings) terminal.err(`lifeline: warning: ${warning}\n`)
    terminal.out(changes.length === 0 ? 'Nothing changed.\n' : changes.map((line) => `${line}\n`).join(''))
  })
}
