import { connect, createServer, type Server } from 'node:net'
import { SystemError } from '../app/ports.ts'

/** unix(7): a name that begins with a zero octet is abstract; such names live in a network namespace and die with it. */
const NAME = '\0lifeline'
/** ms to wait for the holder to say who it is. */
const INTRODUCTION = 500

/** Held by one daemon per network namespace until it dies or calls `release`. */
export interface NamespaceLock {
  release(): void
}

/** Rejects with SystemError EADDRINUSE, in words, if another daemon works in this network namespace. */
export async function lockNamespace(name = NAME): Promise<NamespaceLock> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.setTimeout(INTRODUCTION, () => socket.destroy())
    socket.end(`${process.pid}\n`)
  })
  // Anyone on this machine may connect to an abstract socket.
  server.maxConnections = 8
  try {
    await listen(server, name)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    const holder = await holderOf(name)
    throw new SystemError(
      'EADDRINUSE',
      `another lifeline ${holder === undefined ? '' : `(process ${holder}) `}already works in this network namespace: stop it first`,
    )
  }
  // That somebody could not be told who holds it, as while descriptors are short, is no reason to end.
  server.on('error', () => {})
  server.unref()
  return { release: () => server.close() }
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(name, resolve)
  })
}

function holderOf(name: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(name)
    const timer = setTimeout(() => socket.destroy(), INTRODUCTION)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.length > 16) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(/^[0-9]+\n$/.test(text) ? Number(text) : undefined)
    })
  })
}
