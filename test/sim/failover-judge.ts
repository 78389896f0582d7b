import type { ProbeConfig } from '../../src/core/config/types.ts'
import { LINGER, TRIAL_LIMIT } from '../../src/core/failover/controller.ts'
import { FAILBACK_DELAY_LIMIT } from '../../src/core/failover/damping.ts'
import { SPARING_INTERVAL, TRAFFIC_GRACE } from '../../src/core/failover/family-health.ts'
import type { SwitchKind } from '../../src/core/failover/types.ts'
import type { Family } from '../../src/core/ip/address.ts'
import type { StatusEvent } from '../../src/core/status/event.ts'
import { alive, type Line, sound } from './failover-line.ts'
import { type Story, story } from './failover-story.ts'
import { COUNTING, type FailoverWorld } from './failover-world.ts'
import { settling } from './promises.ts'

/**
 * How long a path that is well needs to be taken after the story, at most, in ms: damping, back-off, and all the rest. A
 * line whose address a tunnel has waits its time after that of the tunnel, as only then it can be seen to be well.
 */
const SETTLING = 2 * FAILBACK_DELAY_LIMIT + 150_000
/** What is right has to stay so for this long, in ms. */
const STEADY = 3_000
/** More than any history takes. */
const MOST_STEPS = 100_000
/** A line that was sound for this long must not be judged dead, in ms. */
const SOUND_FOR = 20_000

export interface Verdict {
  /** What was violated; empty if nothing. */
  readonly violations: readonly string[]
  readonly steps: number
  readonly switches: number
  readonly history: readonly string[]
}

/** Lives through the history of a seed and looks at every step whether what must hold does. */
export async function judge(seed: number, verbose = false): Promise<Verdict> {
  const history: string[] = []
  const say = (text: string) => {
    if (verbose) history.push(`${(told.world.time.now / 1000).toFixed(3).padStart(9)} ${text}`)
  }
  const told = story(seed, say)
  if (verbose) history.push(told.setting)
  const judgement = new Judgement(told, say)
  await judgement.live()
  return { violations: judgement.violations, steps: judgement.steps, switches: judgement.switches, history }
}

/** A path had the traffic and failed: the latest time, and how often in a row it had just come back. */
interface Loss {
  readonly at: number
  readonly flaps: number
  returned: boolean
}

class Judgement {
  readonly violations: string[] = []
  steps = 0
  switches = 0
  readonly #story: Story
  readonly #world: FailoverWorld
  readonly #say: (text: string) => void
  /** Since when the traffic gets nowhere. */
  #deadSince: number | undefined
  #bothSince: number | undefined
  #cutSince: number | undefined
  /** Since when the traffic is not on the path that is pinned, though that could carry it. */
  #astray: { readonly mode: string; readonly since: number } | undefined
  /** Since when a line could carry the traffic; since when it was beyond doubt. */
  readonly #wellSince = new Map<Line, number>()
  readonly #soundSince = new Map<Line, number>()
  /** Since when nothing gets through a line that has a carrier, in one direction at least. */
  readonly #silentSince = new Map<Line, number>()
  /** A drill or a change of mode was under way until then. */
  #meddledAt = 0
  /** Until then no target had answered on any path. */
  #deafAt = 0
  readonly #losses = new Map<string, Loss>()
  #chosen: string | undefined

  constructor(told: Story, say: (text: string) => void) {
    this.#story = told
    this.#world = told.world
    this.#say = say
    this.#world.onEvent = (event) => this.#told(event)
    this.#world.onChoice = (path) => this.#notToTheGone(path)
  }

  async live(): Promise<void> {
    const { world, length } = this.#story
    await settling(() => world.begin())
    this.#look()
    while (this.violations.length === 0 && world.time.isDue(length)) {
      const settled = settling(() => world.time.step(length))
      if (settled) await settled
      this.#look()
    }
    await this.#settle(length)
  }

