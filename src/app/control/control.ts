import {
  createJSONRPCErrorResponse,
  createJSONRPCNotification,
  JSONRPCErrorCode,
  JSONRPCErrorException,
  type JSONRPCRequest,
  type JSONRPCResponse,
  JSONRPCServer,
} from 'json-rpc-2.0'
import { COMMANDS, type Command, type CommandName, readArguments } from '../../core/commands.ts'
import type { PathHistory } from '../../core/failover/history.ts'
import type { Result } from '../../core/result.ts'
import type { DrillReport, StatusEvent } from '../../core/status/event.ts'
import type { Status } from '../../core/status/status.ts'
import type { PlanReport, Refusal, ReloadReport } from '../answers.ts'
import type { Cancel, LineHandler, LineStream, Log } from '../ports.ts'
import { runCommand } from './run-command.ts'
import type { ControlTarget } from './target.ts'

/** The arguments of a command that was taken, also those that were left out. */
export type Done = Readonly<Record<string, string>>

/** The methods of the control socket: what each is given and gives. */
export interface ControlMethods {
  version: { params: undefined; result: { version: string; schema: number } }
  status: { params: undefined; result: Status }
  /** The last events; with `follow`, each later one comes as a notification `event`. `limit` bounds the first part. */
  events: { params: { follow?: boolean; limit?: number }; result: { events: readonly StatusEvent[] } }
  /** These four give back what they were done with. */
  up: { params: { tunnel?: string }; result: Done }
  down: { params: { tunnel?: string }; result: Done }
  reconnect: { params: { tunnel?: string }; result: Done }
  use: { params: { path: string }; result: Done }
  drill: { params: { path?: string }; result: DrillReport }
  history: { params: { path?: string }; result: PathHistory }
  reload: { params: { force?: boolean } | undefined; result: ReloadReport }
  plan: { params: undefined; result: PlanReport }
}

/** Codes of JSON-RPC errors beyond those of the specification; `data.code` carries the name, `data.problems` the lines. */
export const CONTROL_ERRORS = {
  unknown_tunnel: -32001,
  unknown_path: -32005,
  config_invalid: -32002,
  refused: -32003,
  system: -32004,
} as const

const MAX_BATCH = 100

/** Takes its argument as commands do, though it asks for nothing to be done. */
const HISTORY: Command = {
  name: 'history',
  help: 'Show the last 24 h of a path or tunnel',
  arguments: [{ name: 'path', type: 'path', sole: true, help: 'name of a path of failover, or of a tunnel' }],
  surfaces: ['cli'],
}

/** Answers JSON-RPC 2.0 requests, one line each, for any number of clients. Nothing that a client sends throws. */
export class Control {
  readonly #target: ControlTarget
  readonly #log: Log
  readonly #server: JSONRPCServer<ControlSession>

