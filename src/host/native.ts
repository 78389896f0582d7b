/** The C addon in src/native: the types of its functions. */
import { SystemError } from '../app/ports.ts'
import type { DataSession } from '../app/tuns.ts'
import { system } from './system/engine.ts'

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

/** The keys of a session as src/native/session.c reads them: the peer's address in octets, the socket apart. */
export type SessionKeys = Omit<DataSession, 'socket' | 'peer'> & {
  readonly peerHost: Uint8Array
  readonly peerPort: number
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
  /** `ENODEV` for 19 on most CPUs; `E9999` for what has no name. */
  errnoName(errno: number): string
}

/** The addon's `interface` that this bundle was written for. */
const INTERFACE = 7

let loaded: Addon | undefined

/** The addon of this process. Throws SystemError (code EADDON) where it does not load, or is another lifeline's. */
export function loadAddon(): Addon {
  loaded ??= checkInterface(system.addon() as Addon)
  return loaded
}

/** The value of a successful call; otherwise throws SystemError with the name of the errno number. */
export function checked<T>(addon: Pick<Addon, 'errnoName'>, result: T | Outcome, what: string): T {
  if (typeof result !== 'number' || result >= 0) return result as T
  const code = addon.errnoName(-result)
  throw new SystemError(code, `${what}: ${code}`)
}

function checkInterface(addon: Addon): Addon {
  if (addon.interface === INTERFACE) return addon
  const message = `the native addon has interface ${addon.interface}, this lifeline needs ${INTERFACE}: install them together`
  throw new SystemError('EADDON', message)
}
