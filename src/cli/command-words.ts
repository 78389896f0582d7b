import type { Command, Option } from 'commander'

/** A command as completion and the manual page need it; made of the program itself, so that neither can lag behind. */
export interface CommandWords {
  /** Such as `mqtt test`; empty for the program. */
  readonly name: string
  readonly description: string
  readonly options: readonly OptionWords[]
  readonly arguments: readonly ArgumentWords[]
  readonly children: readonly CommandWords[]
}

/** An option, as help, manual and completions write it. */
export interface OptionWords {
  /** `-c` and `--config`, or one of them. */
  readonly flags: readonly string[]
  /** As help writes it: `-c, --config <file>`. */
  readonly usage: string
  readonly description: string
  /** What follows it; undefined for a switch. */
  readonly value: Values | undefined
}

/** An argument, as help, manual and completions write it. */
export interface ArgumentWords {
  /** As help writes it: `<file>` or `[path]`. */
  readonly usage: string
  readonly description: string
  readonly values: Values
}

/** What may stand there. */
export type Values =
  | { readonly kind: 'file' | 'tunnel' | 'path' | 'command' | 'free' }
  | { readonly kind: 'words'; readonly words: readonly string[] }

/** All that a program offers. */
export function commandWords(command: Command, prefix = ''): CommandWords {
  const name = command.parent === null ? '' : `${prefix}${command.name()}`
  const help = {
    flags: ['-h', '--help'],
    usage: '-h, --help',
    description: 'show this help',
    value: undefined,
  }
  return {
    name,
    description: command.description(),
    options: [...command.options.map(optionWords), help],
    arguments: command.registeredArguments.map((argument) => ({
      usage: `${argument.required ? '<' : '['}${argument.name()}${argument.variadic ? '...' : ''}${argument.required ? '>' : ']'}`,
      description: argument.description,
      values: valuesOf(argument.name(), argument.argChoices),
    })),
    children: command.commands.map((child) => commandWords(child, name === '' ? '' : `${name} `)),
  }
}

/** The command and all below it. */
export function allCommands(command: CommandWords): readonly CommandWords[] {
  return [command, ...command.children.flatMap(allCommands)]
}

function optionWords(option: Option): OptionWords {
  const [, value] = /[<[]([^>\]]+)[>\]]/.exec(option.flags) ?? []
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    usage: option.flags,
    description: option.description,
    // The control socket is a file, whatever help calls it.
    value: value === undefined ? undefined : valuesOf(value === 'path' ? 'file' : value, option.argChoices),
  }
}

function valuesOf(name: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return { kind: 'words', words: choices }
  if (name === 'file' || name === 'tunnel' || name === 'path' || name === 'command') return { kind: name }
  return { kind: 'free' }
}
