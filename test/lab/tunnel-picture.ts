/** The small internet as text, 76 columns wide. */
import type { TunnelStatus } from '../../src/core/status/status.ts'
import * as address from '../net/addresses.ts'
import { dim, green, yellow } from './colours.ts'

interface Box {
  readonly title: string
  readonly content: string
}

const ROUTER = 1
const LNS = 3
const BOXES: readonly Box[] = [
  { title: 'lan', content: address.lan.ipv4 },
  { title: 'router', content: address.uplink(0).router.ipv4 },
  { title: 'isp', content: address.uplink(0).isp.ipv4 },
  { title: 'lns', content: address.lns.ipv4 },
  { title: 'internet', content: address.internet.ipv4 },
]

/** Hosts and links, and below them the tunnel: solid while it is up. */
export function picture(tunnel: TunnelStatus | undefined): string[] {
  const widths = BOXES.map(({ title, content }) => Math.max(title.length + 2, content.length) + 2)
  const row = (cell: (box: Box, width: number, index: number) => string, between: string) =>
    ` ${BOXES.map((box, index) => cell(box, widths[index] ?? 0, index)).join(between)}`
  const middle = (index: number) =>
    2 +
    widths.slice(0, index).reduce((sum, width) => sum + width + 3, 0) +
    Math.floor((widths[index] ?? 0) / 2)
  return [
    row(({ title }, width) => `┌─ ${title} ${'─'.repeat(width - title.length - 3)}┐`, ' '),
    row(
      ({ content }, width, index) =>
        `${index === 0 ? '│' : '┤'} ${content.padEnd(width - 1)}${index === BOXES.length - 1 ? '│' : '├'}`,
      '─',
    ),
    row((_, width, index) => `└${bottom(width, index)}┘`, ' '),
    tunnelLine(middle(ROUTER), middle(LNS), tunnel),
  ]
}

function bottom(width: number, index: number): string {
  if (index !== ROUTER && index !== LNS) return '─'.repeat(width)
  const left = Math.floor(width / 2)
  return `${'─'.repeat(left)}╥${'─'.repeat(width - left - 1)}`
}

function tunnelLine(from: number, to: number, tunnel: TunnelStatus | undefined): string {
  const up = tunnel?.state === 'up'
  const words =
    tunnel === undefined
      ? ' no tunnel '
      : up
        ? ` ${tunnel.device} ${tunnel.ipv4.address ?? ''} `
        : ` ${tunnel.device}: ${tunnel.state} `
  const line = up ? '═' : '╌'
  const room = to - from - 1 - words.length
  const before = Math.floor(room / 2)
  const text = `╚${line.repeat(before)}${words}${line.repeat(room - before)}╝`
  const paint = up ? green : tunnel === undefined ? dim : yellow
  return `${' '.repeat(from)}${paint(text)}`
}
