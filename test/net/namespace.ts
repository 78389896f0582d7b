/**
 * Network namespaces with unique names, held in groups that are removed together: on `remove`, when the harness exits or
 * is interrupted, and by the next run if it was killed.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Environment, type Outcome, Process, type RunOptions, run } from './process.ts'

const PREFIX = 'lifeline-net'
const OURS = new RegExp(`^${PREFIX}-(\\d+)-[0-9a-f]+`)
const NETNS = '/run/netns'
/** What the names of this process's namespaces and folders begin with. */
export const OWN_NAMES = `${PREFIX}-${process.pid}-`

/** Where STARTED_AT names a file, the time when the command itself was started goes there, in seconds. */
const MOUNT_AND_RUN = `
while [ "$1" != -- ]; do mount --bind "$2" "$1" || exit 1; shift 2; done; shift
[ -z "$STARTED_AT" ] || printf %s "$EPOCHREALTIME" >"$STARTED_AT"
exec "$@"`

/** One network namespace. */
export class Namespace {
  /** The name for `ip netns exec`. */
  readonly name: string
  /** A folder for the files of what runs in it. */
  readonly folder: string

  constructor(name: string, folder: string) {
    this.name = name
    this.folder = folder
    mkdirSync(folder, { recursive: true })
  }

  /** Runs a command in it, to its end. */
  run(command: readonly string[], options?: RunOptions): Promise<Outcome> {
    return run(this.#inside(command), options)
  }

  /** Starts a process in it; `mounts` are folders or files laid over others, for this process only. */
  start(name: string, command: readonly string[], options: StartOptions = {}): Process {
    const mounts = Object.entries(options.mounts ?? {}).flat()
    const wrapped =
      mounts.length === 0 ? command : ['bash', '-c', MOUNT_AND_RUN, 'bash', ...mounts, '--', ...command]
    return new Process(`${name} (${this.name})`, this.#inside(wrapped), options.env)
  }

  /** `ip` commands, one per line, all in one go. */
  async ip(...lines: readonly string[]): Promise<void> {
    await run(['ip', '-n', this.name, '-batch', '-'], { input: lines.join('\n') })
  }

  /** What `ip -j` prints, parsed. */
  async show<T>(...words: readonly string[]): Promise<T> {
    const { stdout } = await run(['ip', '-n', this.name, '-j', ...words])
    return JSON.parse(stdout === '' ? '[]' : stdout)
  }

  /** Loads an nft script as one transaction. */
  async nft(text: string): Promise<void> {
    await this.run(['nft', '-f', '-'], { input: text })
  }

  async sysctl(...settings: readonly string[]): Promise<void> {
    await this.run(['sysctl', '-q', '-w', ...settings])
  }

  #inside(command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.name, ...command]
  }
}

export interface StartOptions {
  /** Place -> what lies over it. */
  readonly mounts?: Readonly<Record<string, string>>
  readonly env?: Environment
}

/** Namespaces and a folder that come and go together. */
export class NamespaceGroup {
  readonly folder: string
  readonly #id: string
  readonly #namespaces: Namespace[] = []
  #removed = false

  constructor() {
    sweepStale()
    this.#id = `${OWN_NAMES}${randomBytes(3).toString('hex')}`
    this.folder = join(tmpdir(), this.#id)
    mkdirSync(this.folder, { mode: 0o700 })
    living.add(this)
    watchForTheEnd()
  }

  async add(...names: readonly string[]): Promise<Namespace[]> {
    const added = names.map((name) => new Namespace(`${this.#id}-${name}`, join(this.folder, name)))
    this.#namespaces.push(...added)
    await run(['ip', '-batch', '-'], { input: added.map(({ name }) => `netns add ${name}`).join('\n') })
    return added
  }

  /** Ends everything that runs in the namespaces and removes them with their folder. Does nothing the second time. */
  remove(): void {
    if (this.#removed) return
    this.#removed = true
    living.delete(this)
    removeNamespaces(this.#namespaces.map(({ name }) => name))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const living = new Set<NamespaceGroup>()
let watching = false

function removeAll(): void {
  for (const group of [...living]) group.remove()
}

function watchForTheEnd(): void {
  if (watching) return
  watching = true
  process.on('exit', removeAll)
  for (const [signal, number] of [['SIGINT', 2] as const, ['SIGTERM', 15] as const, ['SIGHUP', 1] as const]) {
    process.on(signal, () => {
      // Whoever listens too decides when to end; removal follows at exit.
      if (process.listenerCount(signal) > 1) return
      process.exit(128 + number)
    })
  }
}

/** Removes what a harness left behind that was killed: namespaces and folders that carry the pid of no living process. */
function sweepStale(): void {
  const namespaces = list(NETNS).filter(isStale)
  if (namespaces.length > 0) removeNamespaces(namespaces)
  for (const name of list(tmpdir()).filter(isStale)) {
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

function isStale(name: string): boolean {
  const pid = OURS.exec(name)?.[1]
  return pid !== undefined && !existsSync(`/proc/${pid}`)
}

/** Synchronous, so that it also works while the process exits. */
function removeNamespaces(names: readonly string[]): void {
  const existing = names.filter((name) => existsSync(join(NETNS, name)))
  const pids = () =>
    existing.flatMap((name) => output('ip', ['netns', 'pids', name]).split('\n').filter(Boolean))
  for (let left = pids(), tries = 0; left.length > 0 && tries < 200; left = pids(), tries++) {
    for (const pid of left) kill(Number(pid))
    pause(10)
  }
  output('ip', ['-force', '-batch', '-'], existing.map((name) => `netns del ${name}`).join('\n'))
}

function output(command: string, args: readonly string[], input = ''): string {
  return spawnSync(command, args, { input, encoding: 'utf8' }).stdout ?? ''
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself meanwhile.
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
