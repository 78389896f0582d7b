import { type Command, Option } from 'commander'
import type { Status } from '../core/status/status.ts'
import { statusText } from '../core/status/status-text.ts'
import type { CliContext, Finish } from './context.ts'
import { DaemonClient, withSocketOption } from './daemon.ts'
import { CliError, EXIT, type ExitCode } from './exit-codes.ts'
import { localZone, redraw } from './terminal.ts'

/** ms between two looks at counters and times that no event announces. */
const TICK = 1000

interface StatusOptions {
  readonly json?: true
  readonly watch?: true
  readonly exitCode?: true
  readonly socket: string
}

/** How the internet is reached, for monitoring. A tunnel that does not stand by for anything has to be up itself. */
function verdict({ internet, tunnel, failover }: Status): ExitCode {
  if (internet.state === 'down') return EXIT.down
  if (internet.state === 'backup') return EXIT.onBackup
  const alone = Object.entries(tunnel).filter(([name]) => failover?.path[name] === undefined)
  return alone.every(([, { state }]) => state === 'up' || state === 'disabled') ? EXIT.ok : EXIT.down
}

/** `lifeline status`: one sentence, then everything that is known. */
export function addStatus(program: Command, context: CliContext, finish: Finish): void {
  const { terminal, connect } = context
  const command = program
    .command('status')
    .description('Say how the internet is reached and what each tunnel does')
    .option('--json', 'the status contract of docs/cli.md as JSON')
    .option('-w, --watch', 'show it again whenever something happens')
    .addOption(
      new Option('--exit-code', 'tell by the exit code how the internet is reached').conflicts('watch'),
    )
    .addHelpText(
      'after',
      `
With --exit-code: ${EXIT.ok} over the preferred path, ${EXIT.onBackup} on a backup, ${EXIT.down} not at all\nor a tunnel that stands by for nothing is not up, ${EXIT.notRunning} no daemon runs.

Examples:
  lifeline status
  lifeline status --watch
  lifeline status --json | jq .internet.state
  lifeline status --exit-code >/dev/null || logger "lifeline: $?"`,
    )
  withSocketOption(command).action(async ({ json, watch, exitCode, socket }: StatusOptions) => {
    const daemon = await DaemonClient.connect(connect, socket)
    try {
      if (watch) await watchStatus(daemon, json === true)
      const status = await daemon.call('status')
      terminal.out(render(status, json === true, 2))
      if (exitCode) finish(verdict(status))
    } finally {
      daemon.close()
    }
  })

  function render(status: Status, json: boolean, indent?: number): string {
    return json
      ? `${JSON.stringify(status, undefined, indent)}\n`
      : statusText(status, context.now(), terminal.paint, localZone)
  }

  /** Draws until the daemon goes away. On a terminal the picture stays in place; elsewhere one follows the other. */
  async function watchStatus(daemon: DaemonClient, json: boolean): Promise<never> {
    const inPlace = terminal.interactive && !json
    let asking = false
    let again = false
    let last = ''
    if (inPlace) terminal.out('\x1b[2J')
    await daemon.follow(0, draw)
    draw()
    const stop = inPlace ? context.every(TICK, draw) : () => {}
    await daemon.closed
    stop()
    throw new CliError(EXIT.notRunning, 'the daemon went away')

    function draw(): void {
      if (asking) {
        again = true
        return
      }
      asking = true
      daemon.call('status').then(show, () => {
        asking = false
      })
    }

    function show(status: Status): void {
      asking = false
      const text = render(status, json)
      if (inPlace) terminal.out(redraw(text))
      else if (text !== last) terminal.out(json || last === '' ? text : `\n${text}`)
      last = text
      if (!again) return
      again = false
      draw()
    }
  }
}
