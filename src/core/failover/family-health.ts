import type { ProbeConfig, ProbeTarget } from '../config/types.ts'
import type { Family } from '../netlink/address.ts'
import type { Millis } from '../time.ts'
import { after, earliest, millis } from '../time.ts'
import {
  type Health,
  type HealthChange,
  type Pace,
  type Probe,
  type ProbeSample,
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

/** One round of probes; it is missed if none of them is answered by `deadline`. */
interface Round {
  readonly startedAt: Millis
  readonly deadline: Millis
  /** It was told as lost, and no answer has come since. */
  lost: boolean
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
  #linkUp = false
  #targetsGiven = false
  #health: Health = 'unknown'
  #reason = 'not looked at yet'
  #pace: Pace = 'normal'
  #round: Round | undefined
  #nextAt: Millis | undefined
  #turn = 0
  #nextId: number
  #misses = 0
  #firstMissAt: Millis | undefined
  #answeredRounds = 0
  #received: number | undefined
  #trafficAt: Millis | undefined
  #lifeAt: Millis | undefined
  #lenientUntil: Millis | undefined

  constructor(config: ProbeConfig, family: Family) {
    this.#config = config
    this.#firstId = family === 4 ? 1 : 2
    this.#nextId = this.#firstId
  }

  get health(): Health {
    return this.#health
  }

  get reason(): string {
    return this.#reason
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
    return this.#firstMissAt
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
      this.#linkUp = false
      this.#lifeAt = undefined
      this.#outstanding.clear()
      this.#stopRound()
      this.#nextAt = undefined
      this.#answeredRounds = 0
      this.#firstMissAt ??= now
      this.#become('down', reason)
    } else if (!this.#linkUp) {
      this.#linkUp = true
      this.#forgetMisses()
      if (this.#health === 'down') this.#become('unknown', 'the link came up, probing')
      this.#probeAll(now)
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
    if (this.#linkUp && !this.#round && (fresh || this.#health === 'unknown')) this.#probeAll(now)
  }

  pace(now: Millis, pace: Pace): void {
    if (pace === this.#pace) return
    this.#pace = pace
    if (pace === 'normal' && this.#nextAt !== undefined) this.#nextAt = millis(Math.min(this.#nextAt, now))
  }

  /** A probe of ours was answered. */
  answered(now: Millis, id: number): void {
    const probe = this.#outstanding.get(id)
    if (!probe) return
    this.#outstanding.delete(id)
    this.#answeredAt = now
    this.#silentSince = undefined
    this.#rtt.sample(now - probe.sentAt)
    this.#note(now - probe.sentAt, probe.round.lost)
    probe.round.lost = false
    const target = this.#targets.get(probe.key)
    if (target) target.counts = true
    this.#alive(now)
  }

  /** Probes all targets at once, and counts no miss against the path before `until`. */
  probeNow(now: Millis, until: Millis): void {
    if (!this.#linkUp) return
    this.#lenientUntil = until
    this.#probeAll(now)
  }

  /** Something else proves that the path works, such as an LCP echo. `answeredBeside`: as for `timeout`. */
  life(now: Millis, answeredBeside?: Millis): void {
    if (!this.#linkUp || this.#failsAlone(answeredBeside)) return
    this.#lifeAt = now
    // Where another family is heard too, only its own probes tell whether this one works.
    if (this.#round && answeredBeside !== undefined) return
    // Answers to probes count by their rounds; echoes have none, and come once in their own interval.
    if (this.#health === 'down' && !this.#round) this.#answeredRounds++
    this.#alive(now)
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
    if (this.#round && now >= this.#round.deadline) this.#missed(now, this.#round, answeredBeside)
    if (!this.#round && this.#nextAt !== undefined && now >= this.#nextAt) this.#regular(now)
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
    return earliest(this.#round?.deadline, this.#round ? undefined : this.#nextAt)
  }

  // ---- rounds

  #regular(now: Millis): void {
    const counting = [...this.#targets.values()].filter(({ counts }) => counts)
    const target = counting[this.#turn++ % Math.max(1, counting.length)]
    if (this.#health === 'up' && target) this.#begin(now, [target.target])
    else this.#probeAll(now)
  }

  #probeAll(now: Millis): void {
    this.#begin(
      now,
      [...this.#targets.values()].map(({ target }) => target),
    )
  }

  #begin(now: Millis, targets: readonly ProbeTarget[]): void {
    this.#nextAt = after(now, this.#interval())
    if (targets.length === 0) {
      if (this.#targetsGiven) this.#linkDecides()
      return
    }
    const round: Round = { startedAt: now, deadline: after(now, this.#timeoutMs()), lost: false }
    for (const target of targets) {
      const id = this.#nextId
      this.#nextId = id + 2 > MAX_ID ? this.#firstId : id + 2
      this.#outstanding.set(id, { key: targetKey(target), sentAt: now, round })
      this.#probes.push({ id, target })
    }
    this.#round = round
  }

  #interval(): number {
    return this.#pace === 'sparing' ? SPARING_INTERVAL : this.#config.interval
  }

  #timeoutMs(): number {
    const { timeout, interval } = this.#config
    if (timeout !== 'auto') return timeout
    return this.#rtt.timeout(LEAST_TIMEOUT, Math.max(LEAST_TIMEOUT, interval))
  }

  #missed(now: Millis, round: Round, answeredBeside: Millis | undefined): void {
    this.#stopRound()
    this.#note(undefined)
    round.lost = true
    if (![...this.#targets.values()].some(({ counts }) => counts)) {
      this.#linkDecides()
      return
    }
    const lives = this.#lifeAt !== undefined && now - this.#lifeAt < LIFE_LIMIT
    this.#silentSince ??= round.startedAt
    if (lives && !this.#failsAlone(answeredBeside)) {
      if (this.#health !== 'down') this.#alive(now)
      return
    }
    this.#answeredRounds = 0
    if (this.#health === 'down') return
    if (this.#lenientUntil !== undefined && now < this.#lenientUntil) {
      this.#probeAll(now)
      return
    }
    this.#misses++
    this.#firstMissAt ??= round.startedAt
    // In this round: what arrived before a death, while its first probe was under way, proves nothing about now.
    const spoken = this.#trafficAt !== undefined && this.#trafficAt > round.startedAt
    const mayWait = spoken && now + this.#timeoutMs() - this.#firstMissAt <= TRAFFIC_GRACE
    if (this.#misses >= this.#config.down && !mayWait) {
      this.#become('down', `no answer from ${this.#names()}`)
      return
    }
    if (this.#health === 'up') this.#become('suspect', `a probe was not answered, asking ${this.#names()}`)
    this.#probeAll(now)
  }

  /** Another family was answered since this one is not: what proves that the link lives proves nothing for this one. */
  #failsAlone(answeredBeside: Millis | undefined): boolean {
    const since = this.#silentSince
    return since !== undefined && answeredBeside !== undefined && answeredBeside >= since
  }

  #alive(now: Millis): void {
    const inRound = this.#round !== undefined
    this.#stopRound()
    if (this.#health === 'down') {
      // Several answers to one round are one round.
      if (inRound) this.#answeredRounds++
      if (this.#answeredRounds < this.#config.up) {
        // It seems to come back: what is spared otherwise is spent on making sure soon.
        if (inRound) this.#nextAt = millis(Math.min(this.#nextAt ?? now, after(now, this.#config.interval)))
        return
      }
    }
    this.#forgetMisses()
    this.#nextAt ??= now
    this.#become('up', 'probes are answered')
  }

  /** No target ever answered here or elsewhere: their silence says nothing. */
  #linkDecides(): void {
    this.#forgetMisses()
    this.#become('up', 'the link is up; no probe target has ever answered on this path')
  }

  #stopRound(): void {
    this.#round = undefined
  }

  #forgetMisses(): void {
    this.#misses = 0
    this.#answeredRounds = 0
    this.#firstMissAt = undefined
  }

  #become(health: Health, reason: string): void {
    if (health === this.#health && (health !== 'down' || reason === this.#reason)) return
    this.#health = health
    this.#reason = reason
    this.#changes.push({ health, reason })
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
