import type { PathHistory } from '../../core/failover/history.ts'
import type { Result } from '../../core/result.ts'
import type { DrillReport, StatusEvent } from '../../core/status/event.ts'
import type { Status } from '../../core/status/status.ts'
import type { Cancel } from '../ports.ts'

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
  /** Names of the paths of failover in order of preference; empty without failover. */
  paths(): readonly string[]
  /** `path` is the name of a path, or `auto`. */
  use(path: string): Outcome
  /** Resolves when the traffic is back, or when it is clear that it will not come back soon. */
  drill(path: string | undefined): Promise<Result<DrillReport, Refusal>>
  /** The last 24 h of a path or tunnel; undefined if nothing is kept of it. */
  history(path: string): PathHistory | undefined
  /**
   * Reads the configuration again; a wrong one leaves the running one in place, and so does one without any tunnel where
   * tunnels run, unless `force`.
   */
  reload(force: boolean): Promise<Result<ReloadReport, Refusal>>
  plan(): Promise<Result<PlanReport, Refusal>>
}

/** What became of a command: nothing to say, or why it was not done. */
export type Outcome = Result<undefined, Refusal>

/** Why the daemon does not do what it was asked to. */
export interface Refusal {
  readonly code: 'config_invalid' | 'refused' | 'system'
  /** A sentence for users. */
  readonly message: string
  /** One line for each thing that is wrong. */
  readonly problems?: readonly string[]
}

/** What a reload changed, and what the new configuration is warned of; each line is for users. */
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
