import type { Command } from 'commander'
import type { CliContext } from './context.ts'

/** `lifeline version`. */
export function addVersion(program: Command, { terminal, version }: CliContext): void {
  program
    .command('version')
    .description('Print the version')
    .addHelpText('after', '\nExample:\n  lifeline version')
    .action(() => terminal.out(`${version}\n`))
}
