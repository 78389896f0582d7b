/** The ports through which the app sees the system. Each is implemented by one adapter in src/host. */
import type { AbortSignal } from '../core/abort.ts'
import type { Address } from '../core/endpoint.ts'
import type { HookEvent } from '../core/hooks.ts'
import type { DeviceTraffic } from '../core/system/device-traffic.ts'
import type { Millis } from '../core/time.ts'

/** Time: one clock to measure with, one to show, and alarms. */
export interface Clock {
  /** The monotonic clock. */
  now(): Millis
  /** The wall clock, for what users read; may jump. */
  wall(): Date
  /** Calls `run` once at or after `at`. */
  alarm(at: Millis, run: () => void): Cancel
}

/** Takes back what it was returned for; does nothing once that has happened, or the second time. */
export type Cancel = () => void

/**
 * Lines for people, by who wants to read them: `debug` packets, `info` changes, `warn` one thing failed, `error` a
 * subsystem is down.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose every line carries these fields too. */
  with(fields: LogFields): Log
}

/** A function is called only if the line is shown: for values that are costly to say. */
export type LogFields = Readonly<Record<string, unknown>>

/** What a system call refused. `code` is the errno name, such as ENODEV; `message` says what was tried. */
export class SystemError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SystemError'
    this.code = code
  }
}

/** Where a UDP socket is bound, and who is told what arrives at it. */
export interface DatagramOptions {
  readonly family: 4 | 6
  /** Device that the socket is bound to (SO_BINDTODEVICE); it must exist now. */
  readonly device?: string
  /** Local address to bind to; unspecified if left out. */
  readonly source?: string
  /** Local port; 0 or left out for a fresh one. */
  readonly port?: number
  /** The mark of the packets that are sent (SO_MARK); none if left out. */
  readonly mark?: number
  onMessage(from: Address, bytes: Uint8Array): void
  /**
   * An error such as ECONNREFUSED or EHOSTUNREACH; the socket stays usable. `notice`: an ICMP message says so, which
   * anyone can forge; left out where this machine says it.
   */
  onError(code: string, notice?: IcmpNotice): void
}

/** Of an ICMP message about a datagram: its sender, and as much of the datagram's payload as it quotes. */
export interface IcmpNotice {
  readonly from: string
  readonly quote: Uint8Array
}

/** A UDP socket; a data path may read it together with us. */
export interface DatagramSocket {
  readonly local: Address
  /**
   * Sends, to the connected peer if `to` is left out. Failures are reported through `onError`, never thrown. An L2TP data
   * message that has sequence numbers gets its Ns here, in place, since a data path may send others between two of them.
   */
  send(bytes: Uint8Array, to?: Address): void
  /**
   * From now on only L2TP messages from this host, whatever its port, with this tunnel id arrive, and a few with none; the
   * tunnel id may change later, the host may not.
   */
  expect(host: string, tunnelId: number): void
  /** Throws SystemError (ENODEV, ENETUNREACH: there is no way to it any more); the socket stays as it was. */
  connect(to: Address): void
  close(): void
}

/** Opens the sockets that packets of our own leave by. */
export interface Datagrams {
  /** Throws SystemError (ENODEV: no such device; EADDRINUSE, EADDRNOTAVAIL). */
  open(options: DatagramOptions): DatagramSocket
  /** An ICMP or ICMPv6 raw socket bound to a device; messages start at the ICMP header. Hop limit 255 for family 6. */
  openIcmp(options: IcmpOptions): IcmpSocket
}

/** Where an ICMP socket is bound, and which messages arrive at it. */
export interface IcmpOptions {
  readonly family: 4 | 6
  /** Left out: bound to no device, as `mark` or the routes decide. */
  readonly device?: string
  readonly source?: string
  /** The mark of the packets that are sent (SO_MARK); none if left out. */
  readonly mark?: number
  /** `hopLimit` is the received TTL or hop limit. Only ICMPv6 types in `accept` arrive, if given. */
  readonly accept?: readonly number[]
  /** Echo replies with another identifier do not arrive. */
  readonly identifier?: number
  /** What is sent is never fragmented, whatever is known of the path's MTU: to measure it. */
  readonly whole?: boolean
  onMessage(from: string, message: Uint8Array, hopLimit: number): void
  onError(code: string): void
}