  /** The world is left as it is: in the end the traffic gets through, and by no path worse than one that is well. */
  async #settle(length: number): Promise<void> {
    const { time } = this.#world
    let since = length
    while (this.violations.length === 0 && time.isDue(length + SETTLING)) {
      const settled = settling(() => time.step(length + SETTLING))
      if (settled) await settled
      this.#look()
      const expected = this.#expected()
      if (!this.#right(expected) || this.#drilling()) since = time.now
      // Where no path is well nothing is promised.
      if (time.now - since >= (expected === undefined ? 60_000 : STEADY)) return
    }
    const expected = this.#expected()
    if (this.violations.length === 0 && !this.#right(expected))
      this.#violated(`does not end on ${expected}, which is well`)
  }

  #right(expected: string | undefined): boolean {
    if (expected === undefined) return true
    const { routed, options } = this.#world
    if (routed === undefined || this.#dead()) return false
    // What has lost a family that is not required is left for a line that has both.
    const both = options.lines.some((line) => this.#whole(line)) || this.#both(routed)
    if (this.#auto && both && this.#lacks(expected)) return !this.#lacks(routed)
    const rank = (name: string) => options.config.failover.paths.indexOf(name)
    return routed === expected || rank(routed) < rank(expected)
  }

  get #auto(): boolean {
    return this.#world.mode === 'auto'
  }

  #expected(): string | undefined {
    const { mode, options } = this.#world
    const candidates = this.#auto ? options.config.failover.paths : [mode]
    return candidates.find((name) => {
      const line = this.#world.line(name)
      if (line) return this.#well(line)
      const tunnel = this.#world.tunnel(name)
      return tunnel?.promising && this.#enough(tunnel.serves(4), tunnel.serves(6))
    })
  }

  /** A family that is not required is there and does not work. */
  #lacks(name: string): boolean {
    const { require } = this.#probe
    if (this.#story.sixDeaf || require === 'both') return false
    const line = this.#world.line(name)
    const tunnel = this.#world.tunnel(name)
    const dead = (family: Family) => (line ? !alive(line, family) : !tunnel?.serves(family))
    const six = line?.six ?? tunnel?.traits.six ?? false
    return (six && dead(6)) || (require === 'any' && dead(4))
  }

  /** Both families get through. */
  #both(name: string): boolean {
    return this.#world.gets(name, 4) && this.#world.gets(name, 6)
  }

