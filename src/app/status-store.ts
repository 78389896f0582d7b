import type { DeviceBy } from '../core/config/types.ts'
import { equal } from '../core/equal.ts'
import { type Failure, failureMessage } from '../core/failure.ts'
import type { EventFields, EventKind, StatusEvent, ToldFailure } from '../core/status/event.ts'
import { type News, newsOf, newsOfAll } from '../core/status/news.ts'
import {
  type FailoverStatus,
  type InternetPath,
  internetPath,
  NO_SESSION,
  type PathStatus,
  type StandbyCheckStatus,
  type Status,
  type SwitchStatus,
  type TunnelState,
  type TunnelStatus,
  type UplinkStatus,
} from '../core/status/status.ts'
import type { Millis } from '../core/time.ts'
import type { Cancel, Clock } from './ports.ts'

/** What the supervisors may write; everyone else only reads. */
export interface StatusWriter {
  /**
   * Changes some keys of a tunnel. A new `state` sets `since` and makes an event `state`, whose cause is the latest
   * failure since the state before was entered. Entering `disabled`,
   * `waiting`, `resolving` or `dialling` forgets the session before it; entering `up` sets `attempts` to 0. `retry_at`
   * is an instant of the monotonic clock and is kept only while `waiting`. Keys that are undefined stay as they are, and
   * so do those of `peer` that are left out.
   */
  tunnel(name: string, patch: TunnelPatch): void
  /** Records why a dial failed or a session ended, with an event `failed`. */
  failed(tunnel: string, failure: Failure): void
  /** Changes some keys of an uplink, which is made if need be; a new `state` makes an event `uplink`. */
  uplink(name: string, patch: Partial<UplinkStatus>): void
  /** Forgets an uplink that was learnt from the system. */
  removeUplink(name: string): void
  /**
   * Changes some keys of `failover`, which is made if need be; `path` replaces all paths. A new `active` sets `since`,
   * and `last_switch` its own instant. Undefined: there is no failover.
   */
  failover(patch: FailoverPatch | undefined): void
  /** Something else that happened. */
  event<Kind extends EventKind>(kind: Kind, fields: EventFields[Kind]): void
}

/**
 * What changes of a tunnel's status; instants are on the monotonic clock here, and texts of the wall clock in the status.
 */
export type TunnelPatch = Partial<Omit<TunnelStatus, 'since' | 'retry_at' | 'last_error' | 'peer'>> & {
  readonly peer?: Partial<TunnelStatus['peer']>
  readonly retry_at?: Millis | null
}

/** What changes of the status of failover; the store adds the time to a switch and to a check. */
export type FailoverPatch = Partial<ShownFailover> & {
  readonly last_switch?: Omit<SwitchStatus, 'at'>
  readonly standby_check?: Omit<StandbyCheckStatus, 'at'>
}

/** Instants are those of the monotonic clock. */
type ShownFailover = Omit<FailoverStatus, 'since' | 'last_switch' | 'path' | 'standby_check'> & {
  readonly path: Readonly<Record<string, Omit<PathStatus, 'heard_at'> & { readonly heard_at: Millis | null }>>
}

/** What the configuration says about the tunnels and uplinks to show, in its order. */
export interface StatusSections {
  readonly node: string
  readonly tunnels: readonly {
    readonly name: string
    readonly device: string
    readonly defaultroute: boolean
    readonly enabled: boolean
  }[]
  readonly uplinks: readonly { readonly name: string; readonly device: DeviceBy }[]
}

const MAX_EVENTS = 500
/** ms by which the wall clock must have been set before instants already shown are shown anew. */
const CLOCK_STEP = 2000

type ShownTunnel = Omit<TunnelStatus, 'since' | 'retry_at' | 'last_error'>

interface TunnelEntry {
  readonly shown: ShownTunnel
  readonly since: Millis
  readonly retryAt: Millis | null
  readonly error: { readonly failure: Failure; readonly at: Millis } | null
  /** The latest failure since this state was entered. */
  readonly cause: Failure | null
}

interface FailoverEntry {
  readonly shown: ShownFailover
  readonly since: Millis
  readonly lastSwitch: { readonly shown: Omit<SwitchStatus, 'at'>; readonly at: Millis } | null
  readonly check: { readonly shown: Omit<StandbyCheckStatus, 'at'>; readonly at: Millis } | null
}

/**
 * The one store of what users see: a single writer, immutable snapshots, and a bounded record of events. Instants are
 * kept on the monotonic clock, so that they are right even if the wall clock is set after they were recorded.
 */
export class StatusStore implements StatusWriter {
  readonly #clock: Clock
  readonly #version: string
  #node = ''
  #preferred: readonly string[] = []
  #tunnels = new Map<string, TunnelEntry>()
  #uplinks = new Map<string, UplinkStatus>()
  #failover: FailoverEntry | undefined
  #configuredUplinks: ReadonlySet<string> = new Set()
  #internet: { readonly path: InternetPath; readonly since: Millis }
  /** Wall clock minus monotonic clock, in ms. */
  #offset: number
  #snapshot: Status | undefined
  #events: StatusEvent[] = []
  #seq = 0
  readonly #listeners = new Set<(event: StatusEvent) => void>()
  readonly #watchers = new Set<() => void>()

