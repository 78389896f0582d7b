/** UTF-8 that comes in pieces, from who may not speak it: what is none becomes U+FFFD (Unicode 3.9, maximal subparts). */
export class Utf8Decoder {
  /** Octets of the character begun that are still to come, its bits so far, and what its next octet may be. */
  #missing = 0
  #point = 0
  #least = 0x80
  #most = 0xbf

  /** The text of these octets; a character that they leave unfinished comes with the next ones. */
  push(octets: Uint8Array): string {
    const parts: string[] = []
    let points: number[] = []
    for (const octet of octets) {
      if (points.length > 4000) {
        parts.push(String.fromCodePoint(...points))
        points = []
      }
      if (this.#missing > 0) {
        if (octet >= this.#least && octet <= this.#most) {
          this.#point = (this.#point << 6) | (octet & 0x3f)
          this.#expect(this.#missing - 1)
          if (this.#missing === 0) points.push(this.#point)
          continue
        }
        points.push(REPLACEMENT)
      }
      if (!this.#begin(octet)) points.push(octet < 0x80 ? octet : REPLACEMENT)
    }
    parts.push(String.fromCodePoint(...points))
    return parts.join('')
  }

  /** What is left when nothing more comes. */
  end(): string {
    const unfinished = this.#missing > 0
    this.#expect(0)
    return unfinished ? String.fromCodePoint(REPLACEMENT) : ''
  }

  /** Whether an octet begins a character of several (RFC 3629 section 4). */
  #begin(octet: number): boolean {
    const missing = octet >= 0xc2 && octet < 0xe0 ? 1 : octet >= 0xe0 && octet < 0xf0 ? 2 : 3
    if (octet < 0xc2 || octet > 0xf4) {
      this.#expect(0)
      return false
    }
    this.#point = octet & (0x3f >> missing)
    this.#expect(missing, LEAST[octet], MOST[octet])
    return true
  }

  #expect(missing: number, least = 0x80, most = 0xbf): void {
    this.#missing = missing
    this.#least = least
    this.#most = most
  }
}

/** The text of these octets, all of them. */
export function textOf(octets: Uint8Array): string {
  const decoder = new Utf8Decoder()
  return decoder.push(octets) + decoder.end()
}

const REPLACEMENT = 0xfffd

/** After these, not all octets may follow: overlong forms, surrogates, and what lies beyond U+10FFFF. */
const LEAST: Readonly<Record<number, number>> = { 224: 0xa0, 240: 0x90 }
const MOST: Readonly<Record<number, number>> = { 237: 0x9f, 244: 0x8f }
