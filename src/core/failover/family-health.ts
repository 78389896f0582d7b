import type { ProbeConfig, ProbeTarget } from '../config/types.ts'
import type { Family } from '../ip/address.ts'
import type { Millis } from '../time.ts'
import { after } from '../time.ts'
import {
  type Asking,
  type Condition,
  deadlineOf,
  dueBy,
  healthOf,
  heard,
  idle,
  type Linked,
  linked,
  linkedOf,
  type Round,
  toldOf,
  troubleOf,
  unlinked,
  working,
} from './family-condition.ts'
import {
  type Health,
  type HealthChange,
  type Pace,
  type Probe,
  type ProbeSample,
  sameHealth,
  targetKey,
} from './probing.ts'
import { RoundTripTime } from './rtt.ts'

/** Least probe timeout, in ms: below this a scheduler's whim counts as a loss. */
export const LEAST_TIMEOUT = 200
/** Interval of a metered path on standby, in ms. */
export const SPARING_INTERVAL = 60_000
/** How long traffic that still arrives may delay a verdict from lost probes alone, in ms. */
export const TRAFFIC_GRACE = 10_000
/** How long an LCP echo, which comes each second, speaks for the path although no probe is answered, in ms. */
const LIFE_LIMIT = 1_500
/** How long an answer to an old probe still proves life, in ms. */
const LATE_LIMIT = 10_000
/** Ids have to fit into the sequence number of an echo. */
const MAX_ID = 0xffff
/** Probes that loss is told over. */
const LOSS_WINDOW = 100
/** Samples kept for a reader that does not come. */
const MAX_SAMPLES = 1000

interface Target {
  readonly target: ProbeTarget
  /** It has answered on this path, or on another one: its silence means something. */
  counts: boolean
}

interface Outstanding {
  readonly key: string
  readonly sentAt: Millis
  readonly round: Round
}

/**
 * The health of one address family of a path, sans IO: give inputs, then drain `pollProbe` and `pollChange`, then arm `pollTimeout`.
 *
 * While all is well one target is probed each interval, in turn. After a first miss all of them are probed at once, one
 * round after the other, each as long as the timeout; the path is down when `down` rounds in a row were missed by all.
 * Down paths go on being probed; `up` answered rounds in a row bring them back.
 */
export class FamilyHealth {
  readonly #config: ProbeConfig
  readonly #firstId: number
  readonly #rtt = new RoundTripTime()
  readonly #targets = new Map<string, Target>()
  readonly #outstanding = new Map<number, Outstanding>()
  readonly #probes: Probe[] = []
  readonly #changes: HealthChange[] = []
  readonly #samples: ProbeSample[] = []
  readonly #recent: boolean[] = []
  #answeredAt: Millis | undefined
  /** When the first of those probes was sent that were not answered since then. */
  #silentSince: Millis | undefined
  #condition: Condition = { kind: 'unseen' }
  #targetsGiven = false
  #pace: Pace = 'normal'
  #turn = 0
  #nextId: number
  #received: number | undefined
  #trafficAt: Millis | undefined
  /** Whoever asked for it blames nobody before then, whatever the link does meanwhile. */
  #lenientUntil: Millis | undefined

  constructor(config: ProbeConfig, family: Family) {
    this.#config = config
    this.#firstId = family === 4 ? 1 : 2
    this.#nextId = this.#firstId
  }

