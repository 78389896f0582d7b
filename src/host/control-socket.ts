import { lstatSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { type LineHandler, type LineStream, SystemError } from '../app/ports.ts'
import { readLines } from './line-stream.ts'
import { makeFolder } from './make-folder.ts'

/** sun_path of unix(7), without its final zero. */
const MAX_PATH = 107
/** At the same time; one more takes the place of the one that is missed least. */
const MAX_CLIENTS = 32
/** Octets that may wait for a client that does not read. */
const MAX_PENDING = 1024 * 1024
/** ms between two empty lines to a client that only listens: that it is gone shows when something is sent to it. */
const PULSE = 30_000

/** The socket on which the daemon takes commands. */
export interface ControlSocket {
  /** Ends all clients and removes the socket. */
  close(): void
}

/**
 * Listens on a unix stream socket for lines of JSON. It appears at `path` in one step with mode 0600, in place of the
 * socket of a dead daemon if need be. Rejects with SystemError: EADDRINUSE (a live daemon answers there), EEXIST
 * (something else lies there), ENAMETOOLONG, or what the system refused.
 */
export async function listenControl(
  path: string,
  accept: (stream: LineStream) => LineHandler,
): Promise<ControlSocket> {
  // The name under which it is made before it moves to its place.
  const temporary = `${path}.${process.pid}`
  if (Buffer.byteLength(temporary) > MAX_PATH) {
    throw new SystemError('ENAMETOOLONG', `the path of the control socket is too long: ${path}`)
  }
  /** Whether they have ever said anything; whoever was heard last comes last. */
  const clients = new Map<Socket, boolean>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (clients.size >= MAX_CLIENTS) idlest(clients)?.destroy()
    clients.set(socket, false)
    socket.on('data', () => {
      clients.delete(socket)
      clients.set(socket, true)
    })
    socket.on('close', () => clients.delete(socket))
    serve(socket, accept)
  })
  try {
    makeFolder(dirname(path), 0o755)
    await refuseLive(path)
    removeSocket(temporary)
    await listen(server, temporary)
    renameSync(temporary, path)
  } catch (cause) {
    server.close()
    throw inWords(path, cause)
  }
  const { ino } = statSync(path)
  return {
    close() {
      server.close()
      for (const client of clients.keys()) client.destroy()
      if (inode(path) === ino) removeSocket(path)
    },
  }
}

/** Who sits there and never said anything, before those who listen; the longest of them. */
function idlest(clients: ReadonlyMap<Socket, boolean>): Socket | undefined {
  const [first] = [...clients].filter(([, spoke]) => !spoke)
  const [longest] = clients.keys()
  return first?.[0] ?? longest
}

function serve(socket: Socket, accept: (stream: LineStream) => LineHandler): void {
  let unanswered = 0
  let ended = false
  let pulse: NodeJS.Timeout | undefined
  const handler = accept({
    send(line) {
      if (socket.destroyed || socket.writableEnded) return
      socket.write(`${line}\n`)
      if (socket.writableLength > MAX_PENDING) socket.destroy()
    },
    close: () => socket.end(),
  })
  readLines(socket, (line) => {
    unanswered += 1
    handler.onLine(line).then(answered, () => socket.destroy())
  })
  socket.on('end', () => {
    ended = true
    if (unanswered === 0) letGo()
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    clearInterval(pulse)
    handler.onClose()
  })

  function answered(): void {
    unanswered -= 1
    if (ended && unanswered === 0) letGo()
  }

  /** Who is kept all the same, to be told of events, may be gone for good: the socket looks the same. */
  function letGo(): void {
    handler.onEnd()
    if (socket.destroyed || socket.writableEnded) return
    const beat = () => socket.write('\n')
    beat()
    pulse ??= setInterval(beat, PULSE)
  }
}

/** Binding happens before listen() returns, so the file is never there with other rights. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.removeListener('error', reject)
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

/** Throws if `path` is something that must not be replaced. */
async function refuseLive(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket())
    throw new SystemError('EEXIST', `${path} is not a socket: remove it or choose another path`)
  if (await answers(path)) throw new SystemError('EADDRINUSE', `a daemon already listens on ${path}`)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => settle(true))
    // EAGAIN: its backlog is full, so it lives.
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code === 'EAGAIN'))

    function settle(alive: boolean): void {
      socket.destroy()
      resolve(alive)
    }
  })
}

function removeSocket(path: string): void {
  try {
    unlinkSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
  }
}

function inode(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino
}

function inWords(path: string, cause: unknown): SystemError {
  if (cause instanceof SystemError) return cause
  const code = (cause as NodeJS.ErrnoException).code
  if (code === undefined) throw cause
  return new SystemError(code, `cannot make the control socket ${path}`, { cause })
}
