import type { Result } from '../core/result.ts'
import type { Status, StatusEvent } from '../core/status.ts'
import type { Cancel } from './ports.ts'

/** What the control socket (and later ubus and MQTT) asks of the daemon. */
export interface ControlTarget {
  status(): Status
  /** The last events, oldest first. */
  events(): readonly StatusEvent[]
  /** Tells about every event from now on, and about nothing that went before. */
  follow(listener: (event: StatusEvent) => void): Cancel
  /** `tunnel` is the name of a configured tunnel. */
  up(tunnel: string): Outcome
  down(tunnel: string): Outcome
  reconnect(tunnel: string): Outcome
  /** Reads the configuration again; a wrong one leaves the running one in place. */
  reload(): Promise<Result<ReloadReport, Refusal>>
  plan(): Promise<Result<PlanReport, Refusal>>
}

export type Outcome = Result<undefined, Refusal>

/** Why the daemon does not do what it was asked to. */
export interface Refusal {
  readonly code: 'config_invalid' | 'refused' | 'system'
  /** A sentence for users. */
  readonly message: string
  /** One line for each thing that is wrong. */
  readonly problems?: readonly string[]
}

export interface ReloadReport {
  /** One line for each section that is new, changed or gone; empty if nothing changed. */
  readonly changes: readonly string[]
  readonly warnings: readonly string[]
}

/** What would change in the kernel. */
export interface PlanReport {
  /** One line for each change, in the order in which it would be made, such as `add address 192.0.2.1/32 dev l2tp-x`. */
  readonly changes: readonly string[]
  /** The nftables text that would be loaded; empty if none. */
  readonly nft: string
  readonly warnings: readonly string[]
}
