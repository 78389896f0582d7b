import { HistoryRecord, type PathHistory } from '../../core/failover/history.ts'
import type { HealthChange, ProbeSample } from '../../core/failover/probing.ts'
import type { StatusEvent } from '../../core/status/event.ts'
import { after, millis } from '../../core/time.ts'
import type { Cancel, Clock, StateFiles } from '../ports.ts'
import { decodeHistories, encodeHistories, type SavedHistories } from './histories-file.ts'

const FILE = 'history.json'
/** Flash wears: what a crash takes along is six hours at most, and an orderly stop loses nothing. */
const SAVE_INTERVAL = millis(6 * 3_600_000)

/** What histories take: the time, and the files that keep them over a restart. */
export interface HistoriesPorts {
  readonly clock: Clock
  readonly files: StateFiles
}

/** What happened on each path and tunnel in the last 24 h, over reloads and restarts. */
export class Histories {
  readonly #clock: Clock
  readonly #files: StateFiles
  readonly #records = new Map<string, HistoryRecord>()
  /** Those that no path of failover is: their own echoes and states are what is known. */
  #tunnels: ReadonlySet<string> = new Set()
  #saved: SavedHistories | undefined
  #cancel: Cancel | undefined

  constructor({ clock, files }: HistoriesPorts) {
    this.#clock = clock
    this.#files = files
    this.#saved = decodeHistories(files.read(FILE))
  }

  /** The paths of failover, and all tunnels, that there are now: others are forgotten. */
  keep(paths: readonly string[], tunnels: readonly string[]): void {
    this.#tunnels = new Set(tunnels.filter((name) => !paths.includes(name)))
    const names = [...paths, ...this.#tunnels]
    for (const name of [...this.#records.keys()]) if (!names.includes(name)) this.#records.delete(name)
    for (const name of names) if (!this.#records.has(name)) this.#records.set(name, this.#restored(name))
    this.#saved = undefined
    this.#cancel ??= this.#clock.alarm(after(this.#clock.now(), SAVE_INTERVAL), () => this.#saveAgain())
  }

  sample(path: string, { rttMs, late }: ProbeSample): void {
    this.#records.get(path)?.sample(this.#clock.now(), rttMs, late)
  }

  /** An LCP echo: what is known of tunnels that are not probed. */
  echo(tunnel: string, echo: ProbeSample): void {
    if (this.#tunnels.has(tunnel)) this.sample(tunnel, echo)
  }

  /** What a tunnel that is not probed tells of itself. */
  told(told: StatusEvent): void {
    if ((told.event !== 'failed' && told.event !== 'state') || !this.#tunnels.has(told.tunnel)) return
    const record = this.#records.get(told.tunnel)
    const now = this.#clock.now()
    if (told.event === 'failed') record?.event(now, told.event, told.message)
    else if (told.state === 'up') record?.event(now, told.event, 'up')
    else if (told.from === 'up') record?.event(now, told.event, 'no longer up')
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

  /** At an orderly stop: all of it is kept, and nothing is timed any more. */
  close(): void {
    this.#cancel?.()
    this.#save()
  }

  #saveAgain(): void {
    this.#save()
    this.#cancel = this.#clock.alarm(after(this.#clock.now(), SAVE_INTERVAL), () => this.#saveAgain())
  }

  #save(): void {
    const now = this.#clock.now()
    const wall = this.#clock.wall()
    const saved = [...this.#records].map(([name, record]) => [name, record.save(now, wall)] as const)
    this.#files.write(FILE, encodeHistories({ at: wall.getTime(), records: new Map(saved) }))
  }

  #restored(name: string): HistoryRecord {
    const record = new HistoryRecord(name)
    const saved = this.#saved?.records.get(name)
    if (this.#saved === undefined || saved === undefined) return record
    // A clock that stands before the last save is wrong, as that of a router without a battery: then it was just now.
    const end = Math.max(this.#clock.wall().getTime(), this.#saved.at)
    record.restore(saved, this.#clock.now(), end)
    return record
  }
}
