import type { Command } from 'commander'
import type { Happening, StatusEvent } from '../core/status/event.ts'
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
export function eventLine({ seq: _seq, at, ...told }: StatusEvent): string {
  return `${at} ${inWords(told)}`
}

function inWords(told: Happening): string {
  switch (told.event) {
    case 'state':
      return `${told.tunnel}: ${told.state} (was ${told.from})`
    case 'failed':
      return `${told.tunnel}: ${told.message}`
    case 'uplink':
      return `uplink ${told.uplink} ${told.state} (was ${told.from})`
    case 'internet': {
      const { state, path } = told
      return path === null ? 'no internet' : `internet over ${path}${state === 'backup' ? ' (backup)' : ''}`
    }
    default:
      return inFields(told)
  }
}

/** A daemon that is newer than this program may know more kinds than that does. */
function inFields({
  event,
  tunnel,
  ...fields
}: {
  readonly event: string
  readonly tunnel?: string
}): string {
  const texts = Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`)
  return [...(tunnel === undefined ? [] : [`${tunnel}:`]), event, ...texts].join(' ')
}

function fieldText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return typeof value !== 'string' || /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}
