/** The text of files that users write. */
import { decodeUtf8 } from '../bytes.ts'
import { err, ok, type Result } from '../result.ts'

/**
 * UTF-8 without its byte order mark, which some editors put there and RFC 8259 section 8.1 lets a reader ignore; or what it
 * is instead.
 */
export function decodeText(content: Uint8Array): Result<string, string> {
  if (isUtf16(content)) return err(UTF16)
  const text = decodeUtf8(withoutMark(content))
  return text === undefined ? err('it is not UTF-8') : ok(text)
}

/** What is said of a file in UTF-16, as a predicate. */
export const UTF16 = 'it is UTF-16: save it as UTF-8'

/** Whether it begins with a byte order mark of UTF-16 (RFC 2781 section 3.2), which no UTF-8 does. */
export function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

/** The octets behind a byte order mark (RFC 3629 section 6). */
export function withoutMark(content: Uint8Array): Uint8Array {
  const marked = content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf
  return marked ? content.subarray(3) : content
}