/** Whom a TCP probe asks, and from where; `mark` is SO_MARK, each is as the routes decide where it is left out. */
export interface TcpProbeOptions {
  readonly to: Address
  readonly device?: string
  readonly source?: string
  readonly mark?: number
  /** `connected`, or ECONNREFUSED: both prove that the host is there; any other errno name proves nothing. */
  onOutcome(outcome: string): void
}

/** Finds out by TCP whether a host is there, without a word being sent to it. */
export interface TcpProbes {
  /** Begins a connection and closes it as soon as it stands. The returned function gives it up. Throws SystemError. */
  connect(options: TcpProbeOptions): Cancel
}

/** A raw socket for ICMP (raw(7)) or ICMPv6 messages. */
export interface IcmpSocket {
  /** Sends; the kernel fills in the ICMPv6 checksum. */
  send(message: Uint8Array, to: string): void
  close(): void
}

/** What came to a netlink socket: a datagram of messages, or that something went wrong (an errno name; ENOBUFS: some were lost). */
export type NetlinkArrival =
  | { readonly bytes: Uint8Array; readonly error?: undefined }
  | { readonly error: string }

/** Which netlink socket is wanted; with groups it hears of what these announce. */
export interface NetlinkSocketOptions {
  readonly protocol: 'route' | 'netfilter'
  readonly groups: readonly number[]
  onArrivals(arrivals: readonly NetlinkArrival[]): void
}

/** A netlink socket as the kernel has it: it carries messages, and knows nothing of them. */
export interface NetlinkSocket {
  /** Sends one message: the errno name of a refusal, or undefined. */
  send(message: Uint8Array): string | undefined
  /** Nothing arrives any more afterwards. */
  close(): void
}

/** Opens netlink sockets. */
export interface NetlinkSockets {
  /** Throws SystemError. */
  open(options: NetlinkSocketOptions): NetlinkSocket
  /** The name of an errno number as it stands in the kernel's answers. */
  errnoName(errno: number): string
}

/** One rtnetlink socket. Bodies are whole netlink messages as core/netlink encodes them. */
export interface Netlink {
  /** Sends one request and gathers its answers (all parts of a dump). Rejects with SystemError where the kernel refuses. */
  request(message: Uint8Array): Promise<Uint8Array[]>
  close(): void
}

/** Opens netlink sockets (netlink(7)). */
export interface Netlinks {
  /** `groups` are rtnetlink multicast group numbers; their messages arrive in batches. `onOverrun`: some were lost, dump again. */
  open(options: {
    protocol: 'route' | 'netfilter'
    groups?: readonly number[]
    onMessages?(messages: readonly Uint8Array[]): void
    onOverrun?(): void
  }): Netlink
}

/** The filters of this network namespace, through nft(8). */
export interface Nft {
  /** Loads the text as one transaction: all of it, or nothing. Rejects with SystemError that quotes nft's words. */
  load(text: string): Promise<void>
  /** Whether `load` would be refused, by `nft -c`. The kernel tries it and takes it back, which may take longer than to load it. */
  check(text: string): Promise<void>
  /** The JSON of `nft -j list ruleset` (or of one table), parsed. */
  list(table?: string): Promise<unknown>
}

/** Settings of the kernel below /proc/sys; `write` throws SystemError where it is refused. */
export interface Sysctls {
  /** `net/ipv4/conf/l2tp-x/rp_filter` as under /proc/sys; undefined where it does not exist. */
  read(path: string): string | undefined
  write(path: string, value: string): void
}

/** What the network devices have carried. */
export interface Counters {
  /** By the names of the devices; empty if it cannot be had. */
  read(): ReadonlyMap<string, DeviceTraffic>
  /** Differs for each start of the machine: counters begin anew with it. */
  readonly bootId: string
}

/** Small files that survive a restart, in `state_dir`. */
export interface StateFiles {
  read(name: string): string | undefined
  /** Atomic, and only where the content differs; read back at once, on disk soon after. */
  write(name: string, text: string): void
  /** Resolves when all that was written is on disk, or was given up. */
  settled(): Promise<void>
}

/** Over which device, from which source and at which resolvers a name is asked. */
export interface ResolveVia {
  readonly device: string | undefined
  readonly source: string | undefined
  /** Literal addresses, asked in this order. Loopback ones are asked through a socket that is bound to nothing. */
  readonly resolvers: readonly string[]
}