  constructor(target: ControlTarget, log: Log) {
    this.#target = target
    this.#log = log
    this.#server = new JSONRPCServer({ errorListener: (_message, error) => this.#report(error) })
    this.#server.mapErrorToJSONRPCErrorResponse = (id, error) => {
      if (error instanceof JSONRPCErrorException) {
        return createJSONRPCErrorResponse(id, error.code, error.message, error.data)
      }
      return createJSONRPCErrorResponse(
        id,
        JSONRPCErrorCode.InternalError,
        'internal error: see the log of the daemon',
      )
    }
    this.#addMethods()
  }

  /** Takes a new client. */
  accept(stream: LineStream): LineHandler {
    const session: ControlSession = { stream, unfollow: undefined }
    return {
      onLine: async (line) => {
        const answer = await this.#answer(line, session)
        if (answer !== null) stream.send(JSON.stringify(answer))
      },
      onEnd: () => {
        if (session.unfollow === undefined) stream.close()
      },
      onClose: () => session.unfollow?.(),
    }
  }

  #addMethods(): void {
    const target = this.#target
    this.#method('version', () => ({ version: target.status().version, schema: target.status().schema }))
    this.#method('status', () => target.status())
    this.#method('events', (params, session) => this.#events(params, session))
    this.#method('reload', async (params) => settle(await target.reload(readForce(params))))
    this.#method('plan', async () => settle(await target.plan()))
    this.#method('history', (params) => this.#history(params))
    for (const command of COMMANDS)
      this.#method(command.name, (params) => this.#run(command.name, this.#arguments(command, params)))
  }

  #arguments(command: Command, params: unknown): Readonly<Record<string, string>> {
    const target = this.#target
    const tunnels = Object.keys(target.status().tunnel)
    const paths = command === HISTORY ? [...new Set([...target.paths(), ...tunnels])] : target.paths()
    const names = { tunnels, paths }
    const read = readArguments(command, params, names, { sole: true })
    if (read.ok) return read.value
    const { code, message } = read.error
    const isName = code === 'unknown_tunnel' || code === 'unknown_path'
    const number = isName ? CONTROL_ERRORS[code] : JSONRPCErrorCode.InvalidParams
    throw new JSONRPCErrorException(message, number, { code })
  }

  #history(params: unknown): PathHistory {
    const { path = '' } = this.#arguments(HISTORY, params)
    const history = this.#target.history(path)
    if (history !== undefined) return history
    const message = `nothing is known of the path ${path} yet`
    throw new JSONRPCErrorException(message, CONTROL_ERRORS.refused, { code: 'refused' })
  }

  #method<Name extends keyof ControlMethods>(
    name: Name,
    run: (
      params: unknown,
      session: ControlSession,
    ) => ControlMethods[Name]['result'] | Promise<ControlMethods[Name]['result']>,
  ): void {
    this.#server.addMethod(name, run)
  }

  async #run(command: CommandName, values: Readonly<Record<string, string>>): Promise<DrillReport | Done> {
    this.#log.info('command', { command, ...values })
    return settle(await runCommand(this.#target, command, values)) ?? values
  }

  #events(params: unknown, session: ControlSession): ControlMethods['events']['result'] {
    const { follow = false, limit = Number.MAX_SAFE_INTEGER } = isObject(params) ? params : {}
    if (typeof follow !== 'boolean' || !Number.isSafeInteger(limit) || Number(limit) < 0) {
      throw new JSONRPCErrorException(
        'events takes follow (true or false) and limit (a number of events)',
        JSONRPCErrorCode.InvalidParams,
        { code: 'wrong_argument' },
      )
    }
    if (follow) {
      session.unfollow ??= this.#target.follow((event) =>
        session.stream.send(JSON.stringify(createJSONRPCNotification('event', event))),
      )
    }
    const events = this.#target.events()
    return { events: events.slice(Math.max(0, events.length - Number(limit))) }
  }

  async #answer(line: string, session: ControlSession): Promise<JSONRPCResponse | JSONRPCResponse[] | null> {
    let request: unknown
    try {
      request = JSON.parse(line)
    } catch {
      return createJSONRPCErrorResponse(null, JSONRPCErrorCode.ParseError, 'this line is not JSON')
    }
    if (!Array.isArray(request)) return this.#answerOne(request, session)
    if (request.length === 0 || request.length > MAX_BATCH) return invalidRequest()
    const answers = await Promise.all(request.map((one) => this.#answerOne(one, session)))
    const given = answers.filter((answer) => answer !== null)
    return given.length === 0 ? null : given
  }

  async #answerOne(request: unknown, session: ControlSession): Promise<JSONRPCResponse | null> {
    if (!isObject(request)) return invalidRequest()
    return this.#server.receive(request as unknown as JSONRPCRequest, session)
  }

  #report(error: unknown): void {
    if (!(error instanceof JSONRPCErrorException)) this.#log.error('control request failed', { cause: error })
  }
}

interface ControlSession {
  readonly stream: LineStream
  unfollow: Cancel | undefined
}

function readForce(params: unknown): boolean {
  const given = params ?? {}
  const { force = false, ...others } = isObject(given) ? given : { force: params }
  if (typeof force === 'boolean' && Object.keys(others).length === 0) return force
  throw new JSONRPCErrorException('reload takes force (true or false)', JSONRPCErrorCode.InvalidParams, {
    code: 'wrong_argument',
  })
}

function settle<T>(outcome: Result<T, Refusal>): T {
  if (outcome.ok) return outcome.value
  const { code, message, problems } = outcome.error
  throw new JSONRPCErrorException(message, CONTROL_ERRORS[code], { code, problems })
}

function invalidRequest(): JSONRPCResponse {
  return createJSONRPCErrorResponse(
    null,
    JSONRPCErrorCode.InvalidRequest,
    'this is not a JSON-RPC 2.0 request',
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
