import { readFileSync } from 'node:fs'
import { fromHex } from '../../../src/core/bytes.ts'

/** A line of a recording: the command that came before, and one message. */
export interface Recorded {
  readonly command: string
  readonly message: Uint8Array
}

/** The messages of test/fixtures/netlink/NAME.hex in order. */
export function recorded(name: string): Recorded[] {
  const text = readFileSync(new URL(`../../fixtures/netlink/${name}.hex`, import.meta.url), 'utf8')
  let command = ''
  return text.split('\n').flatMap((line) => {
    if (line.startsWith('# ')) command = line.slice(2)
    return line === '' || line.startsWith('#') ? [] : [{ command, message: fromHex(line) }]
  })
}
