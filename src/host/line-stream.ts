import type { Socket } from 'node:net'

/** Octets of a line that we are willing to gather. */
const MAX_LINE = 64 * 1024

/** Cuts what arrives at a socket into lines of UTF-8 text; a line that grows too long destroys the socket. */
export function readLines(socket: Socket, onLine: (line: string) => void, maxLine = MAX_LINE): void {
  let parts: Buffer[] = []
  let gathered = 0
  socket.on('data', (chunk: Buffer) => {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      gather(chunk.subarray(start, end))
      if (socket.destroyed) return
      const line = Buffer.concat(parts).toString('utf8')
      parts = []
      gathered = 0
      start = end + 1
      if (line.trim() !== '') onLine(line)
    }
    gather(chunk.subarray(start))
  })

  function gather(part: Buffer): void {
    if (part.length === 0) return
    gathered += part.length
    if (gathered > maxLine) socket.destroy()
    else parts.push(part)
  }
}
