import type { ProbeTarget } from '../config/types.ts'
import type { Family } from '../ip/address.ts'

/** `suspect`: a probe was missed, nothing is decided; `unknown`: nothing was heard yet, for or against. */
export type Health = 'up' | 'suspect' | 'down' | 'unknown'

/** The same of one address family; `none`: the path has no address of it. */
export type FamilyState = Health | 'none'

/** Which interval applies: the configured one, or the sparing one of a metered path that only stands by. */
export type Pace = 'normal' | 'sparing'

/** One question to a target, to be sent now. */
export interface Probe {
  /** 1..65535; odd for IPv4, even for IPv6. */
  readonly id: number
  readonly target: ProbeTarget
}

/** What the health of a path has become, and why. */
export interface HealthChange {
  readonly health: Health
  /** In words, fit to follow a colon. */
  readonly reason: string
}

/** Whether both say the same; why is part of it only where it is down. */
export function sameHealth(one: HealthChange, other: HealthChange): boolean {
  return one.health === other.health && (one.health !== 'down' || one.reason === other.reason)
}

/** One outcome, for the history. */
export interface ProbeSample {
  /** Undefined: lost. */
  readonly rttMs: number | undefined
  /** The answer to a round that was told as lost before, which it was not. */
  readonly late?: boolean
}

/** Every family, the one that people mean by "the internet" first. */
export const FAMILIES: readonly Family[] = [4, 6]

/** One text for one target, for maps and files: `icmp:192.0.2.1`, `tcp:192.0.2.1:443`. */
export function targetKey(target: ProbeTarget): string {
  const port = target.kind === 'icmp' ? '' : `:${target.port}`
  const host = target.address.includes(':') && port !== '' ? `[${target.address}]` : target.address
  return `${target.kind}:${host}${port}`
}
