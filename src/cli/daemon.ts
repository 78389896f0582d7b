import { type Command, Option } from 'commander'
import { CONTROL_ERRORS, type ControlMethods } from '../app/control/control.ts'
import type { StatusEvent } from '../core/status/event.ts'
import { CliError, EXIT } from './exit-codes.ts'

/** Where the daemon listens unless it is told otherwise. */
export const DEFAULT_SOCKET = '/run/lifeline/control.sock'
/** Code of a refusal by a daemon that went away or is stuck, as host/control-client.ts gives it. */
const GONE = 0

/** JSON-RPC 2.0, section 5.1: an argument is missing, for one. */
const INVALID_PARAMS = -32602

/** A connection to the control socket, as host/control-client.ts makes it. */
export interface Connection {
  request(method: string, params?: unknown): Promise<unknown>
  onNotification: (method: string, params: unknown) => void
  readonly closed: Promise<void>
  close(): void
}

/** Opens the control socket; rejects where nobody listens. */
export type Connect = (socket: string) => Promise<Connection>

/** The option --socket of every command that speaks with the daemon. */
export function withSocketOption(command: Command): Command {
  return command.addOption(
    new Option('--socket <path>', 'control socket of the daemon')
      .env('LIFELINE_SOCKET')
      .default(DEFAULT_SOCKET),
  )
}

/** The daemon behind a control socket; everything that goes wrong is a CliError in words. */
export class DaemonClient {
  readonly #connection: Connection

  private constructor(connection: Connection) {
    this.#connection = connection
  }

  static async connect(connect: Connect, socket: string): Promise<DaemonClient> {
    try {
      return new DaemonClient(await connect(socket))
    } catch (cause) {
      throw unreachableDaemon(socket, cause)
    }
  }

  /** Connects, asks once and lets go. */
  static async ask<Name extends keyof ControlMethods>(
    connect: Connect,
    socket: string,
    method: Name,
    params?: ControlMethods[Name]['params'],
  ): Promise<ControlMethods[Name]['result']> {
    const daemon = await DaemonClient.connect(connect, socket)
    try {
      return await daemon.call(method, params)
    } finally {
      daemon.close()
    }
  }

  /** Resolves when the daemon is gone. */
  get closed(): Promise<void> {
    return this.#connection.closed
  }

  async call<Name extends keyof ControlMethods>(
    method: Name,
    params?: ControlMethods[Name]['params'],
  ): Promise<ControlMethods[Name]['result']> {
    try {
      return (await this.#connection.request(method, params)) as ControlMethods[Name]['result']
    } catch (cause) {
      throw refused(cause)
    }
  }

  /** Calls `listener` for the last `limit` events and then for every later one, in order. */
  async follow(limit: number, listener: (event: StatusEvent) => void): Promise<void> {
    // An event may overtake the answer that lists the ones before it.
    let early: StatusEvent[] | undefined = []
    this.#connection.onNotification = (method, params) => {
      if (method !== 'event') return
      if (early === undefined) listener(params as StatusEvent)
      else early.push(params as StatusEvent)
    }
    const { events } = await this.call('events', { follow: true, limit })
    for (const event of [...events, ...early]) listener(event)
    early = undefined
  }

  close(): void {
    this.#connection.close()
  }
}

function unreachableDaemon(socket: string, cause: unknown): CliError {
  switch (codeOf(cause)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new CliError(EXIT.notRunning, `no daemon runs (nothing answers at ${socket})`, [
        'Start it with `lifeline run`, or name its socket with --socket or LIFELINE_SOCKET.',
      ])
    case 'EACCES':
      return new CliError(EXIT.failed, `you may not speak with the daemon at ${socket}`, [
        'Try again as root.',
      ])
    default:
      return new CliError(EXIT.failed, cause instanceof Error ? cause.message : String(cause))
  }
}

function refused(cause: unknown): CliError {
  if (!(cause instanceof Error)) return new CliError(EXIT.failed, String(cause))
  const problems = 'problems' in cause && Array.isArray(cause.problems) ? cause.problems.map(String) : []
  return new CliError(exitCodeOf(codeOf(cause)), cause.message, problems)
}

function exitCodeOf(code: unknown): CliError['exitCode'] {
  switch (code) {
    case CONTROL_ERRORS.unknown_tunnel:
    case CONTROL_ERRORS.unknown_path:
    case CONTROL_ERRORS.config_invalid:
    case INVALID_PARAMS:
      return EXIT.usage
    case GONE:
      return EXIT.notRunning
    default:
      return EXIT.failed
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}
