/** What the hooks of the user are told about an event of the status store. */
import { pathAddresses, type Status, type StatusEvent } from './status/status.ts'

/** One event for the hooks, with its variables. */
export interface HookEvent {
  readonly name: string
  /** All variables are always there; what does not apply is empty. No value holds a control character. */
  readonly environment: Readonly<Record<`LIFELINE_${string}`, string>>
}

/** Turns events of the status store into those of hooks. It remembers why tunnels fail, to tell it when one goes down. */
export class HookEvents {
  readonly #causes = new Map<string, string>()

  /** `status` is that of the instant of the event. Undefined where hooks are not told. */
  translate(event: StatusEvent, status: Status): HookEvent | undefined {
    const told = this.#told(event)
    if (told === undefined) return undefined
    const { name, path = '', previous = '', cause = '', outage = '' } = told
    const { ipv4, ipv6 } = pathAddresses(path, status)
    const device = status.tunnel[path]?.device ?? status.uplink[path]?.device ?? ''
    const values = {
      LIFELINE_EVENT: name,
      LIFELINE_AT: event.at,
      LIFELINE_NODE: status.node,
      LIFELINE_PATH: path,
      LIFELINE_PREVIOUS_PATH: previous,
      LIFELINE_DEVICE: device,
      LIFELINE_IPV4: ipv4 ?? '',
      LIFELINE_IPV6: ipv6 ?? '',
      LIFELINE_CAUSE: cause,
      LIFELINE_OUTAGE_MS: outage,
    }
    const environment = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, withoutControls(value)]),
    )
    return { name, environment }
  }

  #told(event: StatusEvent): Told | undefined {
    switch (event.event) {
      case 'start':
      case 'failover':
      case 'failback':
      case 'manual':
      case 'drill':
        return {
          name: event.event,
          path: text(event.to),
          previous: text(event.from),
          cause: text(event.cause),
          outage: text(event.outage_ms),
        }
      case 'failback_failed':
      case 'drill_ended':
        return { name: event.event, path: text(event.path), outage: text(event.outage_ms) }
      case 'budget':
        return {
          name: 'budget',
          path: text(event.uplink),
          cause: `${text(event.percent)} % of this month's budget is used`,
        }
      case 'state':
        return this.#tunnelState(event)
      case 'failed':
        this.#causes.set(text(event.tunnel), text(event.message))
        return undefined
      case 'uplink': {
        const { state, from } = event
        const path = text(event.uplink)
        if (state === 'up') return { name: 'uplink_up', path }
        return from === 'up' ? { name: 'uplink_down', path, cause: UPLINK_CAUSES[text(state)] } : undefined
      }
      case 'internet': {
        const path = text(event.path)
        if (event.from === 'down') return { name: 'internet_up', path }
        return event.state === 'down' ? { name: 'internet_down', path } : undefined
      }
      default:
        return undefined
    }
  }

  #tunnelState({ tunnel = '', state, from }: StatusEvent): Told | undefined {
    if (state === 'up') {
      this.#causes.delete(tunnel)
      return { name: 'tunnel_up', path: tunnel }
    }
    return from === 'up' ? { name: 'tunnel_down', path: tunnel, cause: this.#causes.get(tunnel) } : undefined
  }
}

interface Told {
  readonly name: string
  readonly path?: string
  readonly previous?: string
  readonly cause?: string | undefined
  readonly outage?: string
}

const UPLINK_CAUSES: Readonly<Record<string, string>> = {
  absent: 'the device is gone',
  down: 'lost carrier',
  no_address: 'has no address',
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** A peer's words must not end a value early, nor speak to a terminal. */
function withoutControls(value: string): string {
  return Array.from(value, (character) => (/\p{Cc}/u.test(character) ? ' ' : character)).join('')
}
