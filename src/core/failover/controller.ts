import type { Readiness } from '../client/dialer-state.ts'
import { after, earliest, type Millis } from '../time.ts'
import { isCalm } from './calm.ts'
import { type Move, nextMove } from './move.ts'
import { awaitedOf, feltNow, type Need, newNeed } from './need.ts'
import { dubious, healthy, newPath, type Path, partial, passable, preferredOver, usable } from './path.ts'
import type { Pace } from './probing.ts'
import { problemOf } from './problem.ts'
import { NOTHING_SHARED, type Sharing } from './sharing.ts'
import { standbyOf } from './standby.ts'
import type {
  ActiveRoute,
  ControllerAction,
  ControllerOptions,
  PathFacts,
  PathReadiness,
  SwitchKind,
} from './types.ts'
import { VAIN_LIMIT, watchVain } from './vain.ts'

/** How long a trial of going back may stay unconfirmed, in ms. */
export const TRIAL_LIMIT = 2_000
/** How long packets are still taken from a session that was ended to go back, in ms. */
export const LINGER = 1_000

/** Traffic is on the uplink and the session ended, until the uplink is seen to carry answers. */
interface Trial {
  readonly uplink: Path
  readonly tunnel: Path
  readonly since: Millis
  readonly until: Millis
  readonly kind: SwitchKind
  readonly cause: string
}

/**
 * Chooses the path, sans IO: tell it what the paths are like, then drain `pollAction` and arm `pollTimeout`.
 *
 * The most preferred usable path carries the traffic. When it fails, more preferred tunnels are dialled and get
 * `dialGrace` before a less preferred path is used. Going back waits for `failbackDelay`, doubled for a path that flaps;
 * to an uplink whose address the tunnel carries it is a trial (the provider sends the answers of any probe into the
 * tunnel while its session is up, so the uplink can only be seen to work once the session has ended).
 */
export class FailoverController {
  readonly #options: ControllerOptions
  readonly #paths: readonly Path[]
  readonly #actions: ControllerAction[] = []
  #sharing = NOTHING_SHARED
  #mode: string
  #active: ActiveRoute = { kind: 'none' }
  #activeSince: Millis | undefined
  /** The path that carried the traffic last. */
  #last: Path | undefined
  #need: Need | undefined
  /** When a path that works is used although a better tunnel is still dialled. */
  #graceEnds: Millis | undefined
  #move: Move | undefined
  #trial: Trial | undefined
  /** What the traffic left the path for that it should be on, if not for a failure: it comes back for the same. */
  #detour: 'manual' | 'drill' | undefined
  #told = false
  #begun = false

  constructor(options: ControllerOptions) {
    this.#options = options
    this.#mode = options.mode
    this.#paths = options.paths.map((plan) => newPath(plan, options.failbackDelay))
  }

  get active(): ActiveRoute {
    return this.#active
  }

  get since(): Millis | undefined {
    return this.#activeSince
  }

  get mode(): string {
    return this.#mode
  }

