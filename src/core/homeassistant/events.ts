import type { StatusEvent } from '../status.ts'

/** A message on `<base>/event`; further keys are those of its type. */
export interface EventPayload {
  readonly event_type: string
  readonly at: string
  readonly [key: string]: unknown
}

/** Turns events of the status store into those that are published. */
export class EventTranslator {
  /** Why each tunnel is about to go down, or went. */
  readonly #causes = new Map<string, { readonly code: unknown; readonly message: unknown }>()

  /** Undefined where an event says nothing that a broker is told. */
  translate({ seq: _seq, at, event, ...fields }: StatusEvent): EventPayload | undefined {
    switch (event) {
      case 'state':
        return this.#tunnelState(at, fields)
      case 'failed': {
        const { tunnel, code, message } = fields
        if (tunnel !== undefined) this.#causes.set(tunnel, { code, message })
        return { event_type: 'tunnel_failed', at, tunnel, code, message }
      }
      case 'uplink': {
        const { uplink, state, from } = fields
        if (state !== 'up' && from !== 'up') return undefined
        return { event_type: state === 'up' ? 'uplink_up' : 'uplink_down', at, uplink, state }
      }
      case 'budget':
        return { event_type: 'budget_warning', at, ...fields }
      default:
        return { event_type: event, at, ...fields }
    }
  }

  #tunnelState(at: string, { tunnel = '', state, from }: Partial<StatusEvent>): EventPayload | undefined {
    if (state === 'up') {
      this.#causes.delete(tunnel)
      return { event_type: 'tunnel_up', at, tunnel }
    }
    if (from !== 'up') return undefined
    const { code = null, message = null } = this.#causes.get(tunnel) ?? {}
    return { event_type: 'tunnel_down', at, tunnel, code, cause: message }
  }
}

/** Events that mean that traffic takes another path than before. */
export const PATH_CHANGES = ['failover', 'failback', 'manual', 'drill']
/** Changes of the path by themselves, which Home Assistant shows as an event entity. */
export const SWITCH_EVENTS = ['failover', 'failback']
