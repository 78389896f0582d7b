/**
 * What the host wants of an engine and of the system below it, and no more: files, streams, programs, this process, its clock.
 * Everything else in src is free of engines. The halves that fill this port are held to one behaviour by test/host/system.
 *
 * What the system refuses is thrown, or told, as a SystemError: its `code` is the errno name, its message names what was
 * tried. Callbacks come from the event loop, never from inside a call. Whatever is handed to one is its to keep. Text is UTF-8.
 */
import { type Cancel, type Log, SystemError } from '../../app/ports.ts'

/** All that hosts want of an engine and of the system below it. */
export interface System {
  readonly files: Files
  readonly streams: Streams
  readonly tls: Tls
  readonly programs: Programs
  readonly process: Process
  readonly timers: Timers
  /** Unpredictable octets of the kernel. */
  random(octets: number): Uint8Array
  /** The addresses of the network devices of this namespace that are up, by device (getifaddrs(3)). */
  interfaces(): ReadonlyMap<string, DeviceAddresses>
  /** The addon in src/native. Throws SystemError (code EADDON) where it does not load. May be repeated. */
  addon(): unknown
}

/** What a network device is addressed by. */
export interface DeviceAddresses {
  /** `02:00:5e:00:53:01`; undefined for a device that has none. */
  readonly mac: string | undefined
  /** Literal addresses, in the kernel's order. */
  readonly ipv4: readonly string[]
}

/** Files and folders, without waiting: what is read here is small, or made by the kernel. */
export interface Files {
  /**
   * What a file holds, of its octets at most `most`, the first ones. Files below /proc say that they have none; pipes are
   * not waited for. Throws SystemError (ENOENT, EACCES, EISDIR).
   */
  read(path: string, most?: number): Uint8Array
  /**
   * What a path leads to, or where `link` says so the symbolic link itself; undefined if nothing is there (ENOENT, ENOTDIR).
   * Throws SystemError (EACCES, ELOOP).
   */
  look(path: string, what?: 'link'): FileFacts | undefined
  /** The names in a folder, in no order, without `.` and `..`. Throws SystemError. */
  list(folder: string): readonly string[]
  /** What a symbolic link holds (readlink(2)). Throws SystemError. */
  target(link: string): string
  /** The path without any symbolic link (realpath(3)). Throws SystemError. */
  real(path: string): string
  /** Opens a file for reading and writing, without waiting, and closes it. Throws SystemError. */
  tryOpen(path: string): void
  /** Writes to a file that exists, from its start, all octets in one write(2), as sysctls want it. Throws SystemError. */
  write(path: string, octets: Uint8Array): void
  /**
   * Puts a file into the place of another in one step that lasts also when the power fails: it is written as `PATH.new`
   * with mode 0600, synchronised, renamed, and its folder synchronised where the file system can. The loop goes on meanwhile.
   * Rejects with SystemError.
   */
  replace(path: string, octets: Uint8Array): Promise<void>
  rename(from: string, to: string): void
  /** Whether a file was there to be removed; folders are none. Throws SystemError. */
  remove(path: string): boolean
  /** Makes one folder (mkdir(2)). Throws SystemError (EEXIST, ENOENT: those above it are missing). */
  makeFolder(path: string, mode: number): void
}

/** What stat(2) says of a file. */
export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'link' | 'socket' | 'other'
  readonly octets: number
  /** Together they tell whether two are the same. */
  readonly device: number
  readonly inode: number
  readonly user: number
  readonly group: number
  /** The lowest twelve bits of its mode. */
  readonly permissions: number
}

