import type { Readiness } from '../client/dialer-state.ts'
import type { Millis } from '../time.ts'
import { after, earliest } from '../time.ts'
import type { Pace } from './health.ts'
import { dialable, dubious, healthy, NOT_LOOKED_AT, newPath, type Path, usable } from './path.ts'
import { sharesAddress, standbyOf } from './standby.ts'
import type {
  ActiveRoute,
  ControllerAction,
  PathFacts,
  PathPlan,
  PathReadiness,
  SwitchKind,
} from './types.ts'

/** How long a trial of going back may stay unconfirmed, in ms. */
export const TRIAL_LIMIT = 2_000
/** How long packets are still taken from a session that was ended to go back, in ms. */
export const LINGER = 1_000

export interface ControllerOptions {
  /** In order of preference. */
  readonly paths: readonly PathPlan[]
  readonly mode: string
  /** ms */
  readonly dialGrace: number
  /** ms */
  readonly failbackDelay: number
}

/** Traffic has no path: since when, and why. */
interface Need {
  readonly since: Millis
  readonly cause: string
  readonly troubleSince: Millis | undefined
}

/** Traffic is on the uplink and the session ended, until the uplink is seen to carry answers. */
interface Trial {
  readonly uplink: Path
  readonly tunnel: Path
  readonly since: Millis
  readonly until: Millis
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
  #mode: string
  #active: ActiveRoute = { kind: 'none' }
  #activeSince: Millis | undefined
  /** The path that carried the traffic last. */
  #last: Path | undefined
  #need: Need | undefined
  /** When a path that works is used although a better tunnel is still dialled. */
  #graceEnds: Millis | undefined
  #failback: { readonly path: Path; readonly at: Millis } | undefined
  #trial: Trial | undefined
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
    const pinned = this.#pinned()
    if (pinned && !usable(pinned))
      return `pinned to ${pinned.name}, which does not work: ${pinned.facts.reason}`
    if (!this.#paths.some((path) => usable(path))) return 'no path works'
    const refused = this.#paths.find((path) => path.standby === 'hot' && this.#shared(path))
    if (!refused) return undefined
    return `${refused.name} cannot be hot: its session would take the address of a line that works, so it is kept warm`
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
    this.#mode = mode
    this.#failback = undefined
    const pinned = this.#pinned()
    if (pinned) pinned.drilledUntil = undefined
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
    this.#arrived(now, trial.uplink, 'failback', `${trial.uplink.name} works again`, undefined)
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
      ...(this.#trial ? [this.#trial.until] : [this.#failback?.at, this.#graceEnds]),
      ...this.#paths.flatMap(({ drilledUntil, distrustedUntil }) => [drilledUntil, distrustedUntil]),
    )
  }

  // ---- choosing