  /** What a user should know of, or undefined. */
  get problem(): string | undefined {
    const refused = this.#paths.find((path) => path.standby === 'hot' && this.#shared(path))
    return problemOf(this.#paths, this.#activePath(), this.#pinned(), refused)
  }

  /** Whether all is well, and nothing going on that a test of a standby would disturb, or that would spoil it. */
  get calm(): boolean {
    const busy = this.#trial ?? this.#need ?? this.#move
    return !busy && isCalm(this.#paths, this.#activePath(), this.#pinned())
  }

  readiness(name: string): PathReadiness {
    const path = this.#path(name)
    if (this.#active.kind === 'path' && this.#active.name === name) return 'active'
    if (!path || path.kind === 'uplink') return 'hot'
    return path.wanted === 'session' ? 'hot' : (path.wanted ?? 'cold')
  }

  // ---- inputs

  /** What a path is like now. Nothing is decided before `begin`. */
  path(now: Millis, name: string, facts: PathFacts): void {
    const path = this.#path(name)
    if (!path) return
    path.facts = facts
    this.#evaluate(now)
  }

  /** Which paths have the same address now. */
  sharing(now: Millis, sharing: Sharing): void {
    this.#sharing = sharing
    this.#evaluate(now)
  }

  /** All paths have been looked at. `carrying` is the one that has the traffic already, as after a reload. */
  begin(now: Millis, carrying: string | undefined): void {
    this.#begun = true
    const path = carrying === undefined ? undefined : this.#path(carrying)
    if (path) {
      this.#last = path
      this.#route(now, { kind: 'path', name: path.name })
    }
    this.#evaluate(now)
  }

  /** `auto`, or the name of the path to use whatever happens; a drill of it is over. */
  setMode(now: Millis, mode: string): void {
    const current = this.#activePath()
    if (mode !== this.#mode && this.#begun) {
      const { since, troubleSince } = this.#need ?? this.#newNeed(now, current)
      this.#need = { since, troubleSince, kind: 'manual', cause: `use ${mode}` }
    }
    this.#mode = mode
    const pinned = this.#pinned()
    if (pinned) pinned.drilledUntil = undefined
    // Who asks is not made to wait until the path has proved itself for long.
    const best = pinned ? undefined : this.#paths.find((path) => healthy(path))
    this.#move = best && { path: best, at: now, kind: 'manual', cause: 'use auto' }
    this.#evaluate(now)
  }

  /** Treats a path as dead for `span` ms. */
  drill(now: Millis, name: string, span: number): void {
    const path = this.#path(name)
    if (path) path.drilledUntil = after(now, span)
    this.#evaluate(now)
  }

  /** The probe on the device of the uplink on trial was answered. */
  confirmed(now: Millis, name: string): void {
    const trial = this.#trial
    if (trial?.uplink.name !== name) return
    this.#trial = undefined
    this.#arrived(now, trial.uplink, trial.kind, trial.cause, undefined)
    this.#evaluate(now)
  }

  timeout(now: Millis): void {
    if (this.#trial && now >= this.#trial.until) this.#trialFailed(now, this.#trial)
    this.#evaluate(now)
  }

  // ---- outputs

  pollAction(): ControllerAction | undefined {
    return this.#actions.shift()
  }

  pollTimeout(): Millis | undefined {
    return earliest(
      // Nothing is chosen during a trial, although a drill that ends meanwhile has somewhere to go back to.
      ...(this.#trial ? [this.#trial.until] : [this.#move?.at, this.#graceEnds]),
      ...this.#paths.flatMap(({ drilledUntil, distrustedUntil, vainSince }) => [
        drilledUntil,
        distrustedUntil,
        vainSince === undefined ? undefined : after(vainSince, VAIN_LIMIT),
      ]),
    )
  }

  // ---- choosing

  #evaluate(now: Millis): void {
    if (!this.#begun) return
    for (const path of this.#paths) {
      if (path.drilledUntil !== undefined && now >= path.drilledUntil) this.#drilled(now, path)
      if (path.distrustedUntil !== undefined && now >= path.distrustedUntil) path.distrustedUntil = undefined
      const inTheWay = this.#shared(path) && path !== this.#activePath()
      watchVain(now, path, inTheWay, this.#options.failbackDelay)
    }
    if (this.#trial && !usable(this.#trial.uplink)) this.#trialFailed(now, this.#trial)
    if (!this.#trial) this.#choose(now)
    this.#prepare()
  }

  #choose(now: Millis): void {
    const pinned = this.#pinned()
    const candidates = pinned ? [pinned] : this.#paths
    const current = this.#activePath()
    if (current && candidates.includes(current) && this.#good(current)) {
      // It went on with half of it meanwhile, and has the rest back.
      if (this.#need?.kind === 'failover') current.damping.returned(now)
      this.#need = undefined
      this.#graceEnds = undefined
      this.#considerMoving(now, current)
      return
    }
    const need = feltNow(this.#need ?? this.#newNeed(now, current), now, current, this.#activeSince)
    this.#need = need
    const working = candidates.filter((path) => this.#good(path))
    const trusted = working.find((path) => !dubious(path, now))
    const awaited = awaitedOf(candidates, trusted)
    const graceEnds = after(need.since, this.#options.dialGrace)
    const full = trusted ?? working[0]
    const stays =
      full === undefined && current !== undefined && candidates.includes(current) && partial(current)
    const best = full ?? (stays ? undefined : candidates.find(partial))
    this.#graceEnds = best && awaited && now < graceEnds ? graceEnds : undefined
    if (stays) {
      // What still gets through is not held back for what does not.
      this.#considerMoving(now, current)
      return
    }
    this.#move = undefined
    if (best && this.#graceEnds === undefined)
      this.#arrived(now, best, need.kind, need.cause, need.troubleSince ?? now)
    else if (current && candidates.includes(current) && partial(current)) return
    // What works goes on until what somebody chose is dialled: to wait for it is no outage.
    else if (awaited && pinned && current && usable(current)) return
    else if (awaited) this.#hold(now, awaited)
    else if (current?.facts.cutOff) this.#hold(now, candidates.find(({ facts }) => !facts.cutOff) ?? current)
  }

  /** Does what is wanted of it; of a path that is pinned that is only to be there. */
  #good(path: Path): boolean {
    return path === this.#pinned() ? passable(path) : usable(path)
  }

  #newNeed(now: Millis, current: Path | undefined): Need {
    const first = this.#last === undefined
    return newNeed(now, current, { pinned: this.#pinned(), first, carriesSince: this.#activeSince })
  }

  #considerMoving(now: Millis, current: Path): void {
    const { failbackDelay } = this.#options
    const move =
      this.#mode === 'auto' ? nextMove(now, this.#paths, current, this.#move, failbackDelay) : undefined
    this.#move = move
    if (!move || now < move.at) return
    this.#move = undefined
    const { path, kind, cause } = move
    if (kind === 'failover') current.damping.lost(now)
    if (current.kind === 'tunnel' && this.#sharing.shares(current, path)) this.#startTrial(now, move, current)
    else this.#arrived(now, path, kind, cause, undefined)
  }

  #arrived(now: Millis, path: Path, kind: SwitchKind, cause: string, troubleSince: Millis | undefined): void {
    const from = this.#last?.name
    const back = this.#last !== undefined && this.#paths.indexOf(path) < this.#paths.indexOf(this.#last)
    path.damping.returned(now)
    this.#need = undefined
    this.#last = path
    this.#route(now, { kind: 'path', name: path.name })
    if (from === path.name) return
    this.#actions.push({
      type: 'switched',
      kind: this.#kindOf(kind, back),
      from,
      to: path.name,
      cause,
      troubleSince,
    })
  }

  /** Who comes back from a detour that nobody's failure led to comes back for the same reason. */
  #kindOf(kind: SwitchKind, back: boolean): SwitchKind {
    const detour = this.#detour
    if (kind === 'manual' || kind === 'drill') this.#detour = kind
    else if (kind === 'failover' && !back) this.#detour = undefined
    if (!back || (kind !== 'failover' && kind !== 'failback')) return kind
    this.#detour = undefined
    return detour ?? 'failback'
  }

  #hold(now: Millis, awaited: Path): void {
    if (this.#active.kind === 'hold' && this.#active.awaited === awaited.name) return
    this.#route(now, { kind: 'hold', awaited: awaited.name })
  }

  #route(now: Millis, active: ActiveRoute): void {
    if (this.#told && JSON.stringify(active) === JSON.stringify(this.#active)) return
    this.#told = true
    this.#active = active
    this.#activeSince = now
    this.#actions.push({ type: 'route', active })
  }

  // ---- going back to a shared address

  #startTrial(now: Millis, { path: uplink, kind, cause }: Move, tunnel: Path): void {
    this.#trial = { uplink, tunnel, since: now, until: after(now, TRIAL_LIMIT), kind, cause }
    this.#route(now, { kind: 'path', name: uplink.name })
    this.#actions.push({ type: 'linger', tunnel: tunnel.name, span: LINGER })
    this.#prepare()
    this.#actions.push({ type: 'confirm', path: uplink.name })
  }

  #trialFailed(now: Millis, { uplink, tunnel, since }: Trial): void {
    this.#trial = undefined
    uplink.damping.failed(now)
    this.#actions.push({ type: 'trialFailed', path: uplink.name, nextDelay: uplink.damping.delay })
    uplink.distrustedUntil = after(now, this.#options.failbackDelay)
    this.#last = tunnel
    const cause = `${uplink.name} did not carry traffic after all`
    this.#need = { since: now, kind: 'failover', cause, troubleSince: since }
    this.#hold(now, tunnel)
  }

  // ---- drills

  #drilled(now: Millis, path: Path): void {
    path.drilledUntil = undefined
    if (healthy(path)) this.#move = { path, at: now, kind: 'drill', cause: 'the drill is over' }
  }

  // ---- what the others should be ready for

  #prepare(): void {
    const current = this.#trial?.uplink ?? this.#activePath()
    const works = current !== undefined && this.#good(current)
    const uneasy = !works || current.facts.health === 'suspect'
    const upTo = works ? this.#paths.indexOf(preferredOver(this.#paths, current)) : this.#paths.length
    const pinned = this.#pinned()
    let needed = true
    for (const [index, path] of this.#paths.entries()) {
      if (path.kind === 'tunnel') {
        // A drill keeps the session that there is and dials none: it would take the address of a line from it.
        const dead = path.drilledUntil !== undefined
        const mayDial = path.distrustedUntil === undefined && (!dead || path.wanted === 'session')
        // It would take the address of the line that the traffic is about to go back to.
        const awaits = this.#move && path.wanted !== 'session' && this.#sharing.shares(path, this.#move.path)
        const due = awaits
          ? false
          : pinned
            ? path === pinned
            : needed && index < upTo && path !== this.#trial?.tunnel
        const dial = due && mayDial
        const ready = path === current || dial
        this.#want(path, ready ? 'session' : standbyOf(path, this.#shared(path), uneasy))
        if (dial && !dead && path.facts.tunnel?.dialable && !path.facts.tunnel.failed) needed = false
      }
      this.#setPace(path, path.metered && path !== current && !uneasy ? 'sparing' : 'normal')
      this.#steer(
        path,
        path.kind === 'uplink' && current?.kind === 'tunnel' && this.#sharing.shares(current, path),
      )
    }
  }

  #want(path: Path, readiness: Readiness): void {
    if (path.wanted === readiness) return
    path.wanted = readiness
    this.#actions.push({ type: 'want', tunnel: path.name, readiness })
  }

  #setPace(path: Path, pace: Pace): void {
    if (path.pace === pace) return
    path.pace = pace
    this.#actions.push({ type: 'pace', path: path.name, pace })
  }

  #steer(path: Path, on: boolean): void {
    if (path.steered === on) return
    path.steered = on
    this.#actions.push({ type: 'steer', path: path.name, on })
  }

  // ---- judging

  /** A more preferred path has the address that the tunnel would take over. */
  #shared(tunnel: Path): boolean {
    if (tunnel.kind !== 'tunnel') return false
    const better = this.#paths.slice(0, this.#paths.indexOf(tunnel))
    return better.some((path) => path.kind === 'uplink' && this.#sharing.shares(tunnel, path))
  }

  #pinned(): Path | undefined {
    return this.#mode === 'auto' ? undefined : this.#path(this.#mode)
  }

  #activePath(): Path | undefined {
    return this.#active.kind === 'path' ? this.#path(this.#active.name) : undefined
  }

  #path(name: string): Path | undefined {
    return this.#paths.find((path) => path.name === name)
  }
}
