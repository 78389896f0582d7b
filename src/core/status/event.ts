/** What happens: told once, to `lifeline events`, hooks and MQTT. */

import type { BudgetWarning } from '../failover/budget.ts'
import type { SwitchKind } from '../failover/types.ts'
import type { FailureCode } from '../failure.ts'
import type { InternetStatus, SwitchStatus, TunnelState, UplinkStatus } from './status.ts'

/** What an event of each kind tells. It is a contract: kinds and fields are only added. No field holds a secret. */
export interface EventFields extends Readonly<Record<SwitchKind, Omit<SwitchStatus, 'at'>>> {
  /** A tunnel is in another state. `cause`: the latest failure in the one before; null: nothing failed, somebody wanted it so. */
  state: {
    readonly tunnel: string
    readonly state: TunnelState
    readonly from: TunnelState
    readonly cause: ToldFailure | null
  }
  /** A dial failed or a session ended. */
  failed: ToldFailure & { readonly tunnel: string }
  uplink: {
    readonly uplink: string
    readonly state: UplinkStatus['state']
    readonly from: UplinkStatus['state']
  }
  internet: Pick<InternetStatus, 'state' | 'path'> & { readonly from: InternetStatus['state'] }
  /** The path did not carry traffic after all; `next_delay_ms`: how long it has to be well before it is tried again. */
  failback_failed: { readonly path: string; readonly next_delay_ms: number }
  /** Of the volume that an uplink may carry in this month. */
  budget: BudgetWarning & { readonly uplink: string }
  drill_ended: DrillReport
  /** A path that stands by was tested. */
  standby_checked: { readonly path: string; readonly ok: boolean; readonly message: string }
  /** The configuration was; each change in words. */
  reloaded: { readonly changes: readonly string[] }
}

/** A failure in a code for programs and in words. */
export interface ToldFailure {
  readonly code: FailureCode
  readonly message: string
}

/** What an event is called. */
export type EventKind = keyof EventFields

/** Something that happened, or one of these kinds of it. */
export type Happening<Kind extends EventKind = EventKind> = {
  [Each in Kind]: EventFields[Each] & { readonly event: Each }
}[Kind]

/** The same with its place and its time. */
export type StatusEvent<Kind extends EventKind = EventKind> = Happening<Kind> & {
  /** Counts up by one from 1 at the daemon's start. */
  readonly seq: number
  /** ISO 8601 in UTC. */
  readonly at: string
}

/** What became of a drill. */
export interface DrillReport {
  /** The path that was treated as dead. */
  readonly path: string
  /** The path that carried the traffic meanwhile; null if none did. */
  readonly to: string | null
  /** From the beginning until a probe was answered over the other path, in ms; null if none was. */
  readonly outage_ms: number | null
  /** The same for going back; null if the traffic did not come back in time. */
  readonly return_ms: number | null
  /** What was found of a path that carried no traffic: it was tested instead. Null for the one that did. */
  readonly standby: { readonly ok: boolean; readonly message: string } | null
}
