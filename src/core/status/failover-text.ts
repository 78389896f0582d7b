/** What failover does, in words. */
import { formatClock, formatLoss, formatRtt, formatSpan, type Zone } from '../amounts.ts'
import type { Paint, Tone } from '../paint.ts'
import type { FailoverStatus, PathStatus, Status } from './status.ts'

/**
 * The main clause where failover is configured: which path is in use, and what is wrong with a better one. Undefined
 * while the preferred path is in use, as nothing has to be said of failover then.
 */
export function failoverClause(
  status: Status,
  failover: FailoverStatus,
  now: Date,
  zone: Zone,
): string | undefined {
  const { active, mode, path, last_switch: last } = failover
  const names = Object.keys(path)
  const since = formatClock(new Date(failover.since), now, zone)
  if (active === null) return `There is no internet since ${since}${noneWell(status, failover)}`
  const uses = `traffic uses ${way(status, active)}`
  if (mode !== 'auto') return `Pinned to ${mode}; ${uses} since ${since}`
  const better = names.slice(0, names.indexOf(active))
  if (better.length === 0) return undefined
  const isIll = ({ health, lost }: PathStatus) => health === 'down' || health === 'suspect' || lost.length > 0
  const ill = better.find((name) => path[name] !== undefined && isIll(path[name]))
  const [first = ''] = better
  const why =
    ill !== undefined
      ? trouble(ill, path[ill])
      : `${first} is well again${last === null ? '' : `, after ${last.cause}`}`
  return `On backup since ${since}: ${why}; ${uses}`
}

/** What else is wrong: paths that are down although nothing depends on them yet. */
export function standbyClauses({ active, path, problem }: FailoverStatus): string[] {
  const names = Object.keys(path)
  const behind = names.slice(names.indexOf(active ?? '') + 1)
  const down = active === null ? [] : behind.filter((name) => path[name]?.health === 'down')
  return [...down.map((name) => trouble(name, path[name])), ...(problem === null ? [] : [problem])]
}

/** `aaisp stands by (warm: its LNS answered 12 s ago)`: who takes over if the preferred path fails; undefined if nobody will. */
export function backupClause(
  { backup, path, active, problem }: FailoverStatus,
  now: Date,
): string | undefined {
  if (backup === null || active === null || problem !== null || Object.keys(path)[0] !== active)
    return undefined
  const { path: name, ready } = backup
  const status = path[name]
  if (status === undefined || ready === false) return undefined
  const { readiness, heard_at: at, reason } = status
  if (at !== null) {
    const span = formatSpan(Math.max(0, now.getTime() - Date.parse(at)))
    return `${name} stands by (${readiness}: its LNS answered ${span} ago)`
  }
  return `${name} stands by (${ready ? reason : 'cold: its LNS is asked when it is needed'})`
}

/** What is wrong with each uplink; tunnels have clauses of their own. */
function noneWell({ tunnel }: Status, { path }: FailoverStatus): string {
  const told = Object.entries(path).filter(
    ([name, { health }]) => health === 'down' && !Object.hasOwn(tunnel, name),
  )
  return told.length === 0 ? '' : `: ${told.map(([name, status]) => trouble(name, status)).join('; ')}`
}

/** `aaisp over lte`; an uplink is its own way. */
function way({ tunnel }: Status, active: string): string {
  const uplink = Object.hasOwn(tunnel, active) ? tunnel[active]?.uplink : undefined
  return uplink ? `${active} over ${uplink}` : active
}

/** What is wrong with a path: `fibre lost carrier`, `fibre has no answer from 192.0.2.1`, `fibre is down (REASON)`. */
export function trouble(name: string, path: Pick<PathStatus, 'reason' | 'health'> | undefined): string {
  const reason = path?.reason ?? ''
  if (/^(lost|has|had|is|was|does|did|waits|cannot) /.test(reason)) return `${name} ${reason}`
  if (/^no /.test(reason)) return `${name} has ${reason}`
  return `${name} is ${path?.health === 'suspect' ? 'in doubt' : 'down'}${reason === '' ? '' : ` (${reason})`}`
}

/** A line for each path in order of preference, and one for the last switch. */
export function failoverBlock(failover: FailoverStatus, now: Date, zone: Zone, paint: Paint): string[] {
  const { mode, active, path, last_switch: last } = failover
  const span = formatSpan(now.getTime() - Date.parse(failover.since))
  const title = `failover: ${active === null ? paint('bad', 'no path') : `${paint('good', active)} for ${span}`}`
  const rows = Object.entries(path).map(([name, status]) => pathRow(name, status, paint))
  const switched = last && `${formatClock(new Date(last.at), now, zone)} ${switchText(last)}`
  return [
    `${title}${mode === 'auto' ? '' : ', pinned'}`,
    ...rows,
    ...(switched === null ? [] : [`  ${paint('quiet', 'last switch'.padEnd(12))}${switched}`]),
  ]
}

const TONES: Readonly<Record<PathStatus['health'], Tone>> = {
  up: 'good',
  suspect: 'busy',
  down: 'bad',
  unknown: 'quiet',
}

function pathRow(
  name: string,
  { health, readiness, reason, rtt_ms, loss, lost }: PathStatus,
  paint: Paint,
): string {
  const parts = [
    paint(TONES[health], health),
    readiness,
    rtt_ms === null ? '' : formatRtt(rtt_ms),
    loss === null ? '' : formatLoss(loss),
    health === 'up' && lost.length === 0 ? '' : reason,
  ]
  return `  ${paint('quiet', name.padEnd(12))}${name.length >= 12 ? ' ' : ''}${parts.filter((part) => part !== '').join(', ')}`
}

function switchText({ from, to, cause, outage_ms }: NonNullable<FailoverStatus['last_switch']>): string {
  const took = outage_ms === null ? '' : ` after ${(outage_ms / 1000).toFixed(2)} s`
  return `${from === null ? '' : `from ${from} `}to ${to}${took} (${cause})`
}
