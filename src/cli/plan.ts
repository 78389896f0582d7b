import type { Command } from 'commander'
import type { PlanReport } from '../app/answers.ts'
import { chooseConfigFile, findingLine, namedFile, withConfigFile } from './config-file.ts'
import type { CliContext } from './context.ts'
import { DaemonClient, withSocketOption } from './daemon.ts'
import { CliError, EXIT, refusalError } from './exit-codes.ts'

interface PlanOptions {
  readonly config?: string
  readonly socket: string
}

/** `lifeline plan`: what would change in the kernel, by the same comparison that the daemon works with. */
export function addPlan(program: Command, context: CliContext): void {
  const { terminal, connect } = context
  const command = program
    .command('plan')
    .description('Show what would change in the kernel, and the nftables text; changes nothing')
    .addHelpText(
      'after',
      `
The running daemon is asked; with a file, or where none runs, it is what \`lifeline run\` would begin with.

Examples:
  lifeline plan
  lifeline plan ./lifeline.json`,
    )
  withSocketOption(withConfigFile(command)).action(
    async (argument: string | undefined, options: PlanOptions) => {
      const named = namedFile(argument, options.config)
      const asked = named === undefined ? await askRunning(options.socket) : undefined
      const plan = asked ?? (await planAtStart(named))
      for (const warning of plan.warnings) terminal.err(`lifeline: warning: ${warning}\n`)
      terminal.out(planText(plan))
    },
  )

  async function askRunning(socket: string): Promise<PlanReport | undefined> {
    try {
      return await DaemonClient.ask(connect, socket, 'plan')
    } catch (error) {
      if (error instanceof CliError && error.exitCode === EXIT.notRunning) return undefined
      throw error
    }
  }

  async function planAtStart(named: string | undefined): Promise<PlanReport> {
    const { file, others } = chooseConfigFile(named, context.realPath)
    const planned = await context.planAtStart(file)
    if (!planned.ok) throw refusalError(planned.error)
    return { ...planned.value, warnings: [...others().map(findingLine), ...planned.value.warnings] }
  }
}

/** The changes, one to a line, and then the nftables text under a comment. */
export function planText({ changes, nft }: PlanReport): string {
  const lines = changes.length === 0 ? ['Nothing would change.'] : changes
  const text = lines.map((line) => `${line}\n`).join('')
  return nft === '' ? text : `${text}\n# nftables\n${nft.endsWith('\n') ? nft : `${nft}\n`}`
}
