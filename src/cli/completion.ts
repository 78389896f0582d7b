import { Argument, type Command } from 'commander'
import { commandWords } from './command-words.ts'
import { completionScript, type Shell } from './completion-scripts.ts'
import type { CliContext } from './context.ts'
import { DaemonClient, withSocketOption } from './daemon.ts'
import { CliError } from './exit-codes.ts'

type What = Shell | 'tunnels' | 'paths'

/** `lifeline completion SHELL`: what a shell needs to complete this command line. */
export function addCompletion(program: Command, { terminal, connect }: CliContext): void {
  const command = program
    .command('completion')
    .description('Print what bash, zsh or fish needs to complete this command line')
    .addArgument(
      new Argument('<what>', 'the shell; or the names that its script asks for').choices([
        'bash',
        'zsh',
        'fish',
        'tunnels',
        'paths',
      ]),
    )
    .addHelpText(
      'after',
      `
Examples:
  lifeline completion bash > /usr/local/share/bash-completion/completions/lifeline
  lifeline completion zsh > /usr/local/share/zsh/site-functions/_lifeline
  lifeline completion fish > /usr/local/share/fish/vendor_completions.d/lifeline.fish`,
    )
  withSocketOption(command).action(async (what: What, { socket }: { socket: string }) => {
    if (what === 'tunnels' || what === 'paths')
      terminal.out((await names(what, socket)).map((name) => `${name}\n`).join(''))
    else terminal.out(completionScript(what, commandWords(program)))
  })

  /** None where no daemon can be asked: nobody wants to read an error while pressing Tab. */
  async function names(what: 'tunnels' | 'paths', socket: string): Promise<readonly string[]> {
    try {
      const { tunnel, failover } = await DaemonClient.ask(connect, socket, 'status')
      const tunnels = Object.keys(tunnel)
      return what === 'tunnels' ? tunnels : [...new Set([...Object.keys(failover?.path ?? {}), ...tunnels])]
    } catch (error) {
      if (error instanceof CliError) return []
      throw error
    }
  }
}
