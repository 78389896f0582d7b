import { ADDRCONFIG } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { SystemError } from '../../../app/ports.ts'
import type { Listener, Stream, StreamEvents, Streams, UnixTarget } from '../port.ts'
import { systemError } from './system-error.ts'

/** The stream sockets of this system. */
export const streams: Streams = {
  async lookup(host) {
    try {
      const found = await lookup(host, { all: true, hints: ADDRCONFIG, order: 'verbatim' })
      return found.map(({ address }) => address)
    } catch (cause) {
      throw systemError(cause)
    }
  },

  connect(to, events) {
    const socket =
      'host' in to
        ? connect({ host: to.host, port: to.port, noDelay: true, allowHalfOpen: true })
        : connect({ path: pathOf(to), allowHalfOpen: true })
    const stream = new NodeStream(socket)
    if (events.onOpen) socket.once('connect', events.onOpen)
    return stream.tell(events)
  },

  async listen(at, accept) {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const stream = new NodeStream(socket)
      stream.tell(accept(stream))
    })
    await listening(server, pathOf(at))
    return { close: () => void server.close() } satisfies Listener
  },
}

function pathOf(target: UnixTarget): string {
  return 'path' in target ? target.path : `\0${target.name}`
}

/** Binding happens before listen() returns, so a file is never there with other rights. */
function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (cause: Error) => reject(systemError(cause))
    server.once('error', refused)
    server.once('listening', () => {
      server.removeListener('error', refused)
      // That a client could not be taken, as while descriptors are short, is no reason to end.
      server.on('error', () => {})
      resolve()
    })
    const umask = process.umask(0o177)
    try {
      server.listen(path)
    } finally {
      process.umask(umask)
    }
  })
}

/** A socket of Node behind the port. */
export class NodeStream implements Stream {
  #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get pending(): number {
    return this.#socket.writableLength
  }

  get state(): Stream['state'] {
    if (this.#socket.destroyed) return 'over'
    return this.#socket.writableEnded ? 'ending' : 'open'
  }

  write(octets: Uint8Array): void {
    if (this.state === 'open') this.#socket.write(octets)
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Who hears of it from now on. `asError` says what an error means. */
  tell(events: StreamEvents, asError: (cause: Error) => unknown = systemError): this {
    let error: SystemError | undefined
    this.#socket
      .on('data', (chunk: Buffer) =>
        events.onData(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)),
      )
      .on('end', () => events.onEnd?.())
      .on('error', (cause) => {
        error = asError(cause) as SystemError
      })
      .on('close', () => events.onClose(error))
    return this
  }

  /** Hands the socket over; nobody hears of this stream any more. */
  handOver(): Socket {
    for (const event of ['data', 'end', 'error', 'close', 'connect']) this.#socket.removeAllListeners(event)
    return this.#socket
  }
}
