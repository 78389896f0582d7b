/** What is said to a host and what it answers, with the system's socat. */
import type { Namespace } from './namespace.ts'
import type { Process } from './process.ts'
import { waitFor } from './wait.ts'

export type Transport = 'tcp' | 'udp'

/** Answers everything with itself on a port of all addresses, or of one. */
export async function answer(
  host: Namespace,
  transport: Transport,
  port: number,
  bind?: string,
): Promise<Process> {
  const at = bind === undefined ? ',ipv6only=0' : `,bind=${literal(bind)}`
  const version = bind === undefined || bind.includes(':') ? 6 : 4
  const listen =
    transport === 'tcp'
      ? `TCP${version}-LISTEN:${port},fork,reuseaddr${at}`
      : `UDP${version}-RECVFROM:${port},fork,reuseaddr${at}`
  const process = host.start(`echo ${port}`, ['socat', '-d', '-d', '-d', listen, 'PIPE'])
  await process.waitForOutput(/listening on|bind\(.*\)|receiving on/)
  return process
}

/** A conversation that lasts: what is said is answered as long as the way there and back exists. */
export class Conversation {
  readonly name: string
  readonly #process: Process
  readonly #transport: Transport
  #said = 0

  private constructor(name: string, transport: Transport, process: Process) {
    this.name = name
    this.#transport = transport
    this.#process = process
  }

  /** Resolves once the first word was answered. */
  static async open(from: Namespace, transport: Transport, to: string, port: number): Promise<Conversation> {
    const version = to.includes(':') ? 6 : 4
    const target = `${transport.toUpperCase()}${version}:${literal(to)}:${port}`
    const process = from.start(target, ['socat', '-', target])
    const conversation = new Conversation(`${target} from ${from.name}`, transport, process)
    await conversation.goesOn()
    return conversation
  }

  /** Resolves once a new word was answered. A lost datagram is sent again, as whoever uses UDP has to. */
  async goesOn(within = 20_000): Promise<void> {
    const word = `word ${++this.#said} of ${this.name}`
    let next = 0
    await waitFor(
      `an answer to ${word}`,
      () => {
        if (!this.#process.running) throw new Error(`${this.name} has ended: ${this.#process.output}`)
        if (performance.now() >= next && (next === 0 || this.#transport === 'udp')) {
          this.#process.write(`${word}\n`)
          next = performance.now() + 500
        }
        return this.#process.output.includes(`${word}\n`)
      },
      { within, every: 20, explain: () => this.#process.output.slice(-300) },
    )
  }

  close(): void {
    this.#process.signal('SIGKILL')
  }
}

function literal(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
