import type { Status, UplinkStatus } from '../status.ts'

/** What status says of failover, where it is configured. */
export interface FailoverView {
  /** `auto`, `pinned`, or the pinned path's name. */
  readonly mode: string
  readonly active: string | null
  readonly problem: string | null
  readonly path: Readonly<Record<string, PathStatus>>
  readonly last_switch: SwitchStatus | null
}

export interface PathStatus {
  readonly health: string
  readonly readiness: string
  readonly rtt_ms: number | null
  /** Share, 0 to 1. */
  readonly loss: number | null
}

export interface SwitchStatus {
  readonly at: string
  readonly from: string | null
  readonly to: string | null
  readonly cause: string
  readonly outage_ms: number | null
}

export interface BudgetView {
  /** Octets. */
  readonly used: number
  readonly limit: number
  readonly period_start: string | null
}

export function failoverOf(status: Status): FailoverView | undefined {
  return (status as { readonly failover?: FailoverView | null }).failover ?? undefined
}

export function budgetOf(uplink: UplinkStatus): BudgetView | undefined {
  return (uplink as { readonly budget?: BudgetView | null }).budget ?? undefined
}