/** Stream sockets. */
export interface Streams {
  /**
   * The addresses of a name as the system knows it (getaddrinfo(3), AI_ADDRCONFIG), those to be tried first coming first;
   * never empty. A literal address is its own answer. Rejects with SystemError: ENOTFOUND (there is no such name), EAI_AGAIN
   * (no resolver answers).
   */
  lookup(host: string): Promise<readonly string[]>
  /** Begins a connection; that it cannot be is told by `onClose`. TCP is sent without delay (TCP_NODELAY). */
  connect(to: UnixTarget | TcpTarget, events: StreamEvents): Stream
  /**
   * Takes clients on a unix socket from the time it resolves on. `accept` is called with a client, of which nothing was
   * read yet, and says who hears of it. Nobody is told of a client that could not be taken (EMFILE). Rejects with
   * SystemError (EADDRINUSE).
   */
  listen(at: UnixTarget, accept: (client: Stream) => StreamEvents): Promise<Listener>
}

/** A socket's file, which nobody but its owner may use; or the abstract name of one, without the zero octet before it (unix(7)). */
export type UnixTarget = { readonly path: string } | { readonly name: string }

/** `host`: a literal address, with the zone of a link-local one. */
export interface TcpTarget {
  readonly host: string
  readonly port: number
}

/** A socket that takes clients. */
export interface Listener {
  /** Takes no more clients; those who are there stay. Its file is for the owner to remove. */
  close(): void
}

/** What is read goes to `onData` at once. Each direction ends by itself: the peer may read on after it has sent all. */
export interface Stream {
  /** Sends in order, as fast as the peer reads. Nothing happens where our direction has ended. */
  write(octets: Uint8Array): void
  /** Octets of `write` that the system has not taken yet. */
  readonly pending: number
  /** Nothing more is written: what is pending goes out, then our direction ends. */
  end(): void
  /** `ending` once `end` was called; `over` once `destroy` was, or `onClose` is about to come. */
  readonly state: 'open' | 'ending' | 'over'
  /** Lets go of the connection at once. `onClose` comes. May be repeated. */
  destroy(): void
}

/** Once `destroy` was called, nothing but `onClose` comes. */
export interface StreamEvents {
  /** It stands; over TLS, the peer is who it should be. Not told of clients of a listener. */
  onOpen?(): void
  onData(octets: Uint8Array): void
  /** The peer sends no more. Our direction stays as it is. */
  onEnd?(): void
  /** It is over: both directions have ended, or `destroy` was called (no error), or for what is told. Comes once, as the last. */
  onClose(error?: SystemError): void
}

/** TLS (RFC 8446, RFC 5246) as a client. */
export interface Tls {
  /** Throws TlsError, with the code of what is wrong (TLS_CA, TLS_CERTIFICATE, TLS_KEY, TLS_PAIR). */
  credentials(pem: TlsPem): TlsCredentials
  /**
   * Speaks TLS (1.2 or newer) as a client over a connection that stands and on which nothing was sent yet; it belongs to the
   * result from now on, and its own events are not told any more. What goes wrong with TLS is a TlsError. Where the peer ends
   * its direction, ours ends too.
   */
  secure(stream: Stream, options: TlsOptions, events: StreamEvents): Stream
}

/** Texts in PEM form (RFC 7468). */
export interface TlsPem {
  /** Who may sign for the peer: one certificate or more. Left out: whom this system trusts. */
  readonly ca?: string
  /** Our own certificate, its signers after it, and its key, which has no password. */
  readonly certificate?: string
  readonly key?: string
}

declare const credentials: unique symbol

/** What `credentials` made; good for nothing but handing it back. May be used for many connections. */
export type TlsCredentials = { readonly [credentials]: true }

/** With what we introduce ourselves, and whom we want to talk to. */
export interface TlsOptions {
  readonly credentials: TlsCredentials
  /** Whom the certificate must be for: a name, which the peer is told (RFC 6066 section 3), or a literal address. */
  readonly peer: string
  /** Whoever the peer is, it will do. */
  readonly acceptAny: boolean
}

