import { HistoryRecord, type PathHistory } from '../core/failover/history.ts'
import type { HealthChange, ProbeSample } from '../core/failover/probing.ts'
import type { Clock } from './ports.ts'

/** What happened on each path in the last 24 h, over reloads. */
export class Histories {
  readonly #clock: Clock
  readonly #records = new Map<string, HistoryRecord>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The paths that there are now: others are forgotten. */
  keep(paths: readonly string[]): void {
    for (const path of [...this.#records.keys()]) if (!paths.includes(path)) this.#records.delete(path)
    for (const path of paths) if (!this.#records.has(path)) this.#records.set(path, new HistoryRecord(path))
  }

  sample(path: string, { rttMs, late }: ProbeSample): void {
    this.#records.get(path)?.sample(this.#clock.now(), rttMs, late)
  }

  /** A missed probe alone, `suspect`, is in the loss already. */
  health(path: string, { health, reason }: HealthChange): void {
    if (health === 'suspect') return
    this.#records.get(path)?.event(this.#clock.now(), 'health', `${health}: ${reason}`)
  }

  switched(kind: string, from: string | undefined, to: string, cause: string): void {
    const text = from === undefined ? `${kind} on ${to}` : `${kind} from ${from} to ${to}: ${cause}`
    for (const path of from === undefined ? [to] : [from, to])
      this.#records.get(path)?.event(this.#clock.now(), kind, text)
  }

  read(path: string): PathHistory | undefined {
    return this.#records.get(path)?.read(this.#clock.now(), this.#clock.wall())
  }
}