  /** Beyond doubt, and nobody else has its address. */
  #flawless(line: Line): boolean {
    return sound(line) && !line.cutOff && this.#serves(line.name) && !this.#world.holder(line)
  }

  /** Well in both families. */
  #whole(line: Line): boolean {
    return this.#well(line) && this.#both(line.name)
  }

  /** By option `require`. */
  #enough(four: boolean, six: boolean): boolean {
    switch (this.#probe.require) {
      case 'ipv4':
        return four
      case 'ipv6':
        return six
      case 'both':
        return four && six
      case 'any':
        return four || six
    }
  }

  #serves(name: string): boolean {
    return this.#enough(this.#world.gets(name, 4), this.#world.gets(name, 6))
  }

  // ---- every step

  #look(): void {
    if (++this.steps > MOST_STEPS) this.#violated('time stands still: an alarm is armed again and again')
    const { now } = this.#world.time
    for (const line of this.#world.options.lines) {
      keep(this.#wellSince, line, this.#well(line), now)
      keep(this.#silentSince, line, line.link && !this.#enough(alive(line), alive(line, 6)), now)
      // Who was dead may need long to be believed in again: nobody is wrong about it before it was seen to be up.
      const seen = () => this.#soundSince.has(line) || this.#world.shown(line.name)?.health === 'up'
      keep(this.#soundSince, line, this.#flawless(line) && seen(), now)
    }
    this.#chooses(now)
    if (this.#world.errors.length > 0) this.#violated(`an error was logged: ${this.#world.errors.join('; ')}`)
    this.#neverTwo(now)
    this.#cutOffRespected(now)
    this.#leavesTheDead(now)
    this.#pinnedOnly()
    this.#pinnedUsed(now)
  }

  /** The tunnel's session takes the address of the line: never both for longer than the handover takes. */
  #neverTwo(now: number): void {
    const { routed, options, tunnels } = this.#world
    const line = this.#world.line(routed ?? '')
    const taken =
      line !== undefined && tunnels.some(({ taken, traits }) => taken && traits.address === line.address)
    const both = taken && this.#world.shown(line.name)?.health !== 'down'
    this.#bothSince = both ? (this.#bothSince ?? now) : undefined
    if (this.#bothSince !== undefined && now - this.#bothSince > 4 * options.kernelDelay + 50)
      this.#violated(`two paths active: ${line?.name}, and the tunnel that has its address`)
  }

  #cutOffRespected(now: number): void {
    const { routed, options } = this.#world
    const cut = this.#world.line(routed ?? '')?.cutOff === true
    this.#cutSince = cut ? (this.#cutSince ?? now) : undefined
    if (this.#cutSince !== undefined && now - this.#cutSince > COUNTING + 4 * options.kernelDelay + 50)
      this.#violated(`${routed} carries the traffic although it is cut off`)
  }

  #leavesTheDead(now: number): void {
    if (this.#world.deafSoFar) this.#deafAt = now
    const meddling = this.#drilling() || !this.#auto
    this.#meddledAt = meddling ? now : Math.max(this.#meddledAt, this.#world.meddledAt)
    this.#deadSince = this.#dead() ? (this.#deadSince ?? now) : undefined
    if (this.#deadSince === undefined) return
    for (const [line, since] of this.#wellSince) {
      const waited = now - Math.max(since, this.#deadSince, this.#meddledAt)
      if (waited <= this.#patience()) continue
      const where = this.#world.routed ?? 'what has no way out'
      this.#violated(`${where} is dead for ${Math.round(waited)} ms although ${line.name} is well`)
    }
  }

  /** What the configuration implies, in ms: to notice, to wait for a tunnel, to believe in another, to try in vain. */
  #patience(): number {
    const { config, kernelDelay } = this.#world.options
    const { probe, dialGrace } = config.failover
    const round = Math.max(probe.interval, 1_000)
    // Where no target has ever answered on any path a death is seen once one answers, at the pace of the metered ones.
    const first = this.#deafAt >= (this.#deadSince ?? 0) ? SPARING_INTERVAL : 0
    const counting = this.#world.options.lines.some(({ metered }) => metered) ? COUNTING : 0
    const tried = TRIAL_LIMIT + LINGER + 4 * kernelDelay
    return first + this.#notice() + counting + dialGrace + (probe.up + 2) * round + tried
  }

  /** In how many ms the death of a path is seen. */
  #notice(): number {
    const probe = this.#probe
    const traffic = this.#world.options.lines.some(({ chatter }) => chatter) ? TRAFFIC_GRACE : 0
    return probe.interval + (probe.down + 1) * Math.max(probe.interval, 1_000) + traffic
  }

  #pinnedOnly(): void {
    const { chosen, mode } = this.#world
    if (mode === 'auto' || chosen === undefined || chosen === mode) return
    const line = this.#world.line(mode)
    if (line && now(this.#wellSince.get(line), this.#world.time.now) > this.#patience())
      this.#violated(`${chosen} is active although ${mode} is pinned and well`)
  }

  /** Pinned means pinned: whoever answers, as long as the path can carry a packet. */
  #pinnedUsed(now: number): void {
    const { mode, routed, options } = this.#world
    const line = this.#world.line(mode)
    const carries = line ? line.link && !line.cutOff : this.#world.tunnel(mode)?.up === true
    if (!carries || routed === mode || this.#drilling()) {
      this.#astray = undefined
      return
    }
    if (this.#astray?.mode !== mode) this.#astray = { mode, since: now }
    // A trial that is under way is waited for, and until a new budget is seen.
    const counting = line?.metered ? COUNTING : 0
    if (now - this.#astray.since > TRIAL_LIMIT + counting + 4 * options.kernelDelay + 50)
      this.#violated(`${mode} is pinned and can carry packets, and the traffic is at ${routed}`)
  }

  // ---- what is told, and chosen

  #told(event: StatusEvent): void {
    const { now } = this.#world.time
    const { seq, at, event: kind, ...fields } = event
    this.#say(`    ${kind} ${JSON.stringify(fields)}`)
    if (!isSwitch(event)) return
    const { from, to } = event
    this.switches++
    if (from === null) return
    if (kind === 'failover') this.#notWithoutReason(from, now)
    if (kind === 'failback' && this.#world.usable(from)) this.#notToTheSilent(to, now)
  }

  /** Full queues are no death. */
  #notWithoutReason(from: string, at: number): void {
    const line = this.#world.line(from)
    const since = line && this.#soundSince.get(line)
    const known = this.#world.known(from)
    if (
      since !== undefined &&
      known &&
      at - since > SOUND_FOR &&
      Math.max(this.#meddledAt, this.#world.meddledAt) < at - SOUND_FOR
    )
      this.#violated(`${from} was left although nothing was wrong with it for ${Math.round(at - since)} ms`)
  }

  /** From a path that works: where a tunnel takes in a line's answers, only a trial tells whether the line receives. */
  #notToTheSilent(to: string, at: number): void {
    const line = this.#world.line(to)
    const since = line && this.#silentSince.get(line)
    const known = this.#world.known(to)
    if (since !== undefined && known && at - since > this.#notice())
      this.#violated(`back on ${to} although nothing gets through it for ${Math.round(at - since)} ms`)
  }

  /** Whoever hears of a dead link hears of it before anything is chosen, also when a tunnel over it tells of its end. */
  #notToTheGone(path: string): void {
    if (this.#world.line(path)?.link === false) this.#violated(`${path} is chosen although its link is gone`)
  }

  #chooses(at: number): void {
    const { chosen } = this.#world
    const before = this.#chosen
    if (before === chosen) return
    this.#chosen = chosen
    this.#say(`    chooses ${chosen ?? 'none'}`)
    const willing = before !== undefined && this.#world.usable(before)
    if (this.#world.meddledAt > 0) return
    if (chosen !== undefined) this.#returned(chosen, at, willing)
    if (before === undefined || willing) return
    const old = this.#losses.get(before)
    const flaps = old === undefined ? 0 : old.flaps + (old.returned ? 1 : 0)
    this.#losses.set(before, { at, flaps, returned: false })
  }

  /** `willing`: from a path that works. The n-th time in a row that takes 2^n times as long as the first. */
  #returned(name: string, at: number, willing: boolean): void {
    const loss = this.#losses.get(name)
    if (!loss) return
    loss.returned = true
    const least = Math.min(
      this.#world.options.config.failover.failbackDelay * 2 ** loss.flaps,
      FAILBACK_DELAY_LIMIT,
    )
    if (willing && at - loss.at < least - 1)
      this.#violated(`back on ${name} after ${Math.round(at - loss.at)} ms, ${least} ms at least are due`)
    if (this.#world.line(name) && this.#world.shown(name)?.health === 'unknown' && this.#sureOf(name))
      this.#violated(`back on ${name}, which has failed and not answered since, although another is up`)
  }

  /** Some other line has been beyond doubt for long. */
  #sureOf(name: string): boolean {
    const { now } = this.#world.time
    return [...this.#soundSince].some(
      ([line, since]) => line.name !== name && now - since > SOUND_FOR && this.#world.usable(line.name),
    )
  }

  // ---- the truth

  #well(line: Line): boolean {
    const holder = this.#world.holder(line)
    const free = holder === undefined || (holder.delivers && holder.serves(4))
    const serves = this.#enough(alive(line), alive(line, 6))
    return serves && line.loss === 0 && line.bloat === 0 && !line.cutOff && free
  }

  /** User traffic gets nowhere. */
  #dead(): boolean {
    const { routed } = this.#world
    if (routed === undefined) return true
    return this.#story.deaf ? !this.#world.usable(routed) : !this.#serves(routed)
  }

  get #probe(): ProbeConfig {
    return this.#world.options.config.failover.probe
  }

  #drilling(): boolean {
    return this.#world.drilledUntil > this.#world.time.now
  }

  #violated(what: string): void {
    this.violations.push(what)
    this.#say(`VIOLATED: ${what}`)
  }
}

function now(since: number | undefined, at: number): number {
  return since === undefined ? 0 : at - since
}

function keep(since: Map<Line, number>, line: Line, holds: boolean, at: number): void {
  if (!holds) since.delete(line)
  else if (!since.has(line)) since.set(line, at)
}

function isSwitch(event: StatusEvent): event is StatusEvent<SwitchKind> {
  return ['start', 'failover', 'failback', 'manual', 'drill'].includes(event.event)
}
