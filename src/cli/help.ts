import type { Command } from 'commander'
import { CliError, EXIT } from './exit-codes.ts'

/** `lifeline help [COMMAND]`, where a command may be of two words. */
export function addHelp(program: Command): void {
  program
    .command('help')
    .description('Show the help of a command')
    .argument('[command...]', 'such as `run`, or `mqtt test`')
    .addHelpText('after', '\nExamples:\n  lifeline help run\n  lifeline help mqtt test')
    .action((words: readonly string[]) => find(program, words).help())
}

function find(program: Command, words: readonly string[]): Command {
  return words.reduce((command, word) => {
    const next = command.commands.find((child) => child.name() === word)
    if (next !== undefined) return next
    throw new CliError(EXIT.usage, `there is no command '${words.join(' ')}'`, [
      '`lifeline help` lists all commands.',
    ])
  }, program)
}
