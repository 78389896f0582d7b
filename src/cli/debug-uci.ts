import type { Command } from 'commander'
import { parseUci } from '../core/uci/parse.ts'
import { showUci } from '../core/uci/print.ts'
import type { CliContext, Finish } from './context.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

/** `lifeline debug uci FILE`: prints a UCI file as `uci show` does, or fails as it does. */
export function addDebug(program: Command, { terminal, readFile }: CliContext, finish: Finish): void {
  program
    .command('debug')
    .description('Look at how lifeline reads things')
    .addHelpText('after', '\nExample:\n  lifeline debug uci /etc/config/network')
    .command('uci')
    .description('Print a UCI file exactly as `uci show` does, or fail as it does')
    .argument('<file>', 'UCI file')
    .addHelpText('after', '\nExample:\n  lifeline debug uci /etc/config/network')
    .action((file: string) => finish(runDebugUci(file, readFile(file), terminal)))
}

/** The package is called as the file, less the extension `.uci`; no `content` where there is no such file. Messages are those of `uci`. */
export function runDebugUci(file: string, content: Uint8Array | undefined, terminal: Terminal): ExitCode {
  if (content === undefined) {
    terminal.err('uci: Entry not found\n')
    return EXIT.failed
  }
  const parsed = parseUci(content)
  if (!parsed.ok) {
    const { reason, line, byte } = parsed.error
    terminal.err(`uci: Parse error (${reason}) at line ${line}, byte ${byte}\n`)
    return EXIT.failed
  }
  const shown = showUci(packageOf(file), parsed.value)
  if (shown !== '') terminal.out(Uint8Array.from(shown, (octet) => octet.charCodeAt(0)))
  return EXIT.ok
}

function packageOf(file: string): string {
  const name = file.slice(file.lastIndexOf('/') + 1)
  return name.length > 4 && name.endsWith('.uci') ? name.slice(0, -4) : name
}
