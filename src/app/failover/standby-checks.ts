import type { Zone } from '../../core/amounts.ts'
import type { Readiness } from '../../core/client/dialer-state.ts'
import type { FailoverConfig } from '../../core/config/types.ts'
import { CheckSchedule } from '../../core/failover/check-schedule.ts'
import type { Sharing } from '../../core/failover/sharing.ts'
import type { ActiveRoute, PathPlan } from '../../core/failover/types.ts'
import type { Family } from '../../core/ip/address.ts'
import type { DrillReport } from '../../core/status/event.ts'
import type { Cancel, Clock, Log } from '../ports.ts'
import type { FailoverPatch, StatusWriter } from '../status-store.ts'
import type { Supervisor } from '../tunnel/supervisor.ts'
import type { PathWatcher } from './path-watcher.ts'
import { type StandbyFound, testStandby } from './standby-test.ts'

/** What the checks of standbys want of the system and of its neighbours, whatever the configuration. */
export interface StandbyChecksPorts {
  readonly clock: Clock
  readonly status: StatusWriter
  readonly log: Log
  /** Of the machine, for times that users write. */
  readonly zone: Zone
}

/** Which standbys are checked when, and how one gets at them. */
export interface StandbyChecksOptions {
  readonly plans: readonly PathPlan[]
  readonly when: FailoverConfig['standbyCheck']
  /** Which paths have the same address. */
  sharing(): Sharing
  watcher(name: string): PathWatcher | undefined
  supervisor(name: string): Pick<Supervisor, 'path' | 'want' | 'afresh'> | undefined
  /** How ready a tunnel is to be. */
  wanted(name: string): Readiness
  /** Uplinks whose budget is spent. */
  cutOff(): ReadonlySet<string>
  active(): ActiveRoute | undefined
  /** All is well, and nothing going on that a test would disturb. */
  calm(): boolean
  /** What is known of a path has changed, by this test if it is given. */
  onVerdict(check: FailoverPatch['standby_check']): void
}

/** What the last test of a path found, while nothing better is known. */
export interface Verdict {
  readonly ok: boolean
  /** Completes "NAME ...". */
  readonly reason: string
}

type Known = { readonly found: StandbyFound; readonly awaited: Set<Family> }

/** Tests of the paths that stand by: at the times of `standby_check`, and when somebody drills one of them. */
export class StandbyChecks {
  readonly #options: StandbyChecksOptions
  readonly #ports: StandbyChecksPorts
  readonly #schedule: CheckSchedule | undefined
  readonly #known = new Map<string, Known>()
  /** Paths whose turn has come: it waits until all is well. */
  #due: string[] = []
  #running = false
  /** One test at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  #cancel: Cancel | undefined
  #closed = false

  constructor(options: StandbyChecksOptions, ports: StandbyChecksPorts) {
    this.#options = options
    this.#ports = ports
    this.#schedule = options.when === 'off' ? undefined : new CheckSchedule(options.when, ports.zone)
    this.#look()
  }

  /** Bound, so that it can be handed on. */
  readonly verdict = (name: string): Verdict | undefined => this.#known.get(name)?.found

  /** Somebody wants to know now. Undefined: there is no such path, or nothing came of it. */
  async drill(name: string): Promise<DrillReport | undefined> {
    const found = await this.#test(name, () => this.#closed)
    if (found === undefined) return undefined
    const standby = { ok: found.ok, message: found.message }
    return { path: name, to: null, outage_ms: null, return_ms: null, standby }
  }

  /** A probe was answered over the path: once all that have to are, it works, whatever was found before. */
  answered(name: string, family: Family): void {
    const known = this.#known.get(name)
    if (known === undefined || known.found.ok) return
    known.awaited.delete(family)
    if (known.awaited.size === 0) this.#forget(name)
  }

  /** What its LNS does says more than a test that came no further, or that was passed before. */
  tunnelChanged(name: string): void {
    const found = this.#known.get(name)?.found
    const path = this.#options.supervisor(name)?.path
    if (found === undefined || path === undefined) return
    const mute = this.#options.watcher(name)?.answering().length === 0
    const better = found.ok
      ? path.failed
      : (found.lacks === 'lns' && path.control && !path.failed) ||
        (found.lacks === 'session' && path.session === 'up' && mute)
    if (better) this.#forget(name)
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  #forget(name: string): void {
    this.#known.delete(name)
    this.#options.onVerdict(undefined)
  }

  #look(): void {
    if (this.#schedule === undefined || this.#closed) return
    const { clock } = this.#ports
    const { due, again } = this.#schedule.look(clock.now(), clock.wall())
    if (due) this.#due = this.#options.plans.map(({ name }) => name)
    if (this.#due.length > 0 && !this.#running) void this.#checkDue()
    this.#cancel = clock.alarm(again, () => this.#look())
  }

  /** One after the other; what is disturbed is tried again at a later look. */
  async #checkDue(): Promise<void> {
    const { calm, active, cutOff } = this.#options
    this.#running = true
    for (let [name] = this.#due; name !== undefined && calm(); [name] = this.#due) {
      const carrying = active()
      const left = (carrying?.kind === 'path' && carrying.name === name) || cutOff().has(name)
      if (!left && (await this.#test(name, () => !calm())) === undefined) break
      this.#due.shift()
    }
    this.#running = false
  }

  #test(name: string, disturbed: () => boolean): Promise<StandbyFound | undefined> {
    const tested = this.#turn.then(() => this.#testNow(name, disturbed))
    this.#turn = tested.catch(() => {})
    return tested
  }

  async #testNow(name: string, disturbed: () => boolean): Promise<StandbyFound | undefined> {
    const { plans, watcher: watcherOf, supervisor, wanted } = this.#options
    const { clock, status, log } = this.#ports
    const watcher = watcherOf(name)
    const plan = plans.find((each) => each.name === name)
    if (!watcher || !plan || disturbed()) return undefined
    const subject = {
      name,
      watcher,
      tunnel: plan.kind === 'tunnel' ? supervisor(name) : undefined,
      spared: this.#spared(plan),
      wanted: () => wanted(name),
      disturbed,
    }
    const found = await testStandby(subject, clock)
    if (found === undefined || this.#closed) return undefined
    // Of a link that is missing health tells by itself.
    if (!found.ok && found.lacks === 'link') this.#known.delete(name)
    else
      this.#known.set(name, {
        found,
        awaited: new Set([...watcher.health.awaited, ...watcher.health.absent]),
      })
    const { ok, message } = found
    this.#options.onVerdict({ path: name, ok, message })
    status.event('standby_checked', { path: name, ok, message })
    log[ok ? 'info' : 'warn']('standby tested', { path: name, result: message })
    return found
  }

  /** A line whose address a session of the tunnel takes over goes dead by it. */
  #spared(plan: PathPlan): string | undefined {
    const { sharing, supervisor, plans } = this.#options
    if (plan.kind !== 'tunnel') return undefined
    const { name, backsUp, standby } = plan
    const lines = plans.filter(({ kind }) => kind === 'uplink')
    const line = lines.find((each) => sharing().shares(plan, each))
    if (line) return `as it would take the address of ${line.name}`
    // One that is kept hot has an address of its own, by the word of who configured it.
    const known = supervisor(name)?.path.address !== undefined
    const unknown = backsUp === undefined && !known && standby !== 'hot'
    return unknown && lines.length > 0
      ? 'as it never was before, and might take the address of a line'
      : undefined
  }
}
