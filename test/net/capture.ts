/** A packet recording with tcpdump. */
import type { Namespace } from './namespace.ts'
import { type Process, run } from './process.ts'

export class Capture {
  readonly file: string
  readonly #process: Process

  private constructor(file: string, process: Process) {
    this.file = file
    this.#process = process
  }

  /** Starts to record what matches `filter` on a device; packets from then on are in it. */
  static async start(namespace: Namespace, device: string, filter: string, file: string): Promise<Capture> {
    const command = [
      'tcpdump',
      '-i',
      device,
      '-n',
      '-U',
      '--immediate-mode',
      '-Z',
      'root',
      '-w',
      file,
      filter,
    ]
    const process = namespace.start('tcpdump', command)
    await process.waitForOutput(/listening on/)
    return new Capture(file, process)
  }

  /** Stops, and returns tcpdump's words for each packet, one per line. */
  async stop(): Promise<string[]> {
    await this.#process.stop('SIGINT')
    return this.lines()
  }

  /** tcpdump's words for the packets so far. */
  async lines(): Promise<string[]> {
    const { stdout } = await run(['tcpdump', '-n', '-tt', '-v', '-r', this.file])
    // With -v a packet takes several lines; the continuations are indented.
    return stdout.replaceAll(/\n\s+/g, ' ').split('\n').filter(Boolean)
  }
}
