import type { Terminal } from '../../src/cli/terminal.ts'

/** A terminal that keeps what it is given, standard output as octets. */
export class Captured implements Terminal {
  readonly #out: Uint8Array[] = []
  readonly #err: string[] = []
  readonly interactive = false
  readonly columns = 80

  stdout(): Buffer {
    return Buffer.concat(this.#out)
  }

  stderr(): string {
    return this.#err.join('')
  }

  out(text: string | Uint8Array): void {
    this.#out.push(typeof text === 'string' ? Buffer.from(text) : text)
  }

  err(text: string): void {
    this.#err.push(text)
  }

  paint(_tone: unknown, text: string): string {
    return text
  }
}
