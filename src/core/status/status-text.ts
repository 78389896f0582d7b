import { formatLoss, formatOctets, formatRtt, formatSpan, UTC, type Zone } from '../amounts.ts'
import type { FailureCode } from '../failure.ts'
import type { Paint, Tone } from '../paint.ts'
import { backupClause, failoverBlock, failoverClause, standbyClauses } from './failover-text.ts'
import type { FailoverStatus, Status, Traffic, TunnelStatus, UplinkStatus } from './status.ts'

/**
 * The state of things in one sentence: how the internet is reached, and what the first tunnel that is not up waits for.
 * `now` is the wall clock; `zone` the user's.
 */
export function statusSentence(status: Status, now: Date, zone: Zone = UTC): string {
  const { failover, internet } = status
  const tunnels = Object.entries(status.tunnel)
  if (tunnels.length === 0 && failover === null) return 'No tunnel is configured.'
  const troubled = tunnels.filter(
    ([name, tunnel]) => tunnel.state !== 'up' && !standsBy(name, tunnel, failover),
  )
  const active = troubled.filter(([, tunnel]) => tunnel.state !== 'disabled')
  const told = active.length > 0 ? active : internet.path === null ? troubled : []
  const [first, ...others] = told
  const main = failover && failoverClause(status, failover, now, zone)
  const clauses = [main ?? internetClause(status, now)]
  const backup = failover && backupClause(failover, now)
  if (backup) clauses.push(backup)
  if (failover !== null) clauses.push(...standbyClauses(failover))
  if (first !== undefined) clauses.push(tunnelClause(first[0], first[1], now))
  for (const [name, { state, problem, ipv4 }] of tunnels)
    if (state === 'up' && problem !== null && ipv4.address === null)
      clauses.push(`the tunnel ${name} is up, but ${problem}`)
  if (others.length > 0)
    clauses.push(`${others.length} more ${others.length === 1 ? 'tunnel is' : 'tunnels are'} not up`)
  return `${clauses.join('; ')}.`
}

/** A tunnel that need not be up, as another path of failover is in use, and that is not in trouble either. */
function standsBy(name: string, tunnel: TunnelStatus, failover: FailoverStatus | null): boolean {
  const path = failover && Object.hasOwn(failover.path, name) ? failover.path[name] : undefined
  if (path === undefined || failover === null || failover.active === null) return false
  return failover.active !== name && tunnel.retry_at === null
}

function internetClause({ internet, tunnel, failover }: Status, now: Date): string {
  const { path, state } = internet
  // A device that nobody named may have a default route all the same.
  if (path === null) return failover === null ? 'No tunnel and no known uplink is up' : 'There is no internet'
  const span = `for ${formatSpan(now.getTime() - Date.parse(internet.since))}`
  if (Object.hasOwn(tunnel, path)) {
    const addresses = [internet.ipv4, internet.ipv6].filter((address) => address !== null).join(' and ')
    const as = addresses === '' ? '' : ` as ${addresses}`
    return `The internet is reached through ${state === 'backup' ? 'the backup tunnel' : 'the tunnel'} ${path}${as}, ${span}`
  }
  return state === 'ok' || failover !== null
    ? `The internet is reached over ${path}`
    : `The internet is reached over ${path} without a tunnel, ${span}`
}

/** What a tunnel that is not up does. */
function tunnelClause(name: string, tunnel: TunnelStatus, now: Date): string {
  const why = tunnel.last_error === null ? '' : ` (${tunnel.last_error.message})`
  switch (tunnel.state) {
    case 'disabled':
      return `the tunnel ${name} is switched off`
    case 'waiting': {
      if (tunnel.retry_at !== null)
        return `the tunnel ${name} dials again ${inSpan(tunnel.retry_at, now)}${why}`
      const causes: readonly FailureCode[] = ['no_uplink', 'uplink_lost']
      const about = causes.some((code) => code === tunnel.last_error?.code)
      return `the tunnel ${name} waits for an uplink${about ? why : ''}`
    }
    case 'resolving':
      return `the tunnel ${name} looks up the address of its server${why}`
    case 'dialling':
      return `the tunnel ${name} dials${tunnel.server === null ? '' : ` ${tunnel.server}`}${why}`
    case 'authenticating':
      return `the tunnel ${name} logs in${why}`
    case 'configuring':
      return tunnel.problem === null
        ? `the tunnel ${name} is being given its addresses${why}`
        : `the tunnel ${name} is of no use (${tunnel.problem})`
    case 'closing':
      return `the tunnel ${name} hangs up`
    case 'up':
      return `the tunnel ${name} is up`
  }
}

/** The whole status as text for people: the sentence, then a block for each tunnel and a line for each uplink. */
export function statusText(
  status: Status,
  now: Date,
  paint: Paint = (_tone, text) => text,
  zone: Zone = UTC,
): string {
  const blocks = Object.entries(status.tunnel).map(([name, tunnel]) => {
    const calm = tunnel.state === 'waiting' && standsBy(name, tunnel, status.failover)
    const state = calm ? paint('quiet', 'stands by') : paint(TONES[tunnel.state], tunnel.state)
    return tunnelBlock(`tunnel ${name}: ${state}`, tunnel, now, paint)
  })
  const uplinks = Object.entries(status.uplink).map(([name, uplink]) => uplinkLine(name, uplink, paint))
  if (status.failover !== null) blocks.unshift(failoverBlock(status.failover, now, zone, paint))
  if (uplinks.length > 0) blocks.push(uplinks)
  return [[statusSentence(status, now, zone)], ...blocks].map((lines) => `${lines.join('\n')}\n`).join('\n')
}

