import type { Command } from 'commander'
import { renderHistory } from '../core/failover/history-graph.ts'
import type { CliContext } from './context.ts'
import { DaemonClient, withSocketOption } from './daemon.ts'
import { localZone } from './terminal.ts'

/** Lines of the graph: it should fit beside a prompt on a small terminal. */
const HEIGHT = 12

/** `lifeline history PATH`: round-trip times and losses of the last 24 h. */
export function addHistory(program: Command, { terminal, connect }: CliContext): void {
  const command = program
    .command('history')
    .description('Draw round-trip times, losses and events of a path or tunnel in the last 24 h')
    .argument('[path]', 'name of a path of failover, or of a tunnel; the only one if left out')
    .option('--json', 'the bins of 100 s and the events as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  lifeline history\n  lifeline history fibre\n  lifeline history fibre --json | jq .bins',
    )
  withSocketOption(command).action(
    async (path: string | undefined, options: { json?: true; socket: string }) => {
      const history = await DaemonClient.ask(
        connect,
        options.socket,
        'history',
        path === undefined ? {} : { path },
      )
      const { columns: width, paint } = terminal
      terminal.out(
        options.json
          ? `${JSON.stringify(history, undefined, 2)}\n`
          : renderHistory(history, { width, height: HEIGHT, paint, zone: localZone }),
      )
    },
  )
}
