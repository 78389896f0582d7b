/** What the hooks of the user are told about an event of the status store. */
import { unreachable } from './result.ts'
import type { StatusEvent } from './status/event.ts'
import { pathAddresses, type Status, type UplinkStatus } from './status/status.ts'

/** One event for the hooks, with its variables. */
export interface HookEvent {
  readonly name: string
  /** All variables are always there; what does not apply is empty. No value holds a control character. */
  readonly environment: Readonly<Record<`LIFELINE_${string}`, string>>
}

/** An event of the status store as hooks are told of it; `status` is that of its instant. Undefined where they are not. */
export function hookEvent(event: StatusEvent, status: Status): HookEvent | undefined {
  const told = toldOf(event)
  if (told === undefined) return undefined
  const { name, path, previous, cause, outage } = told
  const { ipv4, ipv6 } = pathAddresses(path ?? '', status)
  const values = {
    LIFELINE_EVENT: name,
    LIFELINE_AT: event.at,
    LIFELINE_NODE: status.node,
    LIFELINE_PATH: path,
    LIFELINE_PREVIOUS_PATH: previous,
    LIFELINE_DEVICE: path && (status.tunnel[path]?.device ?? status.uplink[path]?.device),
    LIFELINE_IPV4: ipv4,
    LIFELINE_IPV6: ipv6,
    LIFELINE_CAUSE: cause,
    LIFELINE_OUTAGE_MS: outage?.toString(),
  }
  const environment = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, withoutControls(value ?? '')]),
  )
  return { name, environment }
}

function toldOf(event: StatusEvent): Told | undefined {
  switch (event.event) {
    case 'start':
    case 'failover':
    case 'failback':
    case 'manual':
    case 'drill': {
      const { event: name, from, to, cause, outage_ms } = event
      return { name, path: to, previous: from, cause, outage: outage_ms }
    }
    case 'failback_failed':
      return { name: event.event, path: event.path }
    case 'drill_ended':
      return { name: event.event, path: event.path, outage: event.outage_ms }
    case 'budget':
      return {
        name: event.event,
        path: event.uplink,
        cause: `${event.percent} % of this month's budget is used`,
      }
    case 'state': {
      const { state, from, tunnel: path, cause } = event
      if (state === 'up') return { name: 'tunnel_up', path }
      return from === 'up' ? { name: 'tunnel_down', path, cause: cause?.message } : undefined
    }
    case 'uplink': {
      const { state, from, uplink: path } = event
      if (state === 'up') return { name: 'uplink_up', path }
      return from === 'up' ? { name: 'uplink_down', path, cause: UPLINK_CAUSES[state] } : undefined
    }
    case 'internet': {
      const { state, from, path } = event
      if (from === 'down') return { name: 'internet_up', path }
      return state === 'down' ? { name: 'internet_down', path } : undefined
    }
    case 'failed':
    case 'standby_checked':
    case 'reloaded':
      return undefined
    default:
      unreachable(event)
  }
}

/** What does not apply is left out, or null. */
interface Told {
  readonly name: string
  readonly path?: string | null
  readonly previous?: string | null
  readonly cause?: string | undefined
  readonly outage?: number | null
}

const UPLINK_CAUSES: Readonly<Record<Exclude<UplinkStatus['state'], 'up'>, string>> = {
  absent: 'the device is gone',
  down: 'lost carrier',
  no_address: 'has no address',
}

/** A peer's words must not end a value early, nor speak to a terminal. */
function withoutControls(value: string): string {
  return Array.from(value, (character) => (/\p{Cc}/u.test(character) ? ' ' : character)).join('')
}
