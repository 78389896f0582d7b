import { readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, SystemError } from '../app/ports.ts'
import { type Addon, errnoName } from './native.ts'

/** unix(7): abstract names live in a network namespace, and die with the process that listens. */
const NAME = 'lifeline'
/** How often, and every how many ms, who listens under the first name is asked; a daemon may be just about to listen. */
const TRIES = 5
const PAUSE = 50

/** Whose word counts that the lock is taken, and under which name it is asked for. */
export interface LockOptions {
  /** Those whose folders the control socket may lie in may be the service's user. */
  readonly sockets: readonly string[]
  readonly log: Log
  readonly addon: Addon
  /** Of letters and digits. */
  readonly name?: string
}

/** Held by one daemon per network namespace until it dies or calls `release`. */
export interface NamespaceLock {
  release(): void
}

type Listener = { readonly uid: number; readonly pid: number } | { readonly code: string }

/**
 * Rejects with SystemError EADDRINUSE, in words, if another daemon works in this network namespace. Anybody may listen
 * under such a name, so only root, our own user and the owner of a control socket's folder count: a stranger who has the
 * first name costs a warning, and we take one that nobody can guess, under which the next daemon finds us.
 */
export async function lockNamespace(options: LockOptions): Promise<NamespaceLock> {
  const { sockets, log, addon, name = NAME } = options
  const trusted = new Set([0, process.geteuid?.(), ...sockets.map((path) => ownerOf(dirname(path)))])
  const isOther = (listener: Listener) =>
    'uid' in listener && trusted.has(listener.uid) && listener.pid !== process.pid
  // That somebody asks who we are is all that happens here, and the kernel answers that.
  const server = createServer((socket) => socket.destroy())
  if (!(await listen(server, name))) {
    const holders = await firstListeners(addon, name)
    const daemon = holders.find(isOther)
    if (daemon) throw refusal(daemon)
    log.warn('another user has the name under which daemons find each other, so another one is taken', {
      name: `@${name}`,
      ...holders.find((holder) => 'uid' in holder || holder.code !== 'ECONNREFUSED'),
    })
    await listen(server, `${name}-${crypto.randomUUID()}`)
  }
  // Listening before looking: of two that start at the same moment at least one sees the other.
  const other = [name, ...laterNames(name)].flatMap((each) => listenersOf(addon, each)).find(isOther)
  if (other) {
    server.close()
    throw refusal(other)
  }
  // That somebody could not be answered, as while descriptors are short, is no reason to end.
  server.on('error', () => {})
  server.unref()
  return { release: () => server.close() }
}

function refusal(listener: Listener): SystemError {
  const who = 'pid' in listener && listener.pid !== 0 ? `(process ${listener.pid}) ` : ''
  return new SystemError(
    'EADDRINUSE',
    `another lifeline ${who}already works in this network namespace: stop it first`,
  )
}

/** Undefined if there is no such folder. */
function ownerOf(folder: string): number | undefined {
  return statSync(folder, { throwIfNoEntry: false })?.uid
}

/** Whether the name was free. */
function listen(server: Server, name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error)
    server.once('error', onError)
    server.listen(`\0${name}`, () => {
      server.removeListener('error', onError)
      resolve(true)
    })
  })
}

/** Whether a name ends where it ends, or is filled up with zeros, is another matter in each version of Node. */
function listenersOf(addon: Addon, name: string): Listener[] {
  return [false, true].map((padded) => {
    const answer = addon.listener(name, padded)
    return typeof answer === 'number' ? { code: errnoName(-answer) } : answer
  })
}

async function firstListeners(addon: Addon, name: string): Promise<Listener[]> {
  let listeners = listenersOf(addon, name)
  for (let tries = 1; !listeners.some((each) => 'uid' in each) && tries < TRIES; tries++) {
    await sleep(PAUSE)
    listeners = listenersOf(addon, name)
  }
  return listeners
}

/** The names of those who found the first one taken. Whatever others put into the list, it is only asked who they are. */
function laterNames(name: string): string[] {
  try {
    const list = readFileSync('/proc/self/net/unix', 'latin1')
    // Zeros are shown like the first one.
    return [...list.matchAll(new RegExp(` @(${name}-[0-9a-f-]{36})@*$`, 'gm'))].flatMap(
      ([, each]) => each ?? [],
    )
  } catch {
    return []
  }
}
