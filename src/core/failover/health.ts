import type { ProbeConfig, ProbeTarget, Require } from '../config/types.ts'
import type { Family } from '../ip/address.ts'
import { ipFamily } from '../ip/address.ts'
import type { Millis } from '../time.ts'
import { earliest } from '../time.ts'
import { FamilyHealth } from './family-health.ts'
import type { FamilyState, Health, HealthChange, Pace, Probe, ProbeSample } from './probing.ts'
import { FAMILIES, sameHealth } from './probing.ts'

/** The families without which a path does not do what is wanted of it; empty: any one will do. */
const REQUIRED: Readonly<Record<Require, readonly Family[]>> = {
  ipv4: [4],
  ipv6: [6],
  both: [4, 6],
  any: [],
}

/** Whether the device can carry packets; before the first look nothing is known. */
type Link =
  | { readonly kind: 'unseen' }
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly reason: string }

/** What is known of a path, with the families told apart: what is lost matters only where it works without. */
type Verdict =
  | { readonly health: 'down'; readonly reason: string }
  | { readonly health: Exclude<Health, 'down'>; readonly reason: string; readonly lost: readonly Family[] }

/**
 * The health of one path, sans IO: give inputs, then drain `pollProbe` and `pollChange`, then arm `pollTimeout`.
 *
 * IPv4 and IPv6 fail separately (CGNAT, AFTR, a prefix that is not routed any more), so each is probed and judged by
 * itself. The path is as well as the families that option `require` names; that another one is lost is told beside.
 */
export class PathHealth {
  readonly #families: Readonly<Record<Family, FamilyHealth>>
  readonly #required: readonly Family[]
  readonly #changes: HealthChange[] = []
  readonly #samples: ProbeSample[] = []
  readonly #heard = new Set<Family>()
  /** Those that the path has an address of. */
  #present: readonly Family[] = [4]
  #link: Link = { kind: 'unseen' }
  #verdict: Verdict = UNSEEN

  constructor(config: ProbeConfig) {
    this.#families = { 4: new FamilyHealth(config, 4), 6: new FamilyHealth(config, 6) }
    this.#required = REQUIRED[config.require]
  }

  get health(): Health {
    return this.#verdict.health
  }

  get reason(): string {
    return this.#verdict.reason
  }

