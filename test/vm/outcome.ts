import type { Status, TunnelStatus } from '../../src/core/status/status.ts'

/** What came of one dial, as the daemon tells it, or as the network shows. */
export interface Outcome {
  readonly tunnel: TunnelStatus
  readonly status: Status
  /** What `lifeline status` prints; empty where several share a daemon. */
  readonly text: string
  /** Pings that are as large as the tunnel says it can carry come back from the other end. */
  readonly carries: boolean
}
