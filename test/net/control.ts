/** The daemon's control socket, spoken by hand: JSON-RPC 2.0, one message per line. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { StatusEvent } from '../../src/core/status/event.ts'

/** Asks one question. Rejects if nobody listens or the daemon answers with an error. */
export async function ask(path: string, method: string, params?: unknown): Promise<unknown> {
  const socket = await open(path)
  try {
    send(socket, method, params)
    for await (const line of createInterface({ input: socket })) return resultOf(line)
    throw new Error(`the daemon closed the control socket without an answer to ${method}`)
  } finally {
    socket.destroy()
  }
}

/** Tells about every event since the daemon's start, until it ends or `signal` is aborted. */
export async function follow(
  path: string,
  onEvent: (event: StatusEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const socket = await open(path)
  signal.addEventListener('abort', () => socket.destroy(), { once: true })
  socket.on('error', () => {})
  send(socket, 'events', { follow: true })
  createInterface({ input: socket }).on('line', (line) => {
    const message = JSON.parse(line)
    if (message.method === 'event') onEvent(message.params)
    else for (const event of (resultOf(line) as { events: StatusEvent[] }).events) onEvent(event)
  })
}

async function open(path: string): Promise<Socket> {
  const socket = connect(path)
  await once(socket, 'connect')
  return socket
}

function send(socket: Socket, method: string, params: unknown): void {
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })}\n`)
}

function resultOf(line: string): unknown {
  const { result, error } = JSON.parse(line)
  if (error !== undefined) throw new Error(`control socket: ${error.message}`)
  return result
}
