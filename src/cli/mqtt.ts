import type { Command } from 'commander'
import type { Finding } from '../app/doctor/finding.ts'
import { chooseConfigFile, withConfigOption } from './config-file.ts'
import type { CliContext, Finish } from './context.ts'
import { findingText } from './doctor.ts'
import { EXIT, refusalError } from './exit-codes.ts'

/** `lifeline mqtt test`: does with the broker what the daemon would do, and says in words what is wrong. */
export function addMqtt(program: Command, context: CliContext, finish: Finish): void {
  const { terminal } = context
  const test = program
    .command('mqtt')
    .description('Look after MQTT brokers')
    .addHelpText('after', '\nExample:\n  lifeline mqtt test')
    .command('test')
    .description('Log in at the broker, write, read back, and try what Home Assistant needs')
    .argument('[name]', 'name of the mqtt section; all of them if left out')
    .option('--json', 'one JSON object to a line')
    .addHelpText(
      'after',
      `
The daemon may run meanwhile. Nothing that the broker keeps is changed.

Examples:
  lifeline mqtt test
  lifeline mqtt test home -c ./lifeline.json`,
    )
  withConfigOption(test).action(
    async (name: string | undefined, { config, json }: { config?: string; json?: true }) => {
      const show = (finding: Finding) =>
        terminal.out(json ? `${JSON.stringify(finding)}\n` : findingText(finding, terminal.paint))
      const { file, others } = chooseConfigFile(config, context.realPath)
      for (const other of others()) show(other)
      const tried = await context.tryBrokers(file, name, show)
      if (!tried.ok) throw refusalError(tried.error)
      finish(tried.value ? EXIT.ok : EXIT.failed)
    },
  )
}
