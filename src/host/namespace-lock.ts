import { type Log, SystemError } from '../app/ports.ts'
import { folderOf } from '../core/path.ts'
import type { Addon } from './native.ts'
import { readText } from './read-text.ts'
import { system } from './system/engine.ts'
import type { Listener as LockSocket } from './system/port.ts'
import { pause } from './timers.ts'
import { randomUuid } from './uuid.ts'

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
  const trusted = new Set([0, system.process.user, ...sockets.map((path) => ownerOf(folderOf(path)))])
  const isOther = (listener: Listener) =>
    'uid' in listener && trusted.has(listener.uid) && listener.pid !== system.process.pid
  let lock = await take(name)
  if (lock === undefined) {
    const holders = await firstListeners(addon, name)
    const daemon = holders.find(isOther)
    if (daemon) throw refusal(daemon)
    log.warn('another user has the name under which daemons find each other, so another one is taken', {
      name: `@${name}`,
      ...holders.find((holder) => 'uid' in holder || holder.code !== 'ECONNREFUSED'),
    })
    lock = await take(`${name}-${randomUuid()}`)
  }
  // Listening before looking: of two that start at the same moment at least one sees the other.
  const other = [name, ...laterNames(name)].flatMap((each) => listenersOf(addon, each)).find(isOther)
  if (other) {
    lock?.close()
    throw refusal(other)
  }
  return { release: () => lock?.close() }
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
  return system.files.look(folder)?.user
}

/** Undefined if somebody has the name. That somebody asks who we are is all that happens here, and the kernel answers that. */
async function take(name: string): Promise<LockSocket | undefined> {
  try {
    return await system.streams.listen({ name }, (client) => {
      client.destroy()
      return { onData: () => {}, onClose: () => {} }
    })
  } catch (cause) {
    if ((cause as SystemError).code === 'EADDRINUSE') return undefined
    throw cause
  }
}

/** Whether a name ends where it ends, or is filled up with zeros, is another matter in each version of Node. */
function listenersOf(addon: Addon, name: string): Listener[] {
  return [false, true].map((padded) => {
    const answer = addon.listener(name, padded)
    return typeof answer === 'number' ? { code: addon.errnoName(-answer) } : answer
  })
}

async function firstListeners(addon: Addon, name: string): Promise<Listener[]> {
  let listeners = listenersOf(addon, name)
  for (let tries = 1; !listeners.some((each) => 'uid' in each) && tries < TRIES; tries++) {
    await pause(PAUSE)
    listeners = listenersOf(addon, name)
  }
  return listeners
}

/** The names of those who found the first one taken. Whatever others put into the list, it is only asked who they are. */
function laterNames(name: string): string[] {
  const list = readText('/proc/self/net/unix') ?? ''
  // Zeros are shown like the first one.
  return [...list.matchAll(new RegExp(` @(${name}-[0-9a-f-]{36})@*$`, 'gm'))].flatMap(
    ([, each]) => each ?? [],
  )
}
