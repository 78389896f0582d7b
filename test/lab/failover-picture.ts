/** The two lines and the tunnel as text, 76 columns wide: the way that traffic takes is thick and green. */
import type { Status } from '../../src/core/status/status.ts'
import { bold, dim, green, red, yellow } from './colours.ts'

interface Row {
  readonly path: string
  readonly what: string
  /** What lies between the router and the internet. */
  readonly stations: readonly string[]
  readonly corners: readonly [string, string]
}

const ROWS: readonly Row[] = [
  { path: 'fibre', what: 'fibre', stations: ['bras'], corners: ['╭', '╮'] },
  { path: 'aaisp', what: 'tunnel', stations: ['carrier', 'lns'], corners: ['┼', '┼'] },
  { path: 'lte', what: '4G', stations: ['carrier, NAT'], corners: ['╰', '╯'] },
]
const LEFT = [' '.repeat(14), ' lan ── router', ' '.repeat(14)]
const RIGHT = ['', ' internet', '']
/** Columns between the corners. */
const WIDTH = 50

export function picture(status: Status | undefined): string[] {
  const failover = status?.failover
  const lines = ROWS.map((row, index) => {
    const { path, corners } = row
    const active = failover?.active === path
    const health = failover?.path[path]?.health
    const paint = active ? (text: string) => bold(green(text)) : health === 'down' ? paintDown(path) : dim
    const left = index === 1 ? ` lan ── router ─${corners[0]}` : `${LEFT[index]}  ${corners[0]}`
    return `${left}${paint(wire(row, active ? '━' : health === 'down' ? '╌' : '─', status))}${corners[1]}${index === 1 ? '─' : ''}${RIGHT[index]}`
  })
  return [...lines, '', ` ${sentence(status)}`]
}

/** A tunnel that stands by without a session is no trouble. */
function paintDown(path: string): (text: string) => string {
  return path === 'aaisp' ? dim : red
}

function wire({ path, what, stations }: Row, line: string, status: Status | undefined): string {
  const state = status?.failover?.path[path]
  const address = status?.tunnel[path]?.ipv4.address ?? status?.uplink[path]?.addresses[0]?.split('/')[0]
  const words = [what, address, stateWords(path, status)].filter(Boolean).join(' ')
  const rtt =
    typeof state?.rtt_ms === 'number' && state.health === 'up' ? [`${state.rtt_ms.toFixed(0)} ms`] : []
  const right = [...rtt, ...stations].map((word) => ` ${word} ${line}`).join(line)
  const text = `${line}${line} ${words} `
  return `${text}${line.repeat(Math.max(1, WIDTH - text.length - right.length))}${right}`
}

function stateWords(path: string, status: Status | undefined): string {
  const failover = status?.failover
  const tunnel = status?.tunnel[path]
  if (failover === null || failover === undefined) return ''
  if (failover.active === path) return ''
  if (tunnel !== undefined && tunnel.state !== 'waiting') return tunnel.state
  const { health, readiness } = failover.path[path] ?? {}
  if (tunnel !== undefined) return `${readiness}`
  return health === 'up' ? '' : `${health}`
}

function sentence(status: Status | undefined): string {
  const failover = status?.failover
  if (!failover) return dim('no lifeline runs yet')
  if (failover.active === null) return yellow('traffic waits')
  const { ipv4 } = status?.internet ?? {}
  return `traffic goes over ${bold(green(failover.active))}${ipv4 ? ` as ${bold(ipv4)}` : ''}`
}