function tunnelBlock(heading: string, tunnel: TunnelStatus, now: Date, paint: Paint): string[] {
  const span = formatSpan(now.getTime() - Date.parse(tunnel.since))
  const rows: [string, string][] = []
  const add = (label: string, ...values: readonly (string | null | undefined)[]) => {
    const text = values.filter((value) => value !== null && value !== undefined && value !== '').join(', ')
    if (text !== '') rows.push([label, text])
  }
  add(
    'device',
    tunnel.device,
    tunnel.uplink && `over ${tunnel.uplink}`,
    tunnel.datapath && `data path ${tunnel.datapath}`,
  )
  add(
    'server',
    tunnel.server,
    tunnel.peer.host_name && `calls itself ${tunnel.peer.host_name}`,
    tunnel.peer.vendor,
  )
  add(
    'retry',
    tunnel.retry_at && inSpan(tunnel.retry_at, now),
    // The first dial is no retry, and a standby whose LNS answered waits for nothing.
    tunnel.retry_at !== null || (tunnel.attempts > 1 && tunnel.state !== 'waiting')
      ? `${tunnel.attempts} tried`
      : '',
  )
  add('problem', tunnel.problem)
  add('IPv4', tunnel.ipv4.address, tunnel.ipv4.peer && `peer ${tunnel.ipv4.peer}`, none(tunnel.ipv4.reason))
  add('IPv6', ...tunnel.ipv6.addresses, none(tunnel.ipv6.reason))
  for (const sentence of tunnel.refused) add('refused', sentence)
  add('DNS', ...tunnel.dns)
  add(
    'session',
    ids(tunnel),
    tunnel.auth && `login by ${tunnel.auth}`,
    tunnel.mtu === null ? '' : `MTU ${tunnel.mtu}`,
  )
  add(
    'round trip',
    tunnel.rtt_ms === null ? '' : formatRtt(tunnel.rtt_ms),
    tunnel.loss === null ? '' : formatLoss(tunnel.loss),
  )
  if (tunnel.state === 'up' || tunnel.rx.packets + tunnel.tx.packets > 0) {
    add('received', traffic(tunnel.rx))
    add('sent', traffic(tunnel.tx))
  }
  const error = tunnel.last_error
  add('last error', error && `${agoSpan(error.at, now)}: ${error.message}`)
  return [
    `${heading} for ${span}`,
    ...rows.map(([label, text]) => `  ${paint('quiet', label.padEnd(12))}${text}`),
  ]
}

const TONES: Readonly<Record<TunnelStatus['state'] | UplinkStatus['state'], Tone>> = {
  disabled: 'quiet',
  waiting: 'bad',
  resolving: 'busy',
  dialling: 'busy',
  authenticating: 'busy',
  configuring: 'busy',
  up: 'good',
  closing: 'busy',
  absent: 'bad',
  down: 'bad',
  no_address: 'bad',
}

/** Where there is no address. */
function none(reason: string | null): string {
  return reason === null ? '' : `none (${reason})`
}

function uplinkLine(name: string, uplink: UplinkStatus, paint: Paint): string {
  const device = uplink.device === name ? '' : ` on ${uplink.device}`
  // It has addresses then, but not that which it is to send from.
  const lacking = uplink.state === 'no_address' && uplink.addresses.length > 0
  const addresses =
    uplink.addresses.length === 0 ? '' : `,${lacking ? ' but' : ''} ${uplink.addresses.join(', ')}`
  const state = lacking
    ? 'not the address of option source'
    : uplink.state === 'no_address'
      ? 'no address'
      : uplink.state
  return `uplink ${name}${device}: ${paint(TONES[uplink.state], state)}${addresses}${budget(uplink.budget)}`
}

function budget(status: UplinkStatus['budget']): string {
  if (status === null) return ''
  const { used, limit, period_start: since } = status
  const share = limit === null ? '' : ` of ${formatOctets(limit)} (${Math.floor((used / limit) * 100)} %)`
  return `, ${formatOctets(used)}${share} used${since === null ? '' : ` since ${since}`}`
}

function ids({ local, peer }: TunnelStatus): string {
  if (local.tunnel_id === null) return ''
  const pair = (side: TunnelStatus['local']) => `${side.tunnel_id ?? '-'}/${side.session_id ?? '-'}`
  return `local ${pair(local)} peer ${pair(peer)}`
}

function traffic({ packets, octets, dropped }: Traffic): string {
  return `${formatOctets(octets)} in ${packets} ${packets === 1 ? 'packet' : 'packets'}${dropped === 0 ? '' : `, ${dropped} dropped`}`
}

function inSpan(at: string, now: Date): string {
  const left = Date.parse(at) - now.getTime()
  return left < 500 ? 'now' : `in ${formatSpan(left)}`
}

function agoSpan(at: string, now: Date): string {
  return `${formatSpan(now.getTime() - Date.parse(at))} ago`
}
