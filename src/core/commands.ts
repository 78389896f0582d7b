import { err, ok, type Result } from './result.ts'

const EVERYWHERE = ['cli', 'ubus', 'mqtt'] as const
const TUNNEL = {
  name: 'tunnel',
  type: 'tunnel',
  sole: true,
  help: 'name of the tunnel section; the only one if left out',
} as const

/**
 * The one table of commands: what a user can ask a running daemon to do, on the command line, over ubus and over MQTT
 * alike. Each surface builds its own form from it, so that none offers what another does not know.
 */
export const COMMANDS = [
  {
    name: 'up',
    help: 'Dial a tunnel, now and whenever it is down',
    arguments: [TUNNEL],
    surfaces: EVERYWHERE,
  },
  {
    name: 'down',
    help: 'Hang a tunnel up and leave it down until `up` or a restart of the daemon',
    arguments: [TUNNEL],
    surfaces: EVERYWHERE,
  },
  {
    name: 'reconnect',
    help: 'Hang a tunnel up and dial it again at once',
    arguments: [TUNNEL],
    surfaces: EVERYWHERE,
  },
  {
    name: 'use',
    help: 'Use one path whatever its health, or `auto` to choose by health again',
    arguments: [{ name: 'path', type: 'mode', help: 'name of a path of the failover section, or `auto`' }],
    surfaces: EVERYWHERE,
  },
  {
    name: 'drill',
    help: 'Treat a path as dead for a while, measure the outage, go back and report',
    arguments: [{ name: 'path', type: 'path', optional: true, help: 'the active path if left out' }],
    surfaces: EVERYWHERE,
  },
] as const satisfies readonly Command[]

/** A name of the table of commands. */
export type CommandName = (typeof COMMANDS)[number]['name']

/** A row of the table: how a command is called, by whom, and what it is said to do. */
export interface Command {
  readonly name: string
  /** Imperative, without a full stop. */
  readonly help: string
  readonly arguments: readonly CommandArgument[]
  readonly surfaces: readonly Surface[]
}

/** Where commands come from. */
export type Surface = 'cli' | 'ubus' | 'mqtt'

/** One argument of a command: its name, what it names, and whether it may be left out. */
export interface CommandArgument {
  readonly name: string
  /** `tunnel`: the name of a configured tunnel; `path`: of a path of failover; `mode`: the same, or `auto`. */
  readonly type: 'tunnel' | 'path' | 'mode'
  readonly optional?: boolean
  /** May be left out where there is only one to choose. */
  readonly sole?: boolean
  readonly help: string
}

/** Names that an argument may take now. */
export interface Names {
  readonly tunnels: readonly string[]
  /** Empty without failover. */
  readonly paths: readonly string[]
}

/** Why arguments were not taken, in words for whoever gave them. */
export interface ArgumentError {
  readonly code:
    | 'missing_argument'
    | 'wrong_argument'
    | 'unknown_argument'
    | 'unknown_tunnel'
    | 'unknown_path'
  readonly message: string
}

/**
 * The arguments of a command from JSON that anyone may have written: an object by name, or an array by position. With
 * `sole` the only tunnel need not be named: for people at a command line, not for an empty message that strays about.
 */
export function readArguments(
  command: Command,
  params: unknown,
  names: Names,
  { sole = false }: { readonly sole?: boolean } = {},
): Result<Readonly<Record<string, string>>, ArgumentError> {
  const given = byName(command, params)
  if (!given.ok) return given
  const values: Record<string, string> = {}
  for (const argument of command.arguments) {
    const value = given.value.get(argument.name) ?? (sole ? soleName(argument, names) : undefined)
    if (value === undefined && argument.optional) continue
    if (value === undefined)
      return err({
        code: 'missing_argument',
        message: `${command.name} needs the argument ${argument.name}: ${configured(argument, names)}`,
      })
    if (typeof value !== 'string') {
      return err({ code: 'wrong_argument', message: `the argument ${argument.name} must be a text` })
    }
    const unknown = unknownName(argument, value, names)
    if (unknown) return err(unknown)
    values[argument.name] = value
  }
  return ok(values)
}

function byName(command: Command, params: unknown): Result<ReadonlyMap<string, unknown>, ArgumentError> {
  if (params === undefined || params === null) return ok(new Map())
  if (typeof params !== 'object') {
    return err({ code: 'wrong_argument', message: `the arguments of ${command.name} must be an object` })
  }
  const entries: [string, unknown][] = Array.isArray(params)
    ? params.map((value: unknown, index) => [command.arguments[index]?.name ?? `number ${index + 1}`, value])
    : Object.entries(params)
  const known = new Set(command.arguments.map((argument) => argument.name))
  const foreign = entries.find(([name]) => !known.has(name))
  if (foreign !== undefined) {
    const name = JSON.stringify(foreign[0].slice(0, 40))
    return err({ code: 'unknown_argument', message: `${command.name} has no argument ${name}` })
  }
  return ok(new Map(entries))
}

function soleName(argument: CommandArgument, names: Names): string | undefined {
  const known = knownNames(argument, names)
  return argument.sole && known.length === 1 ? known[0] : undefined
}

function knownNames({ type }: CommandArgument, { tunnels, paths }: Names): readonly string[] {
  return type === 'tunnel' ? tunnels : paths
}

function configured(argument: CommandArgument, names: Names): string {
  const known = knownNames(argument, names)
  return known.length === 0 ? 'none is configured' : `configured are ${known.join(', ')}`
}

/** What is wrong with a name, if anything is. */
function unknownName(argument: CommandArgument, name: string, names: Names): ArgumentError | undefined {
  const { type } = argument
  const kind = type === 'tunnel' ? 'tunnel' : 'path'
  const known = knownNames(argument, names)
  if (known.includes(name) || (type === 'mode' && name === 'auto' && known.length > 0)) return undefined
  const shown = JSON.stringify(name.slice(0, 40))
  return { code: `unknown_${kind}`, message: `there is no ${kind} ${shown}: ${configured(argument, names)}` }
}
