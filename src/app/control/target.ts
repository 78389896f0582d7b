import type { PathHistory } from '../../core/failover/history.ts'
import type { Result } from '../../core/result.ts'
import type { DrillReport, StatusEvent } from '../../core/status/event.ts'
import type { Status } from '../../core/status/status.ts'
import type { Outcome, PlanReport, Refusal, ReloadReport } from '../answers.ts'
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
