/**
 * The text of one UCI statement, read and rewritten in place as the reference reader does: quotes and escapes are
 * removed by moving octets towards the front, and a zero octet ends each word. That the work happens in one buffer is
 * visible to users (what follows `;`, or a NUL in the file), so it is reproduced rather than tidied up.
 */
import { u8 } from '../bytes.ts'

/** Octets that have a meaning of their own. */
export const CHAR = {
  end: 0x00,
  newline: 0x0a,
  carriageReturn: 0x0d,
  doubleQuote: 0x22,
  comment: 0x23,
  singleQuote: 0x27,
  semicolon: 0x3b,
  backslash: 0x5c,
} as const

/** The reference reader's buffer starts at this size and doubles; the steps show only in files with NUL octets. */
const FIRST_SIZE = 32
/** Each NUL octet doubles the reference reader's buffer, so a few dozen exhaust its memory. */
const LARGEST_SIZE = 2 ** 31

/** The statement of a UCI file that is being read, as the reference reader would read it. */
export class Statement {
  readonly #input: Uint8Array
  #consumed = 0
  #bytes = new Uint8Array(256)
  #size = FIRST_SIZE
  #exhausted = false
  /** Where reading goes on; index into the statement's text. */
  position = 0
  /** Octets of text that were read, from the start of the statement. */
  filled = 0
  /** Lines read so far. */
  line = 0

  constructor(input: Uint8Array) {
    this.#input = input
  }

  get inputEnded(): boolean {
    return this.#consumed >= this.#input.length
  }

  /** The reference reader would have run out of memory. */
  get exhausted(): boolean {
    return this.#exhausted
  }

  /** The octet at the position, or at `index`; zero ends the text. */
  char(index: number = this.position): number {
    return u8(this.#bytes, index)
  }

  put(index: number, octet: number): void {
    if (index >= this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[index] = octet
  }

  /** Reads the next line of the file to `offset`, over whatever stood there. At the end of the file there is only the zero. */
  fetchLine(offset: number): void {
    if (offset >= this.#size - 1) this.#size *= 2
    let end = offset
    for (;;) {
      this.put(end, CHAR.end)
      const start = this.#consumed
      this.#consume(this.#size - end - 1)
      const nul = this.#input.subarray(start, this.#consumed).indexOf(CHAR.end)
      const octets = nul < 0 ? this.#consumed - start : nul
      if (octets === 0) return
      for (let i = 0; i < octets; i++) this.put(end + i, u8(this.#input, start + i))
      end += octets
      this.put(end, CHAR.end)
      this.filled = end
      if (this.char(end - 1) === CHAR.newline) {
        this.line++
        return
      }
      this.#size *= 2
      if (this.#size > LARGEST_SIZE) {
        this.#exhausted = true
        return
      }
    }
  }

  /** The text from `start` to the next zero, one character for each octet. */
  text(start: number): string {
    const end = this.#bytes.indexOf(CHAR.end, start)
    return octetText(this.#bytes.subarray(start, end < 0 ? undefined : end))
  }

  skipSpace(): void {
    while (isSpace(this.char())) this.position++
  }

  /** Takes at most `octets` of the input, up to and with a newline. */
  #consume(octets: number): void {
    const limit = Math.min(this.#consumed + octets, this.#input.length)
    const newline = this.#input.subarray(this.#consumed, limit).indexOf(CHAR.newline)
    this.#consumed = newline < 0 ? limit : this.#consumed + newline + 1
  }
}

/** Octets as text with one character for each, U+0000 to U+00FF. */
export function octetText(bytes: Uint8Array): string {
  const step = 4096
  let text = ''
  for (let i = 0; i < bytes.length; i += step) text += String.fromCharCode(...bytes.subarray(i, i + step))
  return text
}

/** White space in the C locale: space, and tab to carriage return. */
export function isSpace(octet: number): boolean {
  return octet === 0x20 || (octet >= 0x09 && octet <= 0x0d)
}
