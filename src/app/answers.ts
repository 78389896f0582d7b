/** What the daemon answers to whoever asks something of it: the control socket, MQTT, the command line. */
import type { Result } from '../core/result.ts'

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
