/**
 * What the C of this folder gives JavaScript. An outcome is zero or a negative errno number. Octets that are handed to a
 * callback are its to keep; callbacks come from the loop, never from inside a call.
 */
declare module 'lifeline:system' {
  type Outcome = number
  const kind: unique symbol
  /** What was opened; good for nothing but handing it back. */
  type Opaque<Kind extends string> = { readonly [kind]: Kind }
  type StreamHandle = Opaque<'stream'>
  type ServerHandle = Opaque<'server'>
  type ProgramHandle = Opaque<'program'>
  type TimerHandle = Opaque<'timer'>

  /** The functions of src/native. */
  export function addon(): unknown

  export function readFile(path: string, most: number): Uint8Array | Outcome
  export function look(
    path: string,
    link: boolean,
  ):
    | [
        kind: 'file' | 'folder' | 'link' | 'socket' | 'other',
        octets: number,
        device: number,
        inode: number,
        user: number,
        group: number,
        permissions: number,
      ]
    | Outcome
  export function list(folder: string): string[] | Outcome
  export function target(link: string): string | Outcome
  export function real(path: string): string | Outcome
  export function tryOpen(path: string): Outcome
  /** To a file that exists, with one write(2). */
  export function writeFile(path: string, octets: Uint8Array): Outcome
  export function replace(path: string, octets: Uint8Array, done: (outcome: Outcome) => void): void
  export function rename(from: string, to: string): Outcome
  export function remove(path: string): Outcome
  export function makeFolder(path: string, mode: number): Outcome

  /** Addresses, or a code: ENOTFOUND, EAI_AGAIN, EAI_FAIL, ENOMEM. */
  export function lookup(host: string, done: (result: string[] | string) => void): void
  export function connectTcp(host: string, port: number): StreamHandle
  /** A path, or an abstract name that begins with `@`. */
  export function connectUnix(path: string): StreamHandle
  /** 1: it stands, 2: octets, 3: the peer sends no more, 4: it is over, with an errno number or 0. */
  export function tell(stream: StreamHandle, told: (what: 1 | 2 | 3 | 4, value: unknown) => void): void
  export function writeStream(stream: StreamHandle, octets: Uint8Array): void
  export function pendingOf(stream: StreamHandle): number
  export function stateOf(stream: StreamHandle): 'open' | 'ending' | 'over'
  export function finishStream(stream: StreamHandle): void
  export function destroyStream(stream: StreamHandle): void
  export function listen(path: string, accept: (client: StreamHandle) => void): ServerHandle | Outcome
  export function closeServer(server: ServerHandle): void

  /**
   * The first of the candidates that is there is run. `args` begin with its name; `environment` holds NAME=VALUE; no `folder`
   * is an empty one. 1: output, 2: complaint, with octets; 3: it ended by itself, with its status, or 4: by a signal, with its
   * number; 5: it and its output have ended.
   */
  export function startProgram(
    candidates: readonly string[],
    args: readonly string[],
    environment: readonly string[],
    folder: string,
    input: Uint8Array,
    leads: boolean,
    bound: boolean,
    told: (what: 1 | 2 | 3 | 4 | 5, value: unknown) => void,
  ): ProgramHandle | Outcome
  export function signalProgram(program: ProgramHandle, signal: 9 | 15): void
  export function releaseProgram(program: ProgramHandle): void
  export function signalName(signal: number): string

  export function process(): {
    pid: number
    parent: number
    user: number
    args: string[]
    environment: Record<string, string>
  }
  /** Returns when the system has taken all of them. */
  export function output(fd: 1 | 2, octets: Uint8Array): Outcome
  /** Undefined if it is no terminal. */
  export function columns(fd: 1 | 2): number | undefined
  export function exit(code: number): never
  /** Gives back memory that nobody uses. */
  export function collect(): void
  export function onSignal(name: 'SIGHUP' | 'SIGINT' | 'SIGTERM', run: () => void): number
  export function offSignal(number: number): void

  /** ms since the start of this process, by CLOCK_MONOTONIC; what that showed then. */
  export function now(): number
  export function startOfNow(): number
  export function at(time: number, run: () => void): TimerHandle
  export function cancel(timer: TimerHandle): void

  /** At most 256. */
  export function random(octets: number): Uint8Array | Outcome
  /** Of devices that are up and running: a hardware or IPv4 address each. */
  export function interfaces(): [name: string, address: string][] | Outcome
  /** Octets that are UTF-8, and the other way. */
  export function text(octets: Uint8Array): string
  export function utf8(text: string): Uint8Array
  /** Name, message and stack of an error, with the lines of the source. */
  export function trace(error: unknown): string
}
