import type { Command } from 'commander'
import type { StatusEvent } from '../core/status/status.ts'
import type { CliContext } from './context.ts'
import { DaemonClient, withSocketOption } from './daemon.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { readCount } from './read-count.ts'

interface EventsOptions {
  readonly lines: number
  readonly follow: boolean
  readonly json?: true
  readonly socket: string
}

/** `lifeline events`: what happened, and what happens from now on. */
export function addEvents(program: Command, { terminal, connect }: CliContext): void {
  const command = program
    .command('events')
    .description('Show the last events and follow new ones')
    .option('-n, --lines <count>', 'how many past events to begin with', readCount, 10)
    .option('--no-follow', 'end after the past events')
    .option('--json', 'one JSON object to a line')
    .addHelpText('after', '\nExamples:\n  lifeline events\n  lifeline events --json -n 500 --no-follow')
  withSocketOption(command).action(async ({ lines, follow, json, socket }: EventsOptions) => {
    const show = (event: StatusEvent) => terminal.out(`${json ? JSON.stringify(event) : eventLine(event)}\n`)
    const daemon = await DaemonClient.connect(connect, socket)
    try {
      if (!follow) {
        for (const event of (await daemon.call('events', { limit: lines })).events) show(event)
        return
      }
      await daemon.follow(lines, show)
      await daemon.closed
      throw new CliError(EXIT.notRunning, 'the daemon went away')
    } finally {
      daemon.close()
    }
  })
}

/** One event in words: `2026-01-02T03:04:05.678Z aaisp: up (was configuring)`; kinds unknown here show their fields. */
export function eventLine({ seq: _seq, at, event, tunnel, ...fields }: StatusEvent): string {
  const subject = tunnel === undefined ? '' : `${tunnel}: `
  return `${at} ${subject}${inWords(event, fields)}`
}

function inWords(event: string, fields: Readonly<Record<string, unknown>>): string {
  const { state, from, path, uplink, message } = fields
  switch (event) {
    case 'state':
      return `${state} (was ${from})`
    case 'failed':
      return `${message}`
    case 'uplink':
      return `uplink ${uplink} ${state} (was ${from})`
    case 'internet':
      return path === null ? 'no internet' : `internet over ${path}${state === 'backup' ? ' (backup)' : ''}`
    default:
      return [event, ...Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`)].join(' ')
  }
}

function fieldText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return typeof value !== 'string' || /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}
