import { Utf8Decoder } from './utf8-decoder.ts'

/** Characters of a line; what is longer is told in pieces. */
const MAX_LINE = 400
/** Lines of one stream that are told: a program gone wild must not fill the log. */
const MAX_LINES = 100

/** What a program prints, told line by line, empty ones left out, and no more than 100 of them. */
export class ProgramLines {
  readonly #tell: (line: string) => void
  readonly #decoder = new Utf8Decoder()
  #begun = ''
  #told = 0

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  push(octets: Uint8Array): void {
    if (this.#told > MAX_LINES) return
    const lines = (this.#begun + this.#decoder.push(octets)).split('\n')
    this.#begun = lines.pop() ?? ''
    for (const each of lines) this.#line(each)
    while (this.#begun.length > MAX_LINE) {
      this.#line(this.#begun.slice(0, MAX_LINE))
      this.#begun = this.#begun.slice(MAX_LINE)
    }
  }

  /** It prints no more: a line without an end is one too. */
  end(): void {
    this.#line(this.#begun + this.#decoder.end())
    this.#begun = ''
  }

  #line(text: string): void {
    if (text.trim() === '') return
    this.#told += 1
    if (this.#told <= MAX_LINES) this.#tell(text)
    else if (this.#told === MAX_LINES + 1) this.#tell('(what it says after this is left out)')
  }
}
