import type { SwitchKind } from './types.ts'

/** What the traffic left the path for that it should be on, if not for a failure: it comes back for the same. */
export class Detour {
  #reason: 'manual' | 'drill' | undefined

  /** The kind of a switch that is made for `kind`; `back`: to a more preferred path. */
  switched(kind: SwitchKind, back: boolean): SwitchKind {
    const reason = this.#reason
    if (kind === 'manual' || kind === 'drill') this.#reason = kind
    else if (kind === 'failover' && !back) this.#reason = undefined
    if (!back || (kind !== 'failover' && kind !== 'failback')) return kind
    this.#reason = undefined
    return reason ?? 'failback'
  }
}
