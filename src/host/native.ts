/** The C addon in src/native: the types of its functions, and how it is found and loaded. */
import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs'
import { constants as osConstants, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { getSystemErrorName } from 'node:util'
import { inflateRawSync } from 'node:zlib'
import { SystemError } from '../app/ports.ts'

declare const handle: unique symbol

/** What the addon opened; good for nothing but handing it back. */
export type Handle<Kind extends 'datagram' | 'icmp' | 'netlink' | 'tcp' | 'tun'> = { readonly [handle]: Kind }

/** Zero, or a negative errno number. */
type Outcome = number

/** One thing that came on a channel: an error (errno number), or a message with its sender's address in octets. */
export type Arrival =
  /** `host` and `bytes`: of the ICMP message that tells of it, who sent that and what it quotes; else it is this machine's. */
  | { readonly error: number; readonly host?: Uint8Array; readonly bytes?: Uint8Array }
  | {
      readonly error?: undefined
      readonly bytes: Uint8Array
      readonly host: Uint8Array
      /** UDP: the sender's port. ICMP: hop limit or TTL. */
      readonly number: number
    }

/** Called with what has come on a channel since the last call, oldest first. */
export type OnArrivals = (arrivals: readonly Arrival[]) => void

/** The keys of a session as src/native/session.c reads them. */
export interface SessionKeys {
  readonly peerHost: Uint8Array
  readonly peerPort: number
  readonly localTunnelId: number
  readonly localSessionId: number
  readonly peerTunnelId: number
  readonly peerSessionId: number
  readonly mtu: number
  readonly sequencing: boolean
  readonly ipv4: boolean
  readonly ipv6: boolean
}

/** The functions of src/native/addon.c. Addresses are octets, 4 or 16; their count chooses the family. */
export interface Addon {
  readonly interface: number
  /** `device` may be empty. */
  openDatagram(
    device: string,
    source: Uint8Array,
    port: number,
    onArrivals: OnArrivals,
    mark: number,
  ): Handle<'datagram'> | Outcome
  connect(socket: Handle<'datagram'>, host: Uint8Array, port: number): Outcome
  /** Errors arrive like messages. Data messages with sequence numbers get their Ns written into `bytes`. */
  send(socket: Handle<'datagram'>, bytes: Uint8Array, host?: Uint8Array, port?: number): void
  /** From now on only L2TP of this host and tunnel arrives, and a little of tunnel 0. The host cannot be changed. */
  expect(socket: Handle<'datagram'>, host: Uint8Array, tunnel: number): Outcome
  local(socket: Handle<'datagram'>): { host: Uint8Array; port: number } | Outcome
  openIcmp(
    device: string,
    source: Uint8Array,
    types: readonly number[] | undefined,
    onArrivals: OnArrivals,
    mark: number,
    /** Of the echo replies that arrive; -1: all. */
    identifier: number,
    /** Never fragmented, whatever is known of the path's MTU. */
    whole: boolean,
  ): Handle<'icmp'> | Outcome
  sendIcmp(socket: Handle<'icmp'>, bytes: Uint8Array, host: Uint8Array): void
  /** One arrival comes: a message without octets when the connection stands, or an error. */
  openTcp(
    device: string,
    source: Uint8Array,
    host: Uint8Array,
    port: number,
    onArrivals: OnArrivals,
    mark: number,
  ): Handle<'tcp'> | Outcome
  openNetlink(
    protocol: number,
    groups: readonly number[],
    onArrivals: OnArrivals,
  ): Handle<'netlink'> | Outcome
  sendNetlink(socket: Handle<'netlink'>, bytes: Uint8Array): Outcome
  /** The only arrival is an error: the device is gone. */
  openTun(name: string, onArrivals: OnArrivals): Handle<'tun'> | Outcome
  setCarrier(tun: Handle<'tun'>, on: boolean): Outcome
  unpersist(tun: Handle<'tun'>): Outcome
  attach(tun: Handle<'tun'>, socket: Handle<'datagram'>, session: SessionKeys): Outcome
  update(tun: Handle<'tun'>, session: SessionKeys): Outcome
  detach(tun: Handle<'tun'>): void
  counters(tun: Handle<'tun'>): {
    rxPackets: number
    rxOctets: number
    rxDropped: number
    txPackets: number
    txOctets: number
    txDropped: number
    received: number
  }
  /** Nothing arrives any more afterwards. May be repeated. */
  close(channel: Handle<'datagram' | 'icmp' | 'netlink' | 'tcp' | 'tun'>): void
  /** Gives memory that only the start needed back to the system. */
  giveBack(): void
  /** Sends one datagram to a unix socket; a path that begins with `@` names an abstract one. */
  notify(path: string, bytes: Uint8Array): Outcome
  /**
   * Who listens on an abstract unix stream socket, its name without the zero octet, and whether zeros fill it up: as the
   * process was when it began to; `pid` is 0 if it is not to be seen from here. Does not wait.
   */
  listener(name: string, padded: boolean): { uid: number; pid: number } | Outcome
}

/** The addon's `interface` that this bundle was written for. */
const INTERFACE = 6

/** The addon, deflated and in base64, put in by the build (empty where a package ships the file); not defined when src runs directly. */
declare const LIFELINE_ADDON: string

const embedded = typeof LIFELINE_ADDON === 'string' ? LIFELINE_ADDON : ''

/** Where packages put the addon when they do not embed it, and where the Makefile puts it. */
const FILE =
  typeof LIFELINE_ADDON === 'string'
    ? '/usr/lib/lifeline/lifeline.node'
    : fileURLToPath(new URL('../native/build/lifeline.node', import.meta.url))

let loaded: Addon | undefined

/**
 * Loads the addon once: from the file that LIFELINE_ADDON names, from inside the bundle, or from the package's file.
 * Throws SystemError (code EADDON) with what was tried.
 */
export function loadAddon(): Addon {
  loaded ??= checkInterface(load())
  return loaded
}

/** The value of a successful call; otherwise throws SystemError with the name of the errno number. */
export function checked<T>(result: T | Outcome, what: string): T {
  if (typeof result !== 'number' || result >= 0) return result as T
  const code = errnoName(-result)
  throw new SystemError(code, `${what}: ${code}`)
}

/** `ENODEV` for 19. */
export function errnoName(errno: number): string {
  const [name] = Object.entries(osConstants.errno).find(([, value]) => value === errno) ?? []
  return NAMES[errno] ?? name ?? getSystemErrorName(-errno)
}

/** Errors that node has no name for, or two; the same numbers on all CPUs that we serve. */
const NAMES: Readonly<Record<number, string>> = {
  64: 'ENONET',
  77: 'EBADFD',
  95: 'EOPNOTSUPP',
  108: 'ESHUTDOWN',
  112: 'EHOSTDOWN',
}

function load(): Addon {
  const file = process.env.LIFELINE_ADDON
  try {
    if (file) return openFile(file)
    if (embedded) return openBytes(inflateRawSync(Buffer.from(embedded, 'base64')))
    return openFile(FILE)
  } catch (cause) {
    const from = file || (embedded ? 'this file' : FILE)
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SystemError('EADDON', `the native addon in ${from} does not load on ${process.arch}: ${why}`, {
      cause,
    })
  }
}

function checkInterface(addon: Addon): Addon {
  if (addon.interface === INTERFACE) return addon
  const message = `the native addon has interface ${addon.interface}, this lifeline needs ${INTERFACE}: install them together`
  throw new SystemError('EADDON', message)
}

function openFile(path: string): Addon {
  const module = { exports: {} as Addon }
  process.dlopen(module, path)
  return module.exports
}

/** A folder may be missing, read-only or mounted noexec, which shows only when the addon is opened: all are tried. */
function openBytes(bytes: Uint8Array): Addon {
  const folders = [...new Set([tmpdir(), '/tmp', '/run', '/dev/shm', '/var/tmp'])]
  let failure: unknown
  for (const folder of folders) {
    try {
      return openInFolder(folder, bytes)
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}

function openInFolder(folder: string, bytes: Uint8Array): Addon {
  const { fd, name } = openNameless(folder)
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
    return openFile(name ?? `/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
    if (name !== undefined) unlinkSync(name)
  }
}

/** A file without a name (O_TMPFILE); where the file system has none of those, one with a name to be unlinked. */
function openNameless(folder: string): { fd: number; name?: string } {
  const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY
  try {
    return { fd: openSync(folder, O_TMPFILE | constants.O_RDWR, 0o700) }
  } catch {
    const name = `${folder}/lifeline-${process.pid}-${crypto.randomUUID()}.node`
    return { fd: openSync(name, 'wx', 0o700), name }
  }
}
