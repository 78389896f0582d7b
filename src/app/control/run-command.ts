import type { CommandName } from '../../core/commands.ts'
import type { Result } from '../../core/result.ts'
import type { DrillReport } from '../../core/status/event.ts'
import type { Refusal } from '../answers.ts'
import type { ControlTarget } from './target.ts'

/** What carries out the commands of core/commands.ts. */
export type CommandTarget = Pick<ControlTarget, CommandName | 'paths'>

/** Carries a command out with arguments that `readArguments` has judged; the same for every surface. */
export async function runCommand(
  target: CommandTarget,
  command: CommandName,
  { tunnel = '', path }: Readonly<Record<string, string>>,
): Promise<Result<DrillReport | undefined, Refusal>> {
  switch (command) {
    case 'drill':
      return target.drill(path)
    case 'use':
      return target.use(path ?? 'auto')
    case 'up':
    case 'down':
    case 'reconnect':
      return target[command](tunnel)
  }
}
