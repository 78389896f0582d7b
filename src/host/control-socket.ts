import { type Cancel, type LineHandler, type LineStream, SystemError } from '../app/ports.ts'
import { encodeUtf8 } from '../core/bytes.ts'
import { folderOf } from '../core/path.ts'
import { lineReader } from './line-stream.ts'
import { makeFolder } from './make-folder.ts'
import { system } from './system/engine.ts'
import type { Listener, Stream, StreamEvents } from './system/port.ts'
import { every } from './timers.ts'

const { files, streams } = system

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
  const temporary = `${path}.${system.process.pid}`
  if (encodeUtf8(temporary).length > MAX_PATH) {
    throw new SystemError('ENAMETOOLONG', `the path of the control socket is too long: ${path}`)
  }
  /** Whether they have ever said anything; whoever was heard last comes last. */
  const clients = new Map<Stream, boolean>()
  const takeIn = (client: Stream): StreamEvents => {
    if (clients.size >= MAX_CLIENTS) idlest(clients)?.destroy()
    clients.set(client, false)
    const { onData, onEnd, onClose } = serve(client, accept)
    return {
      onData(octets) {
        if (clients.delete(client)) clients.set(client, true)
        onData(octets)
      },
      onEnd,
      onClose() {
        clients.delete(client)
        onClose()
      },
    }
  }
  const objection = await inWords(path, () => {
    makeFolder(files, folderOf(path), 0o755)
    return objectionTo(path)
  })
  if (objection !== undefined) throw objection
  const listener = await inWords(path, () => listenAs(temporary, path, takeIn))
  const own = files.look(path, 'link')?.inode
  return {
    close() {
      listener.close()
      for (const client of clients.keys()) client.destroy()
      if (files.look(path, 'link')?.inode === own) files.remove(path)
    },
  }
}

/** Who sits there and never said anything, before those who listen; the longest of them. */
function idlest(clients: ReadonlyMap<Stream, boolean>): Stream | undefined {
  const [first] = [...clients].filter(([, spoke]) => !spoke)
  const [longest] = clients.keys()
  return first?.[0] ?? longest
}

function serve(
  stream: Stream,
  accept: (stream: LineStream) => LineHandler,
): StreamEvents & Required<Pick<StreamEvents, 'onEnd'>> {
  let unanswered = 0
  let ended = false
  let pulse: Cancel | undefined
  const handler = accept({
    send(line) {
      stream.write(encodeUtf8(`${line}\n`))
      if (stream.pending > MAX_PENDING) stream.destroy()
    },
    close: () => stream.end(),
  })
  const onLine = (line: string) => {
    unanswered += 1
    handler.onLine(line).then(answered, () => stream.destroy())
  }
  return {
    onData: lineReader(stream, onLine),
    onEnd() {
      ended = true
      if (unanswered === 0) letGo()
    },
    onClose() {
      pulse?.()
      handler.onClose()
    },
  }

  function answered(): void {
    unanswered -= 1
    if (ended && unanswered === 0) letGo()
  }

  /** Who is kept all the same, to be told of events, may be gone for good: the socket looks the same. */
  function letGo(): void {
    handler.onEnd()
    if (stream.state !== 'open') return
    const beat = () => stream.write(Uint8Array.of(0x0a))
    beat()
    pulse ??= every(PULSE, beat)
  }
}

/** It is never there, under any name, for others than its owner. */
async function listenAs(
  temporary: string,
  path: string,
  takeIn: (client: Stream) => StreamEvents,
): Promise<Listener> {
  files.remove(temporary)
  const listener = await streams.listen({ path: temporary }, takeIn)
  try {
    files.rename(temporary, path)
    return listener
  } catch (cause) {
    listener.close()
    throw cause
  }
}

/** Why what is there must not be replaced. */
async function objectionTo(path: string): Promise<SystemError | undefined> {
  const found = files.look(path, 'link')
  if (found === undefined) return undefined
  if (found.kind !== 'socket')
    return new SystemError('EEXIST', `${path} is not a socket: remove it or choose another path`)
  if (await answers(path)) return new SystemError('EADDRINUSE', `a daemon already listens on ${path}`)
  return undefined
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const stream = streams.connect(
      { path },
      {
        onOpen() {
          resolve(true)
          stream.destroy()
        },
        onData: () => {},
        // EAGAIN: its backlog is full, so it lives.
        onClose: (error) => resolve(error?.code === 'EAGAIN'),
      },
    )
  })
}

/** What the system refuses is told with the socket that was wanted. */
async function inWords<T>(path: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    throw new SystemError(cause.code, `cannot make the control socket ${path}`, { cause })
  }
}