  #evaluate(now: Millis): void {
    if (!this.#begun) return
    for (const path of this.#paths) {
      if (path.drilledUntil !== undefined && now >= path.drilledUntil) this.#drilled(now, path)
      if (path.distrustedUntil !== undefined && now >= path.distrustedUntil) path.distrustedUntil = undefined
    }
    if (this.#trial && !usable(this.#trial.uplink)) this.#trialFailed(now, this.#trial)
    if (!this.#trial) this.#choose(now)
    this.#prepare()
  }

  #choose(now: Millis): void {
    const pinned = this.#pinned()
    const candidates = pinned ? [pinned] : this.#paths
    const current = this.#activePath()
    if (current && candidates.includes(current) && usable(current)) {
      this.#need = undefined
      this.#graceEnds = undefined
      this.#considerGoingBack(now, current)
      return
    }
    this.#failback = undefined
    const need = this.#need ?? this.#newNeed(now, current)
    this.#need = need
    const working = candidates.filter(usable)
    const trusted = working.find((path) => !dubious(path, now))
    const awaited = this.#awaited(candidates, trusted)
    const graceEnds = after(need.since, this.#options.dialGrace)
    const best = trusted ?? working[0]
    this.#graceEnds = best && awaited && now < graceEnds ? graceEnds : undefined
    if (best && this.#graceEnds === undefined) this.#switchTo(now, best, need)
    else if (awaited) this.#hold(now, awaited)
    else if (current?.facts.cutOff) this.#hold(now, candidates.find(({ facts }) => !facts.cutOff) ?? current)
  }

  #newNeed(now: Millis, current: Path | undefined): Need {
    const { reason, troubleSince } = current?.facts ?? NOT_LOOKED_AT
    const drilled = current?.drilledUntil !== undefined
    if (current && !drilled && !usable(current)) current.damping.lost(now)
    const cause = drilled ? 'drill' : current ? `${current.name}: ${reason}` : 'start'
    return { since: now, cause, troubleSince: drilled ? now : (troubleSince ?? now) }
  }

  /** The tunnel to wait for: the first that can be dialled and is better than the best path that works. */
  #awaited(candidates: readonly Path[], best: Path | undefined): Path | undefined {
    const better = best ? candidates.slice(0, candidates.indexOf(best)) : candidates
    return better.find(
      (path) => dialable(path) && path.facts.tunnel?.failed !== true && path.drilledUntil === undefined,
    )
  }

  #considerGoingBack(now: Millis, current: Path): void {
    const index = this.#paths.indexOf(current)
    const better =
      this.#mode === 'auto' ? this.#paths.slice(0, index).find((path) => healthy(path)) : undefined
    if (!better) {
      this.#failback = undefined
      return
    }
    if (this.#failback?.path !== better)
      this.#failback = { path: better, at: after(now, this.#delayTo(now, better)) }
    if (now < this.#failback.at) return
    this.#failback = undefined
    if (current.kind === 'tunnel' && sharesAddress(current, better)) this.#startTrial(now, better, current)
    else this.#arrived(now, better, 'failback', `${better.name} works again`, undefined)
  }

  /** A tunnel that has not failed is what was waited for. */
  #delayTo(now: Millis, { kind, damping }: Path): number {
    return kind === 'tunnel' && !damping.lostLately(now) ? 0 : damping.delay
  }

  #switchTo(now: Millis, path: Path, { cause, troubleSince }: Need): void {
    const kind: SwitchKind =
      this.#mode !== 'auto' ? 'manual' : cause === 'drill' ? 'drill' : this.#last ? 'failover' : 'start'
    this.#arrived(now, path, kind, cause, troubleSince)
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
      kind: back && kind === 'failover' ? 'failback' : kind,
      from,
      to: path.name,
      cause,
      troubleSince,
    })
  }

  #hold(now: Millis, awaited: Path): void {
    if (this.#active.kind === 'hold' && this.#active.awaited === awaited.name) return
    this.#route(now, { kind: 'hold', awaited: awaited.name })
  }

  #route(now: Millis, active: ActiveRoute): void {
    const same = JSON.stringify(active) === JSON.stringify(this.#active)
    if (same && this.#told) return
    this.#told = true
    this.#active = active
    this.#activeSince = now
    this.#actions.push({ type: 'route', active })
  }

  // ---- going back to a shared address

  #startTrial(now: Millis, uplink: Path, tunnel: Path): void {
    this.#trial = { uplink, tunnel, since: now, until: after(now, TRIAL_LIMIT) }
    this.#route(now, { kind: 'path', name: uplink.name })
    this.#actions.push({ type: 'linger', tunnel: tunnel.name, span: LINGER })
    this.#prepare()
    this.#actions.push({ type: 'confirm', path: uplink.name })
  }

  #trialFailed(now: Millis, { uplink, tunnel, since }: Trial): void {
    this.#trial = undefined
    uplink.damping.double()
    this.#actions.push({ type: 'trialFailed', path: uplink.name, nextDelay: uplink.damping.delay })
    uplink.distrustedUntil = after(now, this.#options.failbackDelay)
    this.#last = tunnel
    this.#need = { since: now, cause: `${uplink.name} did not carry traffic after all`, troubleSince: since }
    this.#hold(now, tunnel)
  }

  // ---- drills

  #drilled(now: Millis, path: Path): void {
    path.drilledUntil = undefined
    if (healthy(path)) this.#failback = { path, at: now }
  }

  // ---- what the others should be ready for

  #prepare(): void {
    const current = this.#trial?.uplink ?? this.#activePath()
    const works = current !== undefined && usable(current)
    const uneasy = !works || current.facts.health === 'suspect'
    const upTo = works ? this.#paths.indexOf(current) : this.#paths.length
    const pinned = this.#pinned()
    let needed = true
    for (const [index, path] of this.#paths.entries()) {
      if (path.kind === 'tunnel') {
        // A drill keeps the session that there is and dials none: it would take the address of a line from it.
        const dead = path.drilledUntil !== undefined
        const mayDial = !dead || path.wanted === 'session'
        const due = pinned ? path === pinned : needed && index < upTo && path !== this.#trial?.tunnel
        const dial = due && mayDial
        this.#want(path, path === current || dial ? 'session' : this.#standby(path, uneasy))
        if (dial && !dead && path.facts.tunnel?.dialable && !path.facts.tunnel.failed) needed = false
      }
      this.#setPace(path, path.metered && path !== current && !uneasy ? 'sparing' : 'normal')
      this.#steer(path, path.kind === 'uplink' && current?.kind === 'tunnel' && sharesAddress(current, path))
    }
  }

  #standby(path: Path, uneasy: boolean): Readiness {
    return standbyOf(path, this.#shared(path), uneasy)
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
    const better = this.#paths.slice(0, this.#paths.indexOf(tunnel))
    return (
      tunnel.kind === 'tunnel' && better.some((path) => path.kind === 'uplink' && sharesAddress(tunnel, path))
    )
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
