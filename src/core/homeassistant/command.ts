import { decodeUtf8 } from '../bytes.ts'
import { COMMANDS, type CommandName, type Names, readArguments } from '../commands.ts'
import { err, ok, type Result } from '../result.ts'
import type { Topics } from './topics.ts'

/** A command that may be carried out. */
export interface CommandRequest {
  readonly command: CommandName
  readonly arguments: Readonly<Record<string, string>>
}

/** Why one is not; `command` is what was asked for, bounded. */
export interface CommandRefusal {
  readonly command: string
  readonly message: string
}

/** More than any command needs. */
const MAX_OCTETS = 4096

/**
 * What a message on a command topic asks for: its payload is a JSON object with the arguments, and on `<base>/cmd` the
 * command too. `allowed` are the commands of the configuration.
 */
export function readCommand(
  topics: Topics,
  topic: string,
  payload: Uint8Array,
  allowed: readonly string[],
  names: Names,
): Result<CommandRequest, CommandRefusal> {
  const level = topics.commandOf(topic) ?? ''
  const read = readPayload(payload)
  if (!read.ok) return err({ command: shown(level), message: read.error })
  const { command: named, ...rest } = read.value
  const asked = level === '' ? named : level
  if (typeof asked !== 'string' || asked === '')
    return err({ command: '', message: 'the payload does not name a command' })
  const command = COMMANDS.find(({ name, surfaces }) => name === asked && surfaces.some((s) => s === 'mqtt'))
  if (command === undefined) return err({ command: shown(asked), message: 'there is no such command' })
  if (!allowed.includes(command.name))
    return err({
      command: command.name,
      message: "this command is not allowed over MQTT: see option 'commands'",
    })
  const values = readArguments(command, level === '' ? rest : read.value, names)
  if (!values.ok) return err({ command: command.name, message: values.error.message })
  return ok({ command: command.name, arguments: values.value })
}

function readPayload(payload: Uint8Array): Result<Readonly<Record<string, unknown>>, string> {
  if (payload.length > MAX_OCTETS) return err(`the payload has more than ${MAX_OCTETS} octets`)
  const text = decodeUtf8(payload)
  if (text === undefined) return err('the payload is not UTF-8')
  if (text.trim() === '') return ok({})
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return ok({ ...value })
  } catch {
    // Told below.
  }
  return err('the payload is not a JSON object')
}

function shown(name: string): string {
  return name.slice(0, 40)
}
