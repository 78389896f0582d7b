/** Tells the status store how a tunnel fares. */
import type { DialerState } from '../../core/client/dialer-state.ts'
import type { TunnelConfig } from '../../core/config/types.ts'
import type { NoUplink } from '../../core/failure.ts'
import type { StatusWriter } from '../status-store.ts'
import type { TunDevice } from '../tuns.ts'
import type { Session } from './session.ts'
import { type TunnelView, tunnelPatch } from './tunnel-status.ts'

/** The one writer of a tunnel's status. Each call replaces what it names and leaves the rest. */
export class TunnelReporter {
  readonly #tunnel: TunnelConfig
  readonly #status: StatusWriter
  /** It was told why there is nothing to dial over. */
  #stranded = false

  constructor(tunnel: TunnelConfig, status: StatusWriter) {
    this.#tunnel = tunnel
    this.#status = status
  }

  show(view: TunnelView): void {
    this.#status.tunnel(this.#tunnel.name, tunnelPatch(view))
  }

  /** Says once that there is no uplink, unless the loss of one was said. */
  explainWaiting(state: DialerState, reason: NoUplink): void {
    const stranded = state.name === 'stranded'
    if (stranded && !this.#stranded) this.#status.failed(this.#tunnel.name, reason)
    this.#stranded = stranded
  }

  uplinkLost(uplink: string): void {
    this.#status.failed(this.#tunnel.name, { code: 'uplink_lost', uplink })
    this.#stranded = true
  }

  statistics({ echo }: Session, device: TunDevice): void {
    const { rx, tx } = device.counters()
    const { rttMs: rtt_ms, loss, jitterMs: jitter_ms } = echo
    this.#status.tunnel(this.#tunnel.name, { rx, tx, rtt_ms, loss, jitter_ms })
  }
}
