import type { Command } from 'commander'
import { chooseConfigFile, findingLine, withConfigOption } from './config-file.ts'
import type { CliContext, Finish } from './context.ts'
import { withSocketOption } from './daemon.ts'

/** `lifeline run`: the daemon, in the foreground. */
export function addRun(program: Command, context: CliContext, finish: Finish): void {
  const command = program
    .command('run')
    .description('Run the daemon in the foreground: dial all tunnels and keep them up')
    .addHelpText(
      'after',
      `
SIGHUP reads the configuration again; SIGTERM and SIGINT hang up and remove all that was set up.

Examples:
  lifeline run
  lifeline run -c ./lifeline.json --socket /tmp/lifeline.sock`,
    )
  withSocketOption(withConfigOption(command)).action(async (options: { config?: string; socket: string }) => {
    const { file: configFile, others } = chooseConfigFile(options.config, context.realPath)
    const notices = () => others().map(findingLine)
    finish(await context.startDaemon({ configFile, notices, socket: options.socket }))
  })
}
