import { allCommands, type CommandWords } from './command-words.ts'
import { CONFIG_FILES } from './config-file.ts'
import { DEFAULT_SOCKET } from './daemon.ts'
import { EXIT } from './exit-codes.ts'

/** The manual page lifeline(8), in the words of man(7). */
export function manualPage(program: CommandWords): string {
  const commands = allCommands(program).filter(({ name, children }) => name !== '' && children.length === 0)
  return `${[
    '.\\" Made by `npm run docs` from the command line itself.',
    '.TH LIFELINE 8 "" "lifeline" "System administration"',
    '.SH NAME',
    'lifeline \\- L2TPv2/PPP client with failover',
    '.SH SYNOPSIS',
    '.B lifeline',
    '.I command',
    '.RI [ arguments ]',
    '.SH DESCRIPTION',
    escaped(program.description),
    'The daemon is started by',
    '.BR "lifeline run" ;',
    'the other commands ask it, or look at a configuration.',
    '.SH COMMANDS',
    ...commands.flatMap(entry),
    '.SH FILES',
    '.TP',
    `.I ${CONFIG_FILES.map(escaped).join('\n.TQ\n.I ')}`,
    'The configuration, in UCI or JSON: the first of them that exists is read.',
    '.TP',
    `.I ${escaped(DEFAULT_SOCKET)}`,
    'The control socket of the daemon.',
    '.SH ENVIRONMENT',
    '.TP',
    '.B LIFELINE_SOCKET',
    'The control socket, where \\-\\-socket does not name it.',
    '.TP',
    '.B NO_COLOR',
    'If it is set and not empty, nothing is coloured.',
    '.SH EXIT STATUS',
    ...EXIT_STATUS.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, meaning]),
    '.SH SIGNALS',
    'SIGHUP makes the daemon read its configuration again, SIGTERM and SIGINT make it hang up and remove all that it set up.',
  ].join('\n')}\n`
}

const EXIT_STATUS: readonly (readonly [number, string])[] = [
  [EXIT.ok, 'Done.'],
  [EXIT.failed, 'What was asked for failed, or the daemon or the system refused it.'],
  [EXIT.usage, 'Wrong usage, or a configuration that is missing or wrong.'],
  [EXIT.notRunning, 'No daemon runs, or it went away.'],
  [
    EXIT.onBackup,
    'Only of status \\-\\-exit\\-code: the internet is reached over another path than the preferred one.',
  ],
  [EXIT.down, 'Only of status \\-\\-exit\\-code: the internet is not reached.'],
]

function entry({ name, description, arguments: parameters, options }: CommandWords): string[] {
  const usage = parameters.map((parameter) => ` ${parameter.usage}`).join('')
  return [
    `.SS ${escaped(`lifeline ${name}${usage}`)}`,
    `${escaped(description)}.`,
    ...parameters.flatMap((parameter) => [
      '.TP',
      `.I ${escaped(parameter.usage)}`,
      escaped(parameter.description),
    ]),
    ...options
      .filter(({ flags }) => !flags.includes('--help'))
      .flatMap((option) => ['.TP', `.B ${escaped(option.usage)}`, escaped(option.description)]),
  ]
}

/** Hyphens as they are typed, and nothing that roff would take for a request. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
