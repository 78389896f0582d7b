import {
  createJSONRPCErrorResponse,
  JSONRPCClient,
  JSONRPCErrorException,
  type JSONRPCErrorResponse,
  type JSONRPCID,
  type JSONRPCResponse,
} from 'json-rpc-2.0'
import { SystemError } from '../app/ports.ts'
import { encodeUtf8 } from '../core/bytes.ts'
import { lineReader } from './line-stream.ts'
import { system } from './system/engine.ts'
import type { Stream } from './system/port.ts'

/** Octets of one answer; a plan with its nftables text is the longest. */
const MAX_ANSWER = 16 * 1024 * 1024
/** ms after which a daemon that does not answer counts as stuck; a drill may take 30 s. */
const PATIENCE = 60_000
const GONE = 'the daemon went away'

/** What the daemon answered instead of a result. */
export class ControlRefusal extends Error {
  readonly code: number
  readonly problems: readonly string[]

  constructor(code: number, message: string, problems: readonly string[]) {
    super(message)
    this.name = 'ControlRefusal'
    this.code = code
    this.problems = problems
  }
}

/** A connection to the daemon's control socket. */
export class ControlClient {
  /** Takes the notifications of the daemon. */
  onNotification: (method: string, params: unknown) => void = () => {}
  /** Resolves when the daemon is gone. */
  readonly closed: Promise<void>
  readonly #stream: Stream
  readonly #rpc: JSONRPCClient

  private constructor(stream: Stream, closed: Promise<void>) {
    this.#stream = stream
    this.#rpc = new JSONRPCClient((request) => {
      stream.write(encodeUtf8(`${JSON.stringify(request)}\n`))
    })
    this.closed = closed.then(() => this.#rpc.rejectAllPendingRequests(GONE))
  }

  /** Rejects with SystemError: ENOENT or ECONNREFUSED (no daemon), EACCES. */
  static connect(path: string): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      let closed = () => {}
      const end = new Promise<void>((resolve) => {
        closed = resolve
      })
      const stream = system.streams.connect(
        { path },
        {
          onOpen: () => resolve(client),
          onData: (octets) => read(octets),
          onEnd: () => stream.end(),
          onClose: (cause) => {
            reject(new SystemError(cause?.code ?? 'EIO', `cannot reach the daemon at ${path}`, { cause }))
            closed()
          },
        },
      )
      const client = new ControlClient(stream, end)
      const read = lineReader(stream, (line) => client.#receive(line), MAX_ANSWER)
    })
  }

  /** Rejects with ControlRefusal; its code is 0 if the daemon went away or is stuck. */
  async request(method: string, params?: unknown): Promise<unknown> {
    if (this.#stream.state === 'over') throw new ControlRefusal(0, GONE, [])
    try {
      return await this.#rpc.timeout(PATIENCE, stuck).request(method, params)
    } catch (cause) {
      throw asRefusal(cause)
    }
  }

  close(): void {
    this.#stream.destroy()
  }

  #receive(line: string): void {
    const message = parse(line)
    if (message === undefined) this.#stream.destroy()
    else if (typeof message.method === 'string') this.onNotification(message.method, message.params)
    else this.#rpc.receive(message)
  }
}

type Message = JSONRPCResponse & { readonly method?: unknown; readonly params?: unknown }

function parse(line: string): Message | undefined {
  try {
    const message: Message | null = JSON.parse(line)
    return typeof message === 'object' && message !== null ? message : undefined
  } catch {
    return undefined
  }
}

function stuck(id: JSONRPCID): JSONRPCErrorResponse {
  return createJSONRPCErrorResponse(id, 0, 'the daemon does not answer')
}

function asRefusal(cause: unknown): unknown {
  if (!(cause instanceof JSONRPCErrorException)) return cause
  const problems: unknown = cause.data?.problems
  return new ControlRefusal(cause.code, cause.message, Array.isArray(problems) ? problems.map(String) : [])
}