  get health(): Health {
    return healthOf(this.#condition)
  }

  get reason(): string {
    return toldOf(this.#condition).reason
  }

  /** Smoothed round-trip time of the probes in ms. */
  get rttMs(): number | null {
    const { smoothed } = this.#rtt
    return smoothed === undefined ? null : Math.round(smoothed * 100) / 100
  }

  /** Share of the last 100 probes that were missed, 0..1. */
  get loss(): number | null {
    if (this.#recent.length === 0) return null
    return this.#recent.filter((answered) => !answered).length / this.#recent.length
  }

  /** When the trouble that led to the present health began: the first probe that was missed was sent then. */
  get troubleSince(): Millis | undefined {
    return troubleOf(this.#condition)
  }

  /** Targets whose silence counts, for `state_dir`. */
  get answering(): readonly string[] {
    return [...this.#targets].filter(([, { counts }]) => counts).map(([key]) => key)
  }

  /** When a probe was last answered. */
  get answeredAt(): Millis | undefined {
    return this.#answeredAt
  }

  /** The addresses of the targets whose silence counts. */
  get names(): readonly string[] {
    return [...this.#targets.values()].filter(({ counts }) => counts).map(({ target }) => target.address)
  }

  // ---- inputs

  /** The device can carry packets or cannot; `reason` says what is wrong with it. */
  link(now: Millis, up: boolean, reason = 'the link is down'): void {
    if (!up) {
      this.#outstanding.clear()
      this.#enter(unlinked(now, this.#condition, reason))
    } else if (!linkedOf(this.#condition)) {
      const state = linked(now, this.#condition)
      this.#enter(state)
      this.#probeAll(now, state)
    }
  }

  /** Whom to probe; `known` are keys whose answer was seen on an earlier day or on another path. */
  targets(now: Millis, targets: readonly ProbeTarget[], known: ReadonlySet<string>): void {
    this.#targetsGiven = true
    const wanted = new Map(targets.map((target) => [targetKey(target), target]))
    const fresh = [...wanted.keys()].some((key) => !this.#targets.has(key))
    for (const key of [...this.#targets.keys()]) if (!wanted.has(key)) this.#targets.delete(key)
    for (const [key, target] of wanted) {
      const old = this.#targets.get(key)
      if (old) old.counts ||= known.has(key)
      else this.#targets.set(key, { target, counts: known.has(key) })
    }
    const state = linkedOf(this.#condition)
    if (state?.asking.kind === 'idle' && (fresh || state.kind === 'unknown')) this.#probeAll(now, state)
  }

  pace(now: Millis, pace: Pace): void {
    if (pace === this.#pace) return
    this.#pace = pace
    const state = linkedOf(this.#condition)
    if (pace === 'normal' && state) this.#condition = dueBy(state, now)
  }

  /** A probe of ours was answered. */
  answered(now: Millis, id: number): void {
    const probe = this.#outstanding.get(id)
    const state = linkedOf(this.#condition)
    if (!probe || !state) return
    this.#outstanding.delete(id)
    this.#answeredAt = now
    this.#silentSince = undefined
    this.#rtt.sample(now - probe.sentAt)
    this.#note(now - probe.sentAt, probe.round.lost)
    probe.round.lost = false
    const target = this.#targets.get(probe.key)
    if (target) target.counts = true
    // Several answers to one round are one round.
    this.#enter(heard(now, state, state.asking.kind === 'round', this.#config))
  }

  /** Probes all targets at once, and counts no miss against the path before `until`. */
  probeNow(now: Millis, until: Millis): void {
    const state = linkedOf(this.#condition)
    if (!state) return
    this.#lenientUntil = until
    this.#probeAll(now, state)
  }

  /** Something else proves that the path works, such as an LCP echo. `answeredBeside`: as for `timeout`. */
  life(now: Millis, answeredBeside?: Millis): void {
    const before = linkedOf(this.#condition)
    if (!before || this.#failsAlone(answeredBeside)) return
    const state: Linked = { ...before, asking: { ...before.asking, livesUntil: after(now, LIFE_LIMIT) } }
    this.#condition = state
    // Where another family is heard too, only its own probes tell whether this one works.
    if (state.asking.kind === 'round' && answeredBeside !== undefined) return
    // Answers to probes count by their rounds; echoes have none, and come once in their own interval.
    this.#enter(heard(now, state, true, this.#config))
  }

  /** Packets that the device has received so far. */
  traffic(now: Millis, received: number): void {
    if (this.#received !== undefined && received > this.#received) this.#trafficAt = now
    this.#received = received
  }

  /** `answeredBeside`: when a probe of another family was last answered over the same path. */
  timeout(now: Millis, answeredBeside?: Millis): void {
    for (const [id, { sentAt }] of this.#outstanding) {
      if (now - sentAt < LATE_LIMIT) break
      this.#outstanding.delete(id)
    }
    const asked = linkedOf(this.#condition)
    if (asked?.asking.kind === 'round' && now >= asked.asking.round.deadline)
      this.#missed(now, idle(asked), asked.asking.round, answeredBeside)
    const state = linkedOf(this.#condition)
    if (state?.asking.kind === 'idle' && now >= state.asking.nextAt) this.#regular(now, state)
  }

  // ---- outputs

  pollProbe(): Probe | undefined {
    return this.#probes.shift()
  }

  pollChange(): HealthChange | undefined {
    return this.#changes.shift()
  }

  /** Each probe that was answered, and each round that was not. */
  pollSample(): ProbeSample | undefined {
    return this.#samples.shift()
  }

  pollTimeout(): Millis | undefined {
    return deadlineOf(this.#condition)
  }

  // ---- rounds

  #regular(now: Millis, state: Linked): void {
    const counting = [...this.#targets.values()].filter(({ counts }) => counts)
    const target = counting[this.#turn++ % Math.max(1, counting.length)]
    if (state.kind === 'up' && target) this.#begin(now, state, [target.target])
    else this.#probeAll(now, state)
  }

  #probeAll(now: Millis, state: Linked): void {
    const targets = [...this.#targets.values()].map(({ target }) => target)
    this.#begin(now, state, targets)
  }

  #begin(now: Millis, state: Linked, targets: readonly ProbeTarget[]): void {
    const nextAt = after(now, this.#interval())
    if (targets.length === 0) {
      const waiting: Linked = { ...state, asking: { ...state.asking, nextAt } }
      this.#enter(this.#targetsGiven ? linkDecides(waiting) : waiting)
      return
    }
    const round: Round = { startedAt: now, deadline: after(now, this.#timeoutMs()), lost: false }
    for (const target of targets) {
      const id = this.#nextId
      this.#nextId = id + 2 > MAX_ID ? this.#firstId : id + 2
      this.#outstanding.set(id, { key: targetKey(target), sentAt: now, round })
      this.#probes.push({ id, target })
    }
    const asking: Asking = { kind: 'round', round, nextAt, livesUntil: state.asking.livesUntil }
    this.#enter({ ...state, asking })
  }

  #interval(): number {
    return this.#pace === 'sparing' ? SPARING_INTERVAL : this.#config.interval
  }

  #timeoutMs(): number {
    const { timeout, interval } = this.#config
    if (timeout !== 'auto') return timeout
    return this.#rtt.timeout(LEAST_TIMEOUT, Math.max(LEAST_TIMEOUT, interval))
  }

  /** `state`: as it is once the round is over. */
  #missed(now: Millis, state: Linked, round: Round, answeredBeside: Millis | undefined): void {
    this.#condition = state
    this.#note(undefined)
    round.lost = true
    if (![...this.#targets.values()].some(({ counts }) => counts)) {
      this.#enter(linkDecides(state))
      return
    }
    const { livesUntil } = state.asking
    const lives = livesUntil !== undefined && now < livesUntil
    this.#silentSince ??= round.startedAt
    const spokenFor = lives && !this.#failsAlone(answeredBeside)
    switch (state.kind) {
      case 'down':
        if (!spokenFor) this.#enter({ ...state, answeredRounds: 0 })
        return
      case 'unknown':
      case 'up':
      case 'suspect':
        if (spokenFor) this.#enter(heard(now, state, false, this.#config))
        else if (this.#lenientUntil !== undefined && now < this.#lenientUntil) this.#probeAll(now, state)
        else this.#blame(now, state, round)
    }
  }

  /** The round counts against the path, which is down after several, or asked again at once. */
  #blame(now: Millis, state: Exclude<Linked, { kind: 'down' }>, round: Round): void {
    const before = state.kind === 'up' ? undefined : state.misses
    const misses = { count: (before?.count ?? 0) + 1, since: before?.since ?? round.startedAt }
    // In this round: what arrived before a death, while its first probe was under way, proves nothing about now.
    const spoken = this.#trafficAt !== undefined && this.#trafficAt > round.startedAt
    const mayWait = spoken && now + this.#timeoutMs() - misses.since <= TRAFFIC_GRACE
    const { asking } = state
    if (misses.count >= this.#config.down && !mayWait) {
      const reason = `no answer from ${this.#names()}`
      this.#enter({ kind: 'down', reason, troubleSince: misses.since, answeredRounds: 0, asking })
      return
    }
    const next: Linked =
      state.kind === 'up'
        ? { kind: 'suspect', reason: `a probe was not answered, asking ${this.#names()}`, misses, asking }
        : { ...state, misses }
    this.#enter(next)
    this.#probeAll(now, next)
  }

  /** Another family was answered since this one is not: what proves that the link lives proves nothing for this one. */
  #failsAlone(answeredBeside: Millis | undefined): boolean {
    const since = this.#silentSince
    return since !== undefined && answeredBeside !== undefined && answeredBeside >= since
  }

  #enter(condition: Condition): void {
    const before = toldOf(this.#condition)
    this.#condition = condition
    const told = toldOf(condition)
    if (!sameHealth(before, told)) this.#changes.push(told)
  }

  /** `late`: instead of the loss that was noted for it. */
  #note(rttMs: number | undefined, late = false): void {
    const loss = late ? this.#recent.lastIndexOf(false) : -1
    if (loss >= 0) this.#recent[loss] = true
    else this.#recent.push(rttMs !== undefined)
    if (this.#recent.length > LOSS_WINDOW) this.#recent.shift()
    this.#samples.push(late ? { rttMs, late } : { rttMs })
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift()
  }

  #names(): string {
    return this.names.join(', ')
  }
}

/** No target ever answered here or elsewhere: their silence says nothing. */
function linkDecides(state: Linked): Linked {
  return working(state, 'the link is up; no probe target has ever answered on this path')
}