  constructor(clock: Clock, version: string) {
    this.#clock = clock
    this.#version = version
    this.#offset = clock.wall().getTime() - clock.now()
    this.#internet = { path: { state: 'down', path: null, ipv4: null, ipv6: null }, since: clock.now() }
  }

  /** Takes over a configuration: what stays configured keeps its status, what is gone is forgotten. */
  configure(sections: StatusSections): void {
    const now = this.#clock.now()
    this.#node = sections.node
    this.#preferred = sections.tunnels.filter((tunnel) => tunnel.defaultroute).map((tunnel) => tunnel.name)
    this.#tunnels = new Map(
      sections.tunnels.map(({ name, device, enabled }) => {
        const known = this.#tunnels.get(name)
        return [
          name,
          known ? { ...known, shown: { ...known.shown, device } } : newEntry(device, enabled, now),
        ]
      }),
    )
    const learnt = [...this.#uplinks].filter(([name]) => !this.#configuredUplinks.has(name))
    this.#configuredUplinks = new Set(sections.uplinks.map((uplink) => uplink.name))
    this.#uplinks = new Map([
      ...sections.uplinks.map(({ name, device: { name: device } }): [string, UplinkStatus] => {
        // As long as nobody has looked for it.
        const known = this.#uplinks.get(name)
        return [name, known?.device === device ? known : newUplink(device)]
      }),
      ...learnt.filter(([name]) => !this.#configuredUplinks.has(name)),
    ])
    this.#commit()
  }

  tunnel(name: string, patch: TunnelPatch): void {
    const entry = this.#tunnels.get(name)
    if (entry === undefined) return
    const { retry_at: retryAt = entry.retryAt, peer = {}, ...keys } = patch
    const from = entry.shown.state
    const state = patch.state ?? from
    const entered = state !== from
    const before = { ...entry.shown, ...(entered ? enter(state) : {}) }
    const next: TunnelEntry = {
      ...entry,
      shown: { ...before, ...defined(keys), peer: { ...before.peer, ...defined(peer) } },
      since: entered ? this.#clock.now() : entry.since,
      retryAt: state === 'waiting' ? retryAt : null,
      cause: entered ? null : entry.cause,
    }
    this.#tunnels.set(name, next)
    if (!entered) this.#settle(next.retryAt === entry.retryAt ? newsOf(entry.shown, next.shown) : 'more')
    else this.#commit('state', { tunnel: name, state, from, cause: entry.cause && told(entry.cause) })
  }

  failed(tunnel: string, failure: Failure): void {
    const entry = this.#tunnels.get(tunnel)
    if (entry === undefined) return
    this.#tunnels.set(tunnel, { ...entry, error: { failure, at: this.#clock.now() }, cause: failure })
    this.#commit('failed', { tunnel, ...told(failure) })
  }

  uplink(name: string, patch: Partial<UplinkStatus>): void {
    const old = this.#uplinks.get(name)
    const known = old ?? newUplink(name)
    const next = { ...known, ...defined(patch) }
    this.#uplinks.set(name, next)
    if (next.state === known.state) this.#settle(old === undefined ? 'more' : newsOf(old, next))
    else this.#commit('uplink', { uplink: name, state: next.state, from: known.state })
  }

  removeUplink(name: string): void {
    if (this.#configuredUplinks.has(name) || !this.#uplinks.delete(name)) return
    this.#commit()
  }

  failover(patch: FailoverPatch | undefined): void {
    if (patch === undefined) {
      this.#failover = undefined
      this.#commit()
      return
    }
    const now = this.#clock.now()
    const { last_switch: lastSwitch, standby_check: check, ...keys } = patch
    const known = this.#failover
    const before = known ?? { shown: NO_FAILOVER, since: now, lastSwitch: null, check: null }
    const shown = { ...before.shown, ...defined(keys) }
    const next: FailoverEntry = {
      shown,
      since: shown.active === before.shown.active ? before.since : now,
      lastSwitch: lastSwitch === undefined ? before.lastSwitch : { shown: lastSwitch, at: now },
      check: check === undefined ? before.check : { shown: check, at: now },
    }
    this.#failover = next
    this.#settle(known === undefined ? 'more' : failoverNews(known, next))
  }

  event<Kind extends EventKind>(kind: Kind, fields: EventFields[Kind]): void {
    this.#seq += 1
    const at = this.#clock.wall().toISOString()
    const event = Object.freeze({ ...fields, seq: this.#seq, at, event: kind } as StatusEvent)
    this.#events.push(event)
    if (this.#events.length > MAX_EVENTS) this.#events.shift()
    for (const listener of [...this.#listeners]) listener(event)
  }

  /** The last 500 events, oldest first. */
  get events(): readonly StatusEvent[] {
    return [...this.#events]
  }

  /** Calls `listener` for every event from now on. */
  follow(listener: (event: StatusEvent) => void): Cancel {
    const own = (event: StatusEvent) => listener(event)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  /**
   * Calls `watcher` after every change but of figures, once its events have been told. It must be quick and must not
   * write.
   */
  watch(watcher: () => void): Cancel {
    const own = () => watcher()
    this.#watchers.add(own)
    return () => this.#watchers.delete(own)
  }

  /** What is known now. The same object as before if nothing has changed. */
  status(): Status {
    const offset = this.#clock.wall().getTime() - this.#clock.now()
    if (Math.abs(offset - this.#offset) > CLOCK_STEP) {
      this.#offset = offset
      this.#snapshot = undefined
    }
    this.#snapshot ??= this.#build()
    return this.#snapshot
  }

  #build(): Status {
    const { path, since } = this.#internet
    return {
      schema: 1,
      version: this.#version,
      node: this.#node,
      internet: { ...path, since: this.#iso(since) },
      // fromEntries makes own properties of all names, `__proto__` included, which a section may bear.
      tunnel: Object.fromEntries([...this.#tunnels].map(([name, entry]) => [name, this.#show(entry)])),
      uplink: Object.fromEntries(this.#uplinks),
      failover: this.#failover === undefined ? null : this.#showFailover(this.#failover),
    }
  }

  #showFailover({ shown, since, lastSwitch, check }: FailoverEntry): FailoverStatus {
    const { mode, active, problem, backup } = shown
    const path = Object.entries(shown.path).map(([name, { heard_at: at, ...status }]) => [
      name,
      { ...status, heard_at: at === null ? null : this.#iso(at) },
    ])
    return {
      mode,
      active,
      since: this.#iso(since),
      problem,
      path: Object.fromEntries(path),
      last_switch: lastSwitch && { at: this.#iso(lastSwitch.at), ...lastSwitch.shown },
      backup,
      standby_check: check && { at: this.#iso(check.at), ...check.shown },
    }
  }

  #show({ shown: { state, ...keys }, since, retryAt, error }: TunnelEntry): TunnelStatus {
    return {
      state,
      since: this.#iso(since),
      ...keys,
      retry_at: retryAt === null ? null : this.#iso(retryAt),
      last_error: error && { ...told(error.failure), at: this.#iso(error.at) },
    }
  }

  /** Ends a change that made no event. Figures come every second, and nothing is derived from them. */
  #settle(news: News): void {
    if (news === 'more') this.#commit()
    else if (news === 'figures') this.#snapshot = undefined
  }

  /** Ends a change: everything derived is up to date before anyone hears of it. */
  #commit(): void
  #commit<Kind extends EventKind>(kind: Kind, fields: EventFields[Kind]): void
  #commit<Kind extends EventKind>(kind?: Kind, fields?: EventFields[Kind]): void {
    const before = this.#internet.path
    const tunnels = new Map([...this.#tunnels].map(([name, entry]) => [name, entry.shown]))
    const path = internetPath(this.#preferred, tunnels, this.#uplinks, this.#failover?.shown ?? null)
    const moved = path.state !== before.state || path.path !== before.path
    this.#internet = { path, since: moved ? this.#clock.now() : this.#internet.since }
    this.#snapshot = undefined
    if (kind !== undefined && fields !== undefined) this.event(kind, fields)
    if (moved) this.event('internet', { state: path.state, path: path.path, from: before.state })
    for (const watcher of this.#watchers) watcher()
  }

  #iso(instant: Millis): string {
    return new Date(instant + this.#offset).toISOString()
  }
}

const NO_FAILOVER: ShownFailover = { mode: 'auto', active: null, problem: null, path: {}, backup: null }

function failoverNews(before: FailoverEntry, after: FailoverEntry): News {
  const { path: old, ...was } = before.shown
  const { path, ...is } = after.shown
  return equal({ ...before, shown: was }, { ...after, shown: is }) ? newsOfAll(old, path) : 'more'
}

function newUplink(device: string): UplinkStatus {
  return { device, state: 'absent', addresses: [], budget: null }
}

function newEntry(device: string, enabled: boolean, now: Millis): TunnelEntry {
  const traffic = { packets: 0, octets: 0, dropped: 0 }
  const state = enabled ? 'waiting' : 'disabled'
  // The order of the keys is that of the contract.
  const { rtt_ms, loss, jitter_ms, ...session } = NO_SESSION
  return {
    shown: {
      state,
      device,
      uplink: null,
      ...session,
      rx: traffic,
      tx: traffic,
      rtt_ms,
      loss,
      jitter_ms,
      attempts: 0,
    },
    since: now,
    retryAt: null,
    error: null,
    cause: null,
  }
}

/** A failure as users are told of it. */
function told(failure: Failure): ToldFailure {
  return { code: failure.code, message: failureMessage(failure) }
}

/** What entering a state makes of the other keys. */
function enter(state: TunnelState): Partial<ShownTunnel> {
  switch (state) {
    case 'disabled':
    case 'waiting':
      return { ...NO_SESSION, uplink: null }
    case 'resolving':
    case 'dialling':
      return NO_SESSION
    case 'up':
      return { attempts: 0 }
    case 'authenticating':
    case 'configuring':
    case 'closing':
      return {}
  }
}

function defined<T extends object>(patch: T): T {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as T
}
