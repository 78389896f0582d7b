import type { StatusEvent, ToldFailure } from '../status/event.ts'

/** A message on `<base>/event`; further keys are those of its type. */
export interface EventPayload {
  readonly event_type: string
  readonly at: string
  readonly [key: string]: unknown
}

/** Turns events of the status store into those that are published. */
export class EventTranslator {
  /** Traffic left a path that had failed, and has not come back. */
  #failedOver = false

  /** Undefined where an event says nothing that a broker is told. */
  translate({ seq: _seq, at, ...told }: StatusEvent): EventPayload | undefined {
    switch (told.event) {
      case 'state': {
        const { tunnel, state, from, cause } = told
        if (state === 'up') return { event_type: 'tunnel_up', at, tunnel }
        if (from !== 'up') return undefined
        const { code, message } = cause ?? ENDED_HERE
        return { event_type: 'tunnel_down', at, tunnel, code, cause: message }
      }
      case 'failed': {
        const { tunnel, code, message } = told
        return { event_type: 'tunnel_failed', at, tunnel, code, message }
      }
      case 'uplink': {
        const { uplink, state, from } = told
        if (state !== 'up' && from !== 'up') return undefined
        return { event_type: state === 'up' ? 'uplink_up' : 'uplink_down', at, uplink, state }
      }
      case 'failover': {
        const { event, ...fields } = told
        this.#failedOver = true
        return { event_type: event, at, ...fields }
      }
      case 'failback': {
        const { event: _event, ...fields } = told
        return { event_type: this.#comeBack(), at, ...fields }
      }
      case 'failback_failed': {
        const { event, ...fields } = told
        return { event_type: event, at, cause: `${fields.path} did not carry traffic after all`, ...fields }
      }
      case 'budget': {
        const { event: _event, ...fields } = told
        const cause = `${fields.percent} % of this month's volume of ${fields.uplink} are used`
        return { event_type: 'budget_warning', at, cause, ...fields }
      }
      default: {
        const { event, ...fields } = told
        return { event_type: event, at, ...fields }
      }
    }
  }

  /** After a start on a backup the better path comes up for the first time: nothing has failed, and nothing is back. */
  #comeBack(): string {
    const back = this.#failedOver
    this.#failedOver = false
    return back ? 'failback' : 'start'
  }
}

/** Without a failure somebody wanted it so: it stands by again, was switched off, or is dialled anew. */
const ENDED_HERE: Omit<ToldFailure, 'code'> & { readonly code: string } = {
  code: 'ended_here',
  message: 'lifeline ended the session itself',
}

/** Events that mean that traffic takes another path than before. */
export const PATH_CHANGES = ['failover', 'failback', 'manual', 'drill']

/** What the event entities of Home Assistant show: each switch and what came of it, tunnels, and volumes. */
export const SWITCH_EVENTS = [...PATH_CHANGES, 'failback_failed', 'start']
/** Types of the event entity of each tunnel. */
export const TUNNEL_EVENTS = ['tunnel_up', 'tunnel_down']
/** Types of the event entity of each uplink whose volume is counted. */
export const BUDGET_EVENTS = ['budget_warning']
