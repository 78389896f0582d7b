/** The isp's resolver: knows a few names, and can be told others at any time. */
import { resolve } from 'node:path'
import type { Namespace } from './namespace.ts'
import type { Process } from './process.ts'

/** Name -> addresses of both families. A name that is absent does not exist. */
export type DnsRecords = Readonly<Record<string, readonly string[]>>

export class DnsServer {
  readonly #namespace: Namespace
  readonly #addresses: readonly string[]
  #records: DnsRecords
  #process: Process | undefined
  #told = 0

  /** On all addresses of the namespace, or on those given. */
  constructor(namespace: Namespace, records: DnsRecords, addresses: readonly string[] = []) {
    this.#namespace = namespace
    this.#addresses = addresses
    this.#records = records
  }

  async start(): Promise<void> {
    this.#told = 0
    const command = [
      process.execPath,
      '--import',
      'tsx',
      resolve('test/net/dns-server.ts'),
      ...this.#addresses,
    ]
    this.#process = this.#namespace.start('dns', command)
    await this.set(this.#records)
  }

  /** Replaces all records; they count when this returns. */
  async set(records: DnsRecords): Promise<void> {
    this.#records = records
    this.#process?.write(`${JSON.stringify(records)}\n`)
    await this.#process?.waitForOutput(new RegExp(`^ready ${++this.#told}$`, 'm'))
  }

  /** The questions so far, as `NAME TYPE`. */
  get questions(): string[] {
    return [...(this.#process?.output ?? '').matchAll(/^asked (.+)$/gm)].map(([, question]) => question ?? '')
  }

  async stop(): Promise<void> {
    await this.#process?.stop('SIGKILL')
    this.#process = undefined
  }
}
