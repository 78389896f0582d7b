import type { Command } from 'commander'
import type { Finding } from '../app/doctor/finding.ts'
import type { Paint, Tone } from '../core/paint.ts'
import { chooseConfigFile, namedFile, withConfigFile } from './config-file.ts'
import type { CliContext, Finish } from './context.ts'
import { EXIT, refusalError } from './exit-codes.ts'

interface DoctorOptions {
  readonly config?: string
  readonly json?: true
}

/** `lifeline doctor`: everything that a tunnel needs, looked at from this machine. */
export function addDoctor(program: Command, context: CliContext, finish: Finish): void {
  const { terminal } = context
  const command = program
    .command('doctor')
    .description('Look for what keeps tunnels from working, and say what to do about it')
    .option('--json', 'one JSON object to a line')
    .addHelpText(
      'after',
      `
Changes nothing. Each server is called, and hung up on at once, whether or not the daemon runs; this takes some seconds.

Examples:
  lifeline doctor
  lifeline doctor ./lifeline.json`,
    )
  withConfigFile(command).action(async (named: string | undefined, { config, json }: DoctorOptions) => {
    const show = (finding: Finding) =>
      terminal.out(json ? `${JSON.stringify(finding)}\n` : findingText(finding, terminal.paint))
    const { file, others } = chooseConfigFile(namedFile(named, config), context.realPath)
    for (const other of others()) show(other)
    const examined = await context.examine(file, show)
    if (!examined.ok) throw refusalError(examined.error)
    finish(examined.value ? EXIT.ok : EXIT.failed)
  })
}

const TONES: Readonly<Record<Finding['severity'], Tone>> = {
  ok: 'good',
  note: 'quiet',
  warning: 'busy',
  problem: 'bad',
}

/** `problem  nftables: ...`, and below it what to do. */
export function findingText({ severity, subject, message, advice }: Finding, paint: Paint): string {
  const line = `${paint(TONES[severity], severity.padEnd(9))}${subject}: ${message}\n`
  return advice === undefined ? line : `${line}${' '.repeat(9)}-> ${advice}\n`
}
