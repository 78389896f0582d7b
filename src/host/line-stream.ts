import { concat } from '../core/bytes.ts'
import { textOf } from '../core/utf8-decoder.ts'
import type { Stream } from './system/port.ts'

/** Octets of a line that we are willing to gather. */
const MAX_LINE = 64 * 1024
const LINE_FEED = 0x0a

/** Takes what arrives at a stream and gives its lines as text, empty ones left out; a line that grows too long ends the stream. */
export function lineReader(
  stream: Stream,
  onLine: (line: string) => void,
  maxLine = MAX_LINE,
): (octets: Uint8Array) => void {
  let parts: Uint8Array[] = []
  let gathered = 0
  return (octets) => {
    let start = 0
    for (let end = octets.indexOf(LINE_FEED); end >= 0; end = octets.indexOf(LINE_FEED, start)) {
      gather(octets.subarray(start, end))
      if (stream.state === 'over') return
      const line = textOf(concat(...parts))
      parts = []
      gathered = 0
      start = end + 1
      if (line.trim() !== '') onLine(line)
    }
    gather(octets.subarray(start))
  }

  function gather(part: Uint8Array): void {
    if (part.length === 0) return
    gathered += part.length
    if (gathered > maxLine) stream.destroy()
    else parts.push(part)
  }
}
