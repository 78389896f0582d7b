import type { ProbeConfig, ProbeTarget } from '../../core/config/types.ts'
import { equal } from '../../core/equal.ts'
import { PathHealth } from '../../core/failover/health.ts'
import {
  FAMILIES,
  type Health,
  type HealthChange,
  type Pace,
  type ProbeSample,
  targetKey,
} from '../../core/failover/probing.ts'
import type { Family } from '../../core/ip/address.ts'
import { after, type Millis } from '../../core/time.ts'
import type { Cancel, Clock } from '../ports.ts'
import { Prober, type ProberPorts, type Way } from './prober.ts'

/** Which path is watched, and who is told what was seen. */
export interface PathWatcherOptions {
  readonly name: string
  readonly probe: ProbeConfig
  /** Health, its reason or a round-trip time have changed. */
  onChange(): void
  /** A probe of that family was answered. */
  onAnswer(family: Family): void
  /** A probe was answered, or a round of them was not. */
  onSample(sample: ProbeSample): void
  onHealth(change: HealthChange): void
  /** Packets that the device has received so far; undefined if it is not there. */
  received(): number | undefined
}

/** Runs the health of one path: its probes, its alarm, and the way by which probes leave. */
export class PathWatcher {
  readonly #options: PathWatcherOptions
  readonly #clock: Clock
  readonly #ports: ProberPorts
  readonly #health: PathHealth
  #prober: Prober | undefined
  #way: Way | undefined
  #targets: readonly ProbeTarget[] = []
  #confirming: { readonly awaited: Set<Family>; readonly done: () => void } | undefined
  #cancel: Cancel | undefined

  constructor(options: PathWatcherOptions, clock: Clock, ports: ProberPorts) {
    this.#options = options
    this.#clock = clock
    this.#ports = ports
    this.#health = new PathHealth(options.probe)
  }

  get health(): PathHealth {
    return this.#health
  }

  get state(): Health {
    return this.#health.health
  }

  /**
   * How probes leave now; undefined while the link is down, for a reason in words. Whom to probe, and which of them are
   * known to answer on this path or another.
   */
  set(
    way: Way | undefined,
    reason: string,
    targets: readonly ProbeTarget[],
    known: ReadonlySet<string>,
  ): void {
    if (!equal(way, this.#way)) {
      this.#way = way
      this.#prober?.close()
      this.#prober = way && new Prober(way, this.#ports, (id) => this.#answered(id))
    }
    this.#targets = targets.filter((target) => this.#prober?.reaches(target) ?? false)
    const present = FAMILIES.filter((family) => way?.sources[family] !== undefined)
    this.#run((health, now) => {
      health.targets(now, this.#targets, known, present)
      health.link(now, way !== undefined, reason)
    })
  }

  setPace(pace: Pace): void {
    this.#run((health, now) => health.pace(now, pace))
  }

  /** An LCP echo came back through the path. */
  life(): void {
    this.#run((health, now) => health.life(now))
  }

  /**
   * Probes all targets until one of each family that has to work answers, for `span` ms at most, and counts no miss
   * against the path meanwhile. Where none has ever answered the link decides, and it is up.
   */
  confirm(span: number, done: () => void): void {
    if (this.answering().length === 0) {
      done()
      return
    }
    this.#confirming = { awaited: new Set(this.#health.awaited), done }
    this.#run((health, now) => health.probeNow(now, after(now, span)))
  }

  close(): void {
    this.#cancel?.()
    this.#prober?.close()
    this.#prober = undefined
  }

  /** Keys of the targets whose silence would mean something here. */
  answering(): readonly string[] {
    const here = new Set(this.#targets.map(targetKey))
    return this.#health.answering.filter((key) => here.has(key))
  }

  #answered(id: number): void {
    const confirming = this.#confirming
    let answered: Family | undefined
    this.#run((health, now) => {
      answered = health.answered(now, id)
      confirming?.awaited.delete(answered)
    })
    if (confirming?.awaited.size === 0 && confirming === this.#confirming) {
      this.#confirming = undefined
      confirming.done()
    }
    if (answered !== undefined) this.#options.onAnswer(answered)
    this.#options.onChange()
  }

  /** What was received counts before the verdict that it may delay. */
  #timeout(health: PathHealth, now: Millis): void {
    const received = this.#options.received()
    if (received !== undefined) health.traffic(now, received)
    health.timeout(now)
  }

  #run(input: (health: PathHealth, now: Millis) => void): void {
    input(this.#health, this.#clock.now())
    for (let probe = this.#health.pollProbe(); probe; probe = this.#health.pollProbe())
      this.#prober?.send(probe)
    for (let sample = this.#health.pollSample(); sample; sample = this.#health.pollSample())
      this.#options.onSample(sample)
    let changed = false
    for (let change = this.#health.pollChange(); change; change = this.#health.pollChange()) {
      changed = true
      this.#options.onHealth(change)
    }
    this.#cancel?.()
    const deadline = this.#health.pollTimeout()
    this.#cancel =
      deadline === undefined
        ? undefined
        : this.#clock.alarm(deadline, () => this.#run((health, now) => this.#timeout(health, now)))
    if (changed) this.#options.onChange()
  }
}
