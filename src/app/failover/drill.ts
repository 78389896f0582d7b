import { err, ok, type Result } from '../../core/result.ts'
import type { DrillReport } from '../../core/status/event.ts'
import { trouble } from '../../core/status/failover-text.ts'
import { after, type Millis } from '../../core/time.ts'
import type { Refusal } from '../answers.ts'
import type { Cancel, Clock } from '../ports.ts'
import type { FailoverPatch } from '../status-store.ts'

/** How long the path counts as dead, in ms. */
export const DRILL_SPAN = 15_000
/** How long after that the traffic gets to come back, in ms: the fail-back delay is not waited for. */
const RETURN_LIMIT = 15_000

/** One drill under way: told what happens to the paths, it measures and reports. */
export class Drill {
  readonly path: string
  readonly #clock: Clock
  readonly #done: (report: DrillReport) => void
  readonly #startedAt: Millis
  readonly #cancel: Cancel
  #to: string | null = null
  #outage: number | null = null
  #leftAt: Millis | undefined
  #finished = false

  /** `done` is called once. */
  constructor(path: string, clock: Clock, done: (report: DrillReport) => void) {
    this.path = path
    this.#clock = clock
    this.#done = done
    this.#startedAt = clock.now()
    this.#cancel = clock.alarm(after(this.#startedAt, DRILL_SPAN + RETURN_LIMIT), () => this.#finish(null))
  }

  /** The kernel sends the traffic over this path from now on. */
  routed(path: string): void {
    if (path === this.path) this.#leftAt = this.#to === null ? undefined : this.#clock.now()
    else this.#to ??= path
  }

  /** A probe was answered over this path. */
  answered(path: string): void {
    const now = this.#clock.now()
    if (path === this.#to && this.#outage === null) this.#outage = Math.round(now - this.#startedAt)
    if (path === this.path && this.#leftAt !== undefined) this.#finish(Math.round(now - this.#leftAt))
  }

  /** Ends it without waiting any longer. */
  abandon(): void {
    this.#finish(null)
  }

  #finish(returned: number | null): void {
    if (this.#finished) return
    this.#finished = true
    this.#cancel()
    this.#done({ path: this.path, to: this.#to, outage_ms: this.#outage, return_ms: returned, standby: null })
  }
}

/** Instead of a drill of the active path that would only cut the internet off; undefined where something can take over. */
export function spared(path: string, { mode, backup, path: paths }: FailoverPatch): DrillReport | undefined {
  const why = spareReason(path, mode, backup ?? null, paths)
  if (why === undefined) return undefined
  const message = `No drill of ${path} was made, as nothing could take over: ${why}.`
  return { path, to: null, outage_ms: null, return_ms: null, standby: { ok: false, message } }
}

function spareReason(
  path: string,
  mode: string | undefined,
  backup: NonNullable<FailoverPatch['backup']> | null,
  paths: FailoverPatch['path'],
): string | undefined {
  if (mode === path) return 'it is pinned (lifeline use auto lets others take over)'
  if (backup === null) return 'there is no other path'
  return backup.ready === false ? trouble(backup.path, paths?.[backup.path]) : undefined
}

/** What is told to who asked: a standby that does not work, and a path that nobody took over from, are failures. */
export function drillOutcome(report: DrillReport): Result<DrillReport, Refusal> {
  const refused = (message: string) => err<Refusal>({ code: 'refused', message })
  if (report.standby !== null) return report.standby.ok ? ok(report) : refused(report.standby.message)
  if (report.to !== null) return ok(report)
  return refused(`${report.path} was treated as dead, and no other path took over.`)
}
