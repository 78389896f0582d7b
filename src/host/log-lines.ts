import type { Readable } from 'node:stream'

/** Octets of a line; what is longer is told in pieces. */
const MAX_LINE = 400
/** Lines of one stream that are told: a program gone wild must not fill the log. */
const MAX_LINES = 100

/** Gives what a program prints line by line, empty ones left out, and no more than 100 of them. */
export function logLines(stream: Readable, tell: (line: string) => void): void {
  let begun = ''
  let told = 0
  const line = (text: string): void => {
    if (text.trim() === '') return
    told += 1
    if (told <= MAX_LINES) tell(text)
    else if (told === MAX_LINES + 1) tell('(what it says after this is left out)')
  }
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    if (told > MAX_LINES) return
    const lines = (begun + text).split('\n')
    begun = lines.pop() ?? ''
    for (const each of lines) line(each)
    while (begun.length > MAX_LINE) {
      line(begun.slice(0, MAX_LINE))
      begun = begun.slice(MAX_LINE)
    }
  })
  stream.on('close', () => line(begun))
  stream.on('error', () => {})
}
