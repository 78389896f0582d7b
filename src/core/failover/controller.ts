import { after, earliest, type Millis } from '../time.ts'
import { isCalm } from './calm.ts'
import { type Candidate, dubious, healthy, newCandidate, partial, passable, usable } from './candidate.ts'
import { Detour } from './detour.ts'
import { type Move, nextMove } from './move.ts'
import { awaitedOf, feltNow, type Need, newNeed } from './need.ts'
import {
  type Carrying,
  carryingOf,
  deadlineOf,
  moveOf,
  needOf,
  type Phase,
  routeOf,
  routeSince,
  sameRoute,
} from './phase.ts'
import { prepare } from './preparation.ts'
import { problemOf } from './problem.ts'
import { NOTHING_SHARED, type Sharing } from './sharing.ts'
import { LINGER, TRIAL_LIMIT, type Trial } from './trial.ts'
import type {
  ActiveRoute,
  ControllerAction,
  ControllerOptions,
  PathFacts,
  PathReadiness,
  SwitchKind,
} from './types.ts'
import { VAIN_LIMIT, watchVain } from './vain.ts'

export { LINGER, TRIAL_LIMIT } from './trial.ts'

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
  readonly #paths: readonly Candidate[]
  readonly #actions: ControllerAction[] = []
  readonly #detour = new Detour()
  #sharing = NOTHING_SHARED
  #mode: string
  #phase: Phase = { kind: 'waiting', move: undefined }
  /** The path that carried the traffic last, trials left out. */
  #last: Candidate | undefined

  constructor(options: ControllerOptions) {
    this.#options = options
    this.#mode = options.mode
    this.#paths = options.paths.map((plan) => newCandidate(plan, options.failbackDelay))
  }

  /** Where the traffic is to go: the one place that knows. Undefined before the first choice. */
  get active(): ActiveRoute | undefined {
    return routeOf(this.#phase)
  }

  get since(): Millis | undefined {
    return routeSince(this.#phase)
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
    // A move that is planned leads away from a path that is not the first or has lost a family: that is not calm either.
    return this.#phase.kind === 'settled' && isCalm(this.#paths, this.#activePath(), this.#pinned())
  }

  readiness(name: string): PathReadiness {
    const path = this.#path(name)
    if (path && path === this.#activePath()) return 'active'
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
    const path = carrying === undefined ? undefined : this.#path(carrying)
    if (path) this.#last = path
    this.#enter(
      path
        ? { kind: 'settled', on: { path, since: now }, move: moveOf(this.#phase) }
        : { kind: 'seeking', on: undefined, need: this.#newNeed(now, undefined), graceEnds: undefined },
    )
    this.#evaluate(now)
  }

  /** `auto`, or the name of the path to use whatever happens; a drill of it is over. */
  setMode(now: Millis, mode: string): void {
    if (mode !== this.#mode) this.#askFor(now, mode)
    this.#mode = mode
    const pinned = this.#pinned()
    if (pinned) pinned.drilledUntil = undefined
    // Who asks is not made to wait until the path has proved itself for long.
    const best = pinned ? undefined : this.#paths.find((path) => healthy(path))
    this.#reconsider(now, best && { path: best, at: now, kind: 'manual', cause: 'use auto' })
  }

  /** Treats a path as dead for `span` ms. */
  drill(now: Millis, name: string, span: number): void {
    const path = this.#path(name)
    if (path) path.drilledUntil = after(now, span)
    this.#evaluate(now)
  }

  /** The probe on the device of the uplink on trial was answered. */
  confirmed(now: Millis, name: string): void {
    const phase = this.#phase
    if (phase.kind !== 'trial' || phase.on.path.name !== name) return
    const { on, trial, move } = phase
    this.#arrived(now, on.path, trial.kind, trial.cause, undefined, move)
    this.#evaluate(now)
  }

  timeout(now: Millis): void {
    const phase = this.#phase
    if (phase.kind === 'trial' && now >= phase.trial.until) this.#trialFailed(now, phase.on, phase.trial)
    this.#evaluate(now)
  }

  // ---- outputs

  pollAction(): ControllerAction | undefined {
    return this.#actions.shift()
  }

  pollTimeout(): Millis | undefined {
    return earliest(
      deadlineOf(this.#phase),
      ...this.#paths.flatMap(({ drilledUntil, distrustedUntil, vainSince }) => [
        drilledUntil,
        distrustedUntil,
        vainSince === undefined ? undefined : after(vainSince, VAIN_LIMIT),
      ]),
    )
  }

  // ---- choosing

  #evaluate(now: Millis): void {
    this.#reconsider(now, moveOf(this.#phase))
  }

  /** `planned`: the move that was decided on last. */
  #reconsider(now: Millis, planned: Move | undefined): void {
    if (this.#phase.kind === 'waiting') {
      this.#phase = { kind: 'waiting', move: planned }
      return
    }
    let move = planned
    for (const path of this.#paths) {
      if (path.drilledUntil !== undefined && now >= path.drilledUntil) move = drilled(now, path) ?? move
      if (path.distrustedUntil !== undefined && now >= path.distrustedUntil) path.distrustedUntil = undefined
      const inTheWay = this.#shared(path) && path !== this.#activePath()
      watchVain(now, path, inTheWay, this.#options.failbackDelay)
    }
    const phase = this.#phase
    if (phase.kind === 'trial' && usable(phase.on.path)) this.#phase = { ...phase, move }
    else {
      if (phase.kind === 'trial') this.#trialFailed(now, phase.on, phase.trial)
      this.#choose(now, move)
    }
    this.#prepare()
  }

  #choose(now: Millis, planned: Move | undefined): void {
    const pinned = this.#pinned()
    const candidates = pinned ? [pinned] : this.#paths
    const before = needOf(this.#phase)
    const on = carryingOf(this.#phase)
    const current = on?.path
    if (on && candidates.includes(on.path) && this.#good(on.path)) {
      // It went on with half of it meanwhile, and has the rest back.
      if (before?.kind === 'failover') on.path.damping.returned(now)
      this.#stay(now, on, undefined, planned)
      return
    }
    const need = feltNow(before ?? this.#newNeed(now, current), now, current, on?.since)
    const working = candidates.filter((path) => this.#good(path))
    const trusted = working.find((path) => !dubious(path, now))
    const awaited = awaitedOf(candidates, trusted)
    const full = trusted ?? working[0]
    const half = on && candidates.includes(on.path) && partial(on.path) ? on : undefined
    if (half && !full) {
      // What still gets through is not held back for what does not.
      this.#stay(now, half, need, planned)
      return
    }
    const best = full ?? candidates.find(partial)
    const ends = after(need.since, this.#options.dialGrace)
    const graceEnds = best && awaited && now < ends ? ends : undefined
    if (best && graceEnds === undefined)
      this.#arrived(now, best, need.kind, need.cause, need.troubleSince ?? now, undefined)
    else if (half) this.#enter({ kind: 'seeking', on: half, need, graceEnds })
    // What works goes on until what somebody chose is dialled: to wait for it is no outage.
    else if (awaited && pinned && on && usable(on.path)) this.#enter({ kind: 'seeking', on, need, graceEnds })
    else if (awaited) this.#hold(now, awaited, need, graceEnds)
    else if (current?.facts.cutOff) {
      const spared = candidates.find(({ facts }) => !facts.cutOff) ?? current
      this.#hold(now, spared, need, graceEnds)
    } else if (this.#phase.kind === 'holding') this.#hold(now, this.#phase.awaited, need, graceEnds)
    else this.#enter({ kind: 'seeking', on, need, graceEnds })
  }

  /** Does what is wanted of it; of a path that is pinned that is only to be there. */
  #good(path: Candidate): boolean {
    return path === this.#pinned() ? passable(path) : usable(path)
  }

  #newNeed(now: Millis, current: Candidate | undefined): Need {
    const first = this.#last === undefined
    const carriesSince = routeSince(this.#phase)
    return newNeed(now, current, { pinned: this.#pinned(), first, carriesSince })
  }

  /** Somebody asks for another mode; a trial is ended by its outcome alone, whoever asks meanwhile. */
  #askFor(now: Millis, mode: string): void {
    const phase = this.#phase
    const asked = (before: Need): Need => ({ ...before, kind: 'manual', cause: `use ${mode}` })
    switch (phase.kind) {
      case 'waiting':
      case 'trial':
        return
      case 'settled': {
        const need = asked(this.#newNeed(now, phase.on.path))
        this.#phase = { kind: 'seeking', on: phase.on, need, graceEnds: undefined }
        return
      }
      case 'makingDo':
        this.#phase = { kind: 'seeking', on: phase.on, need: asked(phase.need), graceEnds: undefined }
        return
      case 'seeking':
      case 'holding':
        this.#phase = { ...phase, need: asked(phase.need) }
    }
  }

  /** Stays where the traffic is, unless it is time to move without need. */
  #stay(now: Millis, on: Carrying, need: Need | undefined, planned: Move | undefined): void {
    const { failbackDelay } = this.#options
    const move =
      this.#mode === 'auto' ? nextMove(now, this.#paths, on.path, planned, failbackDelay) : undefined
    if (!move || now < move.at) {
      this.#enter(need ? { kind: 'makingDo', on, need, move } : { kind: 'settled', on, move })
      return
    }
    const { path, kind, cause } = move
    if (kind === 'failover') on.path.damping.lost(now)
    if (on.path.kind === 'tunnel' && this.#sharing.shares(on.path, path)) this.#startTrial(now, move, on.path)
    else this.#arrived(now, path, kind, cause, undefined, undefined)
  }

  /** The traffic is on the path for good; `move` is what is planned from there. */
  #arrived(
    now: Millis,
    path: Candidate,
    kind: SwitchKind,
    cause: string,
    troubleSince: Millis | undefined,
    move: Move | undefined,
  ): void {
    const from = this.#last?.name
    const back = this.#last !== undefined && this.#paths.indexOf(path) < this.#paths.indexOf(this.#last)
    path.damping.returned(now)
    this.#last = path
    const before = carryingOf(this.#phase)
    const on = before?.path === path ? before : { path, since: now }
    this.#enter({ kind: 'settled', on, move })
    if (from === path.name) return
    this.#actions.push({
      type: 'switched',
      kind: this.#detour.switched(kind, back),
      from,
      to: path.name,
      cause,
      troubleSince,
    })
  }

  #hold(now: Millis, awaited: Candidate, need: Need, graceEnds: Millis | undefined): void {
    const phase = this.#phase
    const since = phase.kind === 'holding' && phase.awaited === awaited ? phase.since : now
    this.#enter({ kind: 'holding', awaited, since, need, graceEnds })
  }

  #enter(phase: Phase): void {
    const before = routeOf(this.#phase)
    this.#phase = phase
    const active = routeOf(phase)
    if (active && !sameRoute(before, active)) this.#actions.push({ type: 'route', active })
  }

  // ---- going back to a shared address

  #startTrial(now: Millis, { path: uplink, kind, cause }: Move, tunnel: Candidate): void {
    const trial: Trial = { tunnel, until: after(now, TRIAL_LIMIT), kind, cause }
    this.#enter({ kind: 'trial', on: { path: uplink, since: now }, trial, move: undefined })
    this.#actions.push({ type: 'linger', tunnel: tunnel.name, span: LINGER })
    this.#prepare()
    this.#actions.push({ type: 'confirm', path: uplink.name })
  }

  #trialFailed(now: Millis, { path: uplink, since }: Carrying, { tunnel }: Trial): void {
    uplink.damping.failed(now)
    this.#actions.push({ type: 'trialFailed', path: uplink.name, nextDelay: uplink.damping.delay })
    uplink.distrustedUntil = after(now, this.#options.failbackDelay)
    const cause = `${uplink.name} did not carry traffic after all`
    this.#hold(now, tunnel, { since: now, kind: 'failover', cause, troubleSince: since }, undefined)
  }

  // ---- what the others should be ready for

  #prepare(): void {
    const current = this.#activePath()
    const actions = prepare(this.#paths, {
      current,
      works: current !== undefined && this.#good(current),
      pinned: this.#pinned(),
      next: moveOf(this.#phase)?.path,
      ended: this.#phase.kind === 'trial' ? this.#phase.trial.tunnel : undefined,
      sharing: this.#sharing,
      shared: (tunnel) => this.#shared(tunnel),
    })
    this.#actions.push(...actions)
  }

  // ---- judging

  /** A more preferred path has the address that the tunnel would take over. */
  #shared(tunnel: Candidate): boolean {
    if (tunnel.kind !== 'tunnel') return false
    const better = this.#paths.slice(0, this.#paths.indexOf(tunnel))
    return better.some((path) => path.kind === 'uplink' && this.#sharing.shares(tunnel, path))
  }

  #pinned(): Candidate | undefined {
    return this.#mode === 'auto' ? undefined : this.#path(this.#mode)
  }

  #activePath(): Candidate | undefined {
    return carryingOf(this.#phase)?.path
  }

  #path(name: string): Candidate | undefined {
    return this.#paths.find((path) => path.name === name)
  }
}

/** The drill is over: traffic may go back to it at once. */
function drilled(now: Millis, path: Candidate): Move | undefined {
  path.drilledUntil = undefined
  return healthy(path) ? { path, at: now, kind: 'drill', cause: 'the drill is over' } : undefined
}