/** What a name is. */
export interface Resolution {
  /** Literal addresses of both families, IPv6 first; never empty. */
  readonly addresses: readonly string[]
  /** How long they may be kept: the smallest TTL among the records used; Infinity for a literal address. */
  readonly ttl: Millis
}

/** Asks resolvers for the addresses of a name. */
export interface Resolver {
  /**
   * Asks for AAAA and A at once. Rejects with SystemError: ENOTFOUND (no such name), ENODATA (a name without addresses),
   * ESERVFAIL (every resolver refused or failed), ETIMEDOUT, ENODEV, ENORESOLVER (none given), or the errno of the
   * network such as ENETUNREACH; with `signal.reason` where aborted.
   */
  resolve(name: string, via: ResolveVia, signal: AbortSignal): Promise<Resolution>
}

/** Which link a resolver is wanted for. `name` is the uplink's, which on OpenWrt is often the netifd interface's. */
export interface ResolverLink {
  readonly name: string | undefined
  readonly device: string
  readonly ifindex: number
}

/** Knows which resolvers this machine has by itself. */
export interface SystemResolvers {
  /** The resolvers that the system knows for a link, best first, loopback ones last. Reads files: ask when needed, not often. */
  forLink(link: ResolverLink): readonly string[]
}

/** One client of the control socket: lines of text both ways. */
export interface LineStream {
  /** Sends one line (without its line feed). A client that does not read is closed once too much has piled up. */
  send(line: string): void
  close(): void
}

/** Who answers a client. */
export interface LineHandler {
  /** A line arrived; the promise ends when it has been answered. */
  onLine(line: string): Promise<void>
  /** The client will send no more, and all its lines have been answered. */
  onEnd(): void
  onClose(): void
}

/** Looks at files without changing anything. */
export interface SystemProbe {
  /** The text of a file; undefined if it cannot be read. */
  read(path: string): string | undefined
  exists(path: string): boolean
  /** Opens a device file for reading and writing and closes it: the errno name of the refusal, or undefined. */
  openError(path: string): string | undefined
  /** What a folder holds; nothing if it cannot be read. */
  names(path: string): readonly string[]
  /** Where a symbolic link leads, or what proc(5) says in its place; undefined if it cannot be read. */
  link(path: string): string | undefined
  /** Whose a file is, and its permission bits; undefined if it is not there. */
  mode(path: string): { readonly uid: number; readonly gid: number; readonly permissions: number } | undefined
}

/** What tells this machine from others. */
export interface Machine {
  /** Six hexadecimal digits that follow from the hardware, so that they are the same after each start. */
  readonly mark: string
  /** The first of these devices that has a hardware address; without any of them, that of the machine itself. */
  identity(devices: readonly string[]): MachineIdentity
}

/** What tells a machine from others for people, as far as it can be found out. */
export interface MachineIdentity {
  /** `02:00:5e:00:53:01` */
  readonly mac: string | undefined
  /** Where a LuCI can be opened from the LAN. */
  readonly page: string | undefined
}

/** The service manager that started this process (sd_notify(3)); all of it does nothing where there is none. */
export interface ServiceManager {
  /** Start-up, or the reading of a new configuration, is done. */
  ready(): void
  reloading(): void
  stopping(): void
  /** One line for people about how the service fares. */
  status(text: string): void
}

/** Programs of the user that are told what happens. */
export interface HookRunner {
  /**
   * Runs all of them, one after the other, each for a limited time. Resolves when the last one has ended, and never
   * rejects: what went wrong is in the log. Aborting ends the one that runs and leaves out the others.
   */
  run(event: HookEvent, signal: AbortSignal): Promise<void>
}

/** The resolvers that this machine asks, as some service of the system manages them. */
export interface SystemDns {
  /**
   * Has these asked too, as those of a device; what was offered for it before is replaced. Rejects with SystemError:
   * ENOENT if there is no such service, else what it refused, with what to do about it.
   */
  offer(device: string, servers: readonly string[]): Promise<void>
  /** Takes back what was offered for a device, also by a process before this one; all is well if there is nothing. */
  withdraw(device: string): Promise<void>
}
