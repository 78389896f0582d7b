import type { Config } from '../core/config/types.ts'

/** A configuration that was read, and what was noticed about it. */
export interface ReadyConfig {
  readonly config: Config
  readonly warnings: readonly string[]
}
