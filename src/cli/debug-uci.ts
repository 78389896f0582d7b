/** `lifeline debug uci FILE`: prints a UCI file as `uci show` does, or fails as it does. */
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { parseUci } from '../core/uci/parse.ts'
import { showUci } from '../core/uci/print.ts'
import type { Output } from './output.ts'

/** The package is called as the file, less the extension `.uci`. Exit code 0, or 1 with a message as that of `uci`. */
export async function runDebugUci(args: { readonly file: string }, out: Output): Promise<number> {
  const content = read(args.file)
  if (content === undefined) {
    out.stderr('uci: Entry not found\n')
    return 1
  }
  const parsed = parseUci(content)
  if (!parsed.ok) {
    const { reason, line, byte } = parsed.error
    out.stderr(`uci: Parse error (${reason}) at line ${line}, byte ${byte}\n`)
    return 1
  }
  const shown = showUci(basename(args.file, '.uci'), parsed.value)
  if (shown !== '') out.stdout(Buffer.from(shown, 'latin1'))
  return 0
}

function read(file: string): Uint8Array | undefined {
  try {
    return statSync(file).isFile() ? readFileSync(file) : undefined
  } catch {
    return undefined
  }
}
