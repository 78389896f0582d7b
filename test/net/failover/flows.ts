/** Connections of hosts through the router, each of which must live on whatever becomes of the paths. */
import { resolve } from 'node:path'
import type { Namespace } from '../namespace.ts'
import type { Process } from '../process.ts'
import { waitFor } from '../wait.ts'

export const TALK_PORT = 7000
export const LOAD_PORT = 7001
export const STREAM_PORT = 7002
export const SINK_PORT = 7003
/** ms between two words of a busy flow. */
const BUSY = 100

/** Starts a reflector on all addresses of a host. */
export async function reflect(host: Namespace): Promise<void> {
  await program(host, 'reflector', [TALK_PORT, LOAD_PORT, STREAM_PORT, SINK_PORT].map(String)).waitForOutput(
    /ready/,
  )
}

export type Kind = 'tcp' | 'udp'

/** One connection that talks to a reflector: busily all the time, or only when it is asked whether it lives. */
export class Flow {
  readonly name: string
  readonly #process: Process
  readonly #timer: NodeJS.Timeout | undefined
  readonly #kind: Kind
  #said = 0

  private constructor(name: string, kind: Kind, process: Process, busy: boolean) {
    this.name = `${name}, ${kind}, ${busy ? 'busy' : 'idle'}`
    this.#kind = kind
    this.#process = process
    if (busy) this.#timer = setInterval(() => this.#say(), BUSY).unref()
  }

  static async open(
    name: string,
    from: Namespace,
    kind: Kind,
    to: string,
    port: number,
    pace: 'busy' | 'idle',
  ): Promise<Flow> {
    const process = program(from, 'talker', [kind, to, `${port}`])
    await process.waitForOutput(/^connected$/m)
    const flow = new Flow(name, kind, process, pace === 'busy')
    await flow.lives()
    return flow
  }

  /** Resolves once something said from now on is answered. A lost datagram is said again. */
  async lives(within = 20_000): Promise<void> {
    let said = this.#say()
    let tries = 0
    await waitFor(
      `an answer to ${this.name}`,
      () => {
        if (!this.#process.running) throw new Error(`${this.name}: ${this.#process.output.slice(-300)}`)
        if (new RegExp(`^word ${said} from `, 'm').test(this.#process.output)) return true
        if (this.#kind === 'udp' && ++tries % 10 === 0) said = this.#say()
        return false
      },
      { within, every: 50, explain: () => this.#process.output.slice(-500) },
    )
  }

  /** Who the other end said that it talks to, from first to last without repetitions. */
  get seenAs(): string[] {
    const all = [...this.#process.output.matchAll(/ from (\[.*\]:\d+)$/gm)].map(([, from]) => from ?? '')
    return all.filter((from, index) => from !== all[index - 1])
  }

  close(): void {
    clearInterval(this.#timer)
    this.#process.signal('SIGKILL')
  }

  #say(): number {
    this.#process.write(`word ${++this.#said}\n`)
    return this.#said
  }
}

/** A connection that moves as many octets as it can. */
export class Load {
  readonly #process: Process
  #asked = 0

  private constructor(process: Process) {
    this.#process = process
  }

  static async open(
    from: Namespace,
    kind: 'download' | 'upload',
    to: string,
    port = kind === 'download' ? LOAD_PORT : SINK_PORT,
  ): Promise<Load> {
    const process = program(from, 'talker', [kind, to, `${port}`])
    await process.waitForOutput(/^connected$/m)
    return new Load(process)
  }

  /** The connection still stands. */
  get alive(): boolean {
    return this.#process.running
  }

  async octets(): Promise<number> {
    this.#process.write(`count${++this.#asked}\n`)
    const [, octets] = await this.#process.waitForOutput(new RegExp(`^count${this.#asked} (\\d+)$`, 'm'))
    return Number(octets)
  }

  /** Resolves once so many more have been moved. */
  async progresses(by = 500_000, within = 20_000): Promise<void> {
    const before = await this.octets()
    let now = before
    await waitFor(
      `${by} more octets`,
      async () => {
        now = await this.octets()
        return now >= before + by
      },
      { within, every: 100, explain: () => `${now - before} octets moved` },
    )
  }

  close(): void {
    this.#process.signal('SIGKILL')
  }
}

function program(host: Namespace, name: string, words: readonly string[]): Process {
  const file = resolve(`test/net/failover/${name}.ts`)
  return host.start(name, [process.execPath, '--import', 'tsx', file, ...words])
}