  /** Families that worked, or do elsewhere, and do not here, although they are not required. */
  get lost(): readonly Family[] {
    return lostOf(this.#verdict)
  }

  /** The device can carry packets, whoever answers. */
  get linked(): boolean {
    return this.#link.kind === 'up'
  }

  /** How one family fares. Where no target of it has ever answered that says nothing while another family answers. */
  family(family: Family): FamilyState {
    if (!this.linked) return 'down'
    if (!this.#present.includes(family)) return 'none'
    const { health, answering } = this.#families[family]
    const mute = answering.length === 0 && this.answering.length > 0
    return mute && health !== 'down' ? 'unknown' : health
  }

  /** Smoothed round-trip time of the probes in ms. */
  get rttMs(): number | null {
    return this.#families[this.#primary].rttMs
  }

  /** Share of the last 100 probes that were missed, 0..1. */
  get loss(): number | null {
    return this.#families[this.#primary].loss
  }

  /** When the trouble that led to the present health began: the first probe that was missed was sent then. */
  get troubleSince(): Millis | undefined {
    return earliest(...this.#relevant.map((family) => this.#families[family].troubleSince))
  }

  /** Targets whose silence counts, for `state_dir`. */
  get answering(): readonly string[] {
    return FAMILIES.flatMap((family) => this.#families[family].answering)
  }

  /** The families from which an answer is due before the path is believed to carry traffic. */
  get awaited(): readonly Family[] {
    const able = this.#present.filter((family) => this.#families[family].answering.length > 0)
    return able.filter((family) => this.#required.includes(family))
  }

  /** Families that have to work and of which the path has no address. */
  get absent(): readonly Family[] {
    return this.#required.filter((family) => !this.#present.includes(family))
  }

  // ---- inputs

  /** The device can carry packets or cannot; `reason` says what is wrong with it. */
  link(now: Millis, up: boolean, reason = 'the link is down'): void {
    this.#link = up ? { kind: 'up' } : { kind: 'down', reason }
    if (!up) this.#heard.clear()
    for (const family of FAMILIES) this.#linkOf(now, family)
    this.#settle()
  }

  /**
   * Whom to probe; `known` are keys whose answer was seen on an earlier day or on another path. `present`: the families
   * that the path has an address of.
   */
  targets(
    now: Millis,
    targets: readonly ProbeTarget[],
    known: ReadonlySet<string>,
    present: readonly Family[] = familiesOf(targets),
  ): void {
    if (present.length > 0) this.#present = present
    for (const family of FAMILIES) {
      const own = targets.filter(({ address }) => ipFamily(address) === family)
      this.#families[family].targets(now, own, known)
      if (this.linked) this.#linkOf(now, family)
    }
    this.#settle()
  }

  pace(now: Millis, pace: Pace): void {
    this.#each((health) => health.pace(now, pace))
  }

  /** A probe of ours was answered; which family it was of. */
  answered(now: Millis, id: number): Family {
    const family = id % 2 === 1 ? 4 : 6
    const health = this.#families[family]
    health.answered(now, id)
    if (health.answeredAt === now) this.#heard.add(family)
    this.#settle()
    return family
  }

  /** Probes all targets at once, and counts no miss against the path before `until`. */
  probeNow(now: Millis, until: Millis): void {
    this.#each((health) => health.probeNow(now, until))
  }

  /** Something else proves that the path works, such as an LCP echo: not that a family does which fails beside another. */
  life(now: Millis): void {
    for (const family of FAMILIES) this.#families[family].life(now, this.#answeredBeside(family))
    this.#settle()
  }

  /** Packets that the device has received so far. */
  traffic(now: Millis, received: number): void {
    this.#each((health) => health.traffic(now, received))
  }

  timeout(now: Millis): void {
    for (const family of FAMILIES) this.#families[family].timeout(now, this.#answeredBeside(family))
    this.#settle()
  }

  // ---- outputs

  pollProbe(): Probe | undefined {
    return this.#families[4].pollProbe() ?? this.#families[6].pollProbe()
  }

  pollChange(): HealthChange | undefined {
    return this.#changes.shift()
  }

  /** Each probe of the family that counts most which was answered, and each round which was not. */
  pollSample(): ProbeSample | undefined {
    return this.#samples.shift()
  }

  pollTimeout(): Millis | undefined {
    return earliest(...FAMILIES.map((family) => this.#families[family].pollTimeout()))
  }

  // ---- judging

  /** The family whose figures stand for the path. */
  get #primary(): Family {
    return this.#relevant[0] ?? 4
  }

  /** Those required, where the path has any of them; else what it has. */
  get #relevant(): readonly Family[] {
    const wanted = this.#present.filter((family) => this.#required.includes(family))
    return wanted.length > 0 ? wanted : this.#present
  }

  #judge(): Verdict {
    switch (this.#link.kind) {
      case 'unseen':
        return UNSEEN
      case 'down':
        return { health: 'down', reason: this.#link.reason }
      case 'up':
        return this.#judgeFamilies()
    }
  }

  #judgeFamilies(): Verdict {
    const dead = this.#judged.filter((family) => this.#families[family].health === 'down')
    if (dead.length === this.#judged.length) {
      const names = dead.flatMap((family) => this.#families[family].names)
      const [first = 4] = dead
      const reason = names.length > 0 ? `no answer from ${names.join(', ')}` : this.#families[first].reason
      return { health: 'down', reason }
    }
    const missing = this.#lacking(this.#required)
    if (missing.length > 0) return { health: 'down', reason: this.#lackingText(missing) }
    const lost = this.#lacking(FAMILIES).filter((family) => this.#wasThere(family))
    const { health, reason } = this.#worst()
    return { health, lost, reason: health === 'up' && lost.length > 0 ? this.#lackingText(lost) : reason }
  }

  /** Those whose silence means something, if there are any; what has never answered anywhere speaks for nobody. */
  get #judged(): readonly Family[] {
    const heard = this.#present.filter((family) => this.#families[family].answering.length > 0)
    return heard.length > 0 ? heard : this.#present
  }

  #lacking(families: readonly Family[]): Family[] {
    return families.filter(
      (family) => !this.#present.includes(family) || this.#families[family].health === 'down',
    )
  }

  /** It has an address, so that it ought to work, or has been seen to work since the link came up. */
  #wasThere(family: Family): boolean {
    return this.#present.includes(family) || this.#heard.has(family)
  }

  /** Of the families that count: a miss is told at once, and each one has to have been heard. */
  #worst(): { health: Exclude<Health, 'down'>; reason: string } {
    const counting = this.#required.length > 0 ? this.#required : this.#judged
    const healths = counting.map((family) => this.#families[family])
    // Where any family will do the best one speaks for the path.
    const order =
      this.#required.length > 0
        ? (['suspect', 'unknown', 'up'] as const)
        : (['up', 'suspect', 'unknown'] as const)
    for (const health of order) {
      const found = healths.find((each) => each.health === health)
      if (found) return { health, reason: found.reason }
    }
    return { health: 'unknown', reason: this.#verdict.reason }
  }

  #lackingText(families: readonly Family[]): string {
    return families.map((family) => this.#lackText(family)).join('; ')
  }

  #lackText(family: Family): string {
    const name = `IPv${family}`
    const lost = this.#heard.has(family)
    if (!this.#present.includes(family))
      return lost ? `lost ${name}: it has no ${name} address any more` : `has no ${name} address`
    return `${lost ? `lost ${name}` : `has no working ${name}`}: no answer from ${this.#families[family].names.join(', ')}`
  }

  /** When a probe of another family was last answered. */
  #answeredBeside(family: Family): Millis | undefined {
    const others = this.#present.filter((other) => other !== family)
    return others.map((other) => this.#families[other].answeredAt).find((at) => at !== undefined)
  }

  #linkOf(now: Millis, family: Family): void {
    const health = this.#families[family]
    switch (this.#link.kind) {
      case 'unseen':
        return
      case 'down':
        health.link(now, false, this.#link.reason)
        return
      case 'up':
        if (this.#present.includes(family)) health.link(now, true)
        else health.link(now, false, `has no IPv${family} address`)
    }
  }

  #each(input: (health: FamilyHealth) => void): void {
    for (const family of FAMILIES) input(this.#families[family])
    this.#settle()
  }

  /** Takes what the families say, and tells what it means for the path where that is news. */
  #settle(): void {
    const primary = this.#primary
    for (const family of FAMILIES) {
      const health = this.#families[family]
      while (health.pollChange());
      for (let sample = health.pollSample(); sample; sample = health.pollSample())
        if (family === primary) this.#note(sample)
    }
    const before = this.#verdict
    this.#verdict = this.#judge()
    if (sameVerdict(before, this.#verdict)) return
    const { health, reason } = this.#verdict
    this.#changes.push({ health, reason })
  }

  #note(sample: ProbeSample): void {
    this.#samples.push(sample)
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift()
  }
}

/** Samples kept for a reader that does not come. */
const MAX_SAMPLES = 1000

/** Before the first look. */
const UNSEEN: Verdict = { health: 'unknown', reason: 'not looked at yet', lost: [] }

function lostOf(verdict: Verdict): readonly Family[] {
  return verdict.health === 'down' ? [] : verdict.lost
}

/** Whether there is nothing to tell; the families are in the order of `FAMILIES` in both. */
function sameVerdict(one: Verdict, other: Verdict): boolean {
  const [lost, others] = [lostOf(one), lostOf(other)]
  const sameLost = lost.length === others.length && lost.every((family, i) => family === others[i])
  return sameHealth(one, other) && sameLost
}

function familiesOf(targets: readonly ProbeTarget[]): readonly Family[] {
  return FAMILIES.filter((family) => targets.some(({ address }) => ipFamily(address) === family))
}