/** Why TLS does not come about, whatever library speaks it. */
export type TlsCode =
  /** `ca` holds no certificate, `certificate` none, `key` no key without a password; key and certificate belong to others. */
  | 'TLS_CA'
  | 'TLS_CERTIFICATE'
  | 'TLS_KEY'
  | 'TLS_PAIR'
  /** The peer's certificate is for others: `detail` has their names, as `a.example, 192.0.2.1`. */
  | 'TLS_NAME'
  /** Its time begins later than our clock says, or is over. */
  | 'TLS_NOT_YET'
  | 'TLS_EXPIRED'
  /** Nobody whom we trust has signed it; `detail` says what is wrong in the library's words. */
  | 'TLS_UNTRUSTED'
  /** The peer does not like our certificate, or that we have none: `detail` is its alert, as `unknown ca` (RFC 8446 section 6.2). */
  | 'TLS_REFUSED'
  /** What it says is no TLS, or not of our version. */
  | 'TLS_NOT_SPOKEN'
  /** Anything else, in the library's words. */
  | 'TLS_FAILED'

/** What TLS failed of. */
export class TlsError extends SystemError {
  override readonly code: TlsCode
  readonly detail: string

  constructor(code: TlsCode, detail: string, options?: ErrorOptions) {
    super(code, detail, options)
    this.name = 'TlsError'
    this.code = code
    this.detail = detail
  }
}

/** Starts other programs. */
export interface Programs {
  /**
   * Starts a program with no shell between; `name` is a path, or is looked for in the folders of PATH in `environment`.
   * Resolves once it runs, before anything that it does is told. Rejects with SystemError: ENOENT (there is none), EACCES,
   * EMFILE, ENFILE, EAGAIN.
   */
  start(name: string, args: readonly string[], options: ProgramOptions): Promise<Program>
}

/** What a program is given, and who hears what it says. */
export interface ProgramOptions {
  /** All of it; what is undefined is left out. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where it begins; left out, where this process is. */
  readonly folder?: string
  /** What it reads on its standard input, which then ends; that it does not read all of it is no error. */
  readonly input: Uint8Array
  /** It leads a process group of its own, and `signal` reaches the whole group. */
  readonly leads?: boolean
  /** It is killed when this process exits. */
  readonly bound?: boolean
  /** What comes on its standard output, and on its standard error. */
  onOutput(octets: Uint8Array): void
  onComplaint(octets: Uint8Array): void
}

/** A program that was started. */
export interface Program {
  /** Resolves when it has ended, whoever still holds its output open. */
  readonly ended: Promise<Ending>
  /** Resolves when it has ended, and its output too or was let go. */
  readonly closed: Promise<void>
  /** Nothing happens where it, or all of its group, has ended. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void
  /** Does not wait for the end of its output any more. */
  release(): void
}

/** How a program ended: by itself, or by a signal such as `SIGKILL`. */
export type Ending = { readonly status: number } | { readonly signal: string }

/** This process. A write to who has gone away is an error (EPIPE), and no signal. */
export interface Process {
  readonly pid: number
  /** Who started it. */
  readonly parent: number
  /** Its effective user. */
  readonly user: number
  /** What the user wrote after the name of the program. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly output: Output
  readonly complaints: Output
  /** From now on a signal runs this, instead of what the system does with it by default, until that is cancelled. */
  onSignal(name: 'SIGHUP' | 'SIGINT' | 'SIGTERM', run: () => void): Cancel
  /** Ends this process at once. */
  exit(code: number): never
  /**
   * For a process that stays, to be called once all that it needs is loaded: takes as little memory as it can from now on.
   * The result is to be called before it ends in good order.
   */
  settle(log: Log): () => void
}

/** Standard output or standard error. */
export interface Output {
  /** Files, pipes and terminals have taken all of it when this returns. That nobody reads is told by `onGone`. */
  write(text: string | Uint8Array): void
  /** Characters in a line of the terminal, as it is now (0 where it does not say); undefined if it is no terminal. */
  readonly columns: number | undefined
  /** Called when it turns out that nobody reads any more. */
  onGone(run: () => void): void
}

/** All times in ms, with fractions. */
export interface Timers {
  /** CLOCK_MONOTONIC, counted from the start of this process. */
  now(): number
  /** What CLOCK_MONOTONIC showed then. */
  readonly start: number
  /** Runs something once at, or soon after, this time of `now`, never before it; with one that is past, in the next turn of the loop. */
  at(time: number, run: () => void): Cancel
}
