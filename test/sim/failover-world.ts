import type { ProbeConfig, ProbeTarget } from '../../src/core/config/types.ts'
import { FailoverController, TRIAL_LIMIT } from '../../src/core/failover/controller.ts'
import { PathHealth } from '../../src/core/failover/health.ts'
import { type Pace, type Probe, targetKey } from '../../src/core/failover/probing.ts'
import { PathAddresses } from '../../src/core/failover/sharing.ts'
import type { ActiveRoute, ControllerAction, PathFacts, PathPlan } from '../../src/core/failover/types.ts'
import type { Family } from '../../src/core/ip/address.ts'
import { ipFamily } from '../../src/core/ip/address.ts'
import { after } from '../../src/core/time.ts'
import { alive, type Line } from './failover-line.ts'
import { SimTunnel, type TunnelTraits } from './failover-tunnel.ts'
import { Timeline } from './timeline.ts'

export interface WorldOptions {
  readonly plans: readonly PathPlan[]
  readonly lines: readonly Line[]
  readonly tunnels: readonly TunnelTraits[]
  readonly probe: ProbeConfig
  readonly mode: string
  readonly dialGrace: number
  readonly failbackDelay: number
  /** Keys of targets that do not answer, by any path. */
  readonly mute: Set<string>
  /** ms that the kernel takes for a new route. */
  readonly kernelDelay: number
  readonly random: () => number
}

interface Watched {
  readonly plan: PathPlan
  readonly health: PathHealth
  way: string
  /** Answers to probes of an earlier way find no one. */
  generation: number
  received: number
  confirming: { readonly awaited: Set<Family>; readonly done: () => void } | undefined
  pace: Pace
  cancel: () => void
}

/**
 * Lines, an LNS, a provider that sends a shared address into the tunnel while its session is up, and a kernel that takes
 * its time; joined with the real `PathHealth` and `FailoverController` in the way of src/app/failover.ts, without promises.
 */
export class FailoverWorld {
  readonly time = new Timeline()
  readonly options: WorldOptions
  readonly controller: FailoverController
  readonly tunnels: readonly SimTunnel[]
  readonly #watched: readonly Watched[]
  readonly #known = new Map<string, Set<string>>()
  readonly #addresses = new PathAddresses()
  readonly #steered = new Set<string>()
  readonly #wanted = new Map<string, string>()
  readonly #queue: ControllerAction[] = []
  #busy = false
  #cancel = () => {}
  /** A path is being treated as dead until then. */
  drilledUntil = 0
  /** When users last drilled or chose; 0: never. */
  meddledAt = 0
  /** What the kernel does. */
  routed: ActiveRoute = { kind: 'none' }
  /** What was told to someone who reads along. */
  onAction: (action: ControllerAction) => void = () => {}
  onHealth: (path: string, health: string, reason: string) => void = () => {}

  constructor(options: WorldOptions) {
    this.options = options
    const { plans, mode, dialGrace, failbackDelay } = options
    this.controller = new FailoverController({ paths: plans, mode, dialGrace, failbackDelay })
    this.tunnels = options.tunnels.map(
      (traits) =>
        new SimTunnel(
          traits,
          this.time,
          options.random,
          () => this.#look(traits.name),
          () => this.#echoed(traits.name),
        ),
    )
    this.#watched = plans.map((plan) => ({
      plan,
      health: new PathHealth(options.probe),
      way: '',
      generation: 0,
      received: 0,
      confirming: undefined,
      pace: 'normal',
      cancel: () => {},
    }))
  }

  begin(): void {
    for (const { plan } of this.#watched) this.#look(plan.name)
    this.controller.begin(this.time.now, undefined)
    this.#drain()
  }

  line(name: string): Line | undefined {
    return this.options.lines.find((line) => line.name === name)
  }

  tunnel(name: string): SimTunnel | undefined {
    return this.tunnels.find(({ traits }) => traits.name === name)
  }

  healthOf(name: string): PathHealth | undefined {
    return this.#watched.find(({ plan }) => plan.name === name)?.health
  }

  /** No target of a family that matters has answered yet, on any path. */
  get deafSoFar(): boolean {
    const keys = [...this.#known.values()].flatMap((known) => [...known])
    const heard = (family: Family) =>
      keys.some((key) => key.startsWith(family === 4 ? 'icmp:192.' : 'icmp:2001:'))
    const { require } = this.options.probe
    if (require === 'any') return !heard(4) && !heard(6)
    return (require !== 'ipv6' && !heard(4)) || (require !== 'ipv4' && !heard(6))
  }

  /** Packets of a family get through the path and back, whoever has the address. */
  gets(name: string, family: Family): boolean {
    const line = this.line(name)
    if (!line) return this.tunnel(name)?.gets(family) === true
    const holder = family === 4 ? this.holder(line) : undefined
    return alive(line, family) && (holder === undefined || (holder.delivers && holder.serves(4)))
  }

  /** The families of which the path has an address. */
  #present(name: string): readonly Family[] {
    const six = this.line(name)?.six ?? this.tunnel(name)?.traits.six
    return six ? [4, 6] : [4]
  }

  /** As far as the controller can know, it carries traffic. */
  usable(name: string): boolean {
    const watched = this.#watched.find(({ plan }) => plan.name === name)
    if (!watched || watched.health.health === 'down' || this.line(name)?.cutOff) return false
    return this.tunnel(name)?.up ?? true
  }

  /** The tunnel that has the address of this line, as the provider sees it. */
  holder(line: Line): SimTunnel | undefined {
    return this.tunnels.find((tunnel) => tunnel.held && tunnel.traits.address === line.address)
  }

  /** The link or the budget of a line has changed: everybody is told. */
  linkChanged(line: Line): void {
    for (const tunnel of this.tunnels) if (tunnel.traits.carriers.includes(line)) tunnel.carriersChanged()
    this.weatherChanged()
    for (const { plan } of this.#watched) this.#look(plan.name)
  }

  /** Packets get through where they did not, or the other way round: nobody is told. */
  weatherChanged(): void {
    for (const tunnel of this.tunnels) tunnel.weather()
  }

  use(mode: string): void {
    this.meddledAt = this.time.now + 1
    if (mode !== 'auto') this.drilledUntil = 0
    this.controller.setMode(this.time.now, mode)
    this.#drain()
  }

  drill(name: string, span: number): void {
    this.meddledAt = this.time.now + 1
    this.drilledUntil = this.time.now + span
    this.controller.drill(this.time.now, name, span)
    this.#drain()
  }

  // ---- paths

  #look(name: string): void {
    const watched = this.#watched.find(({ plan }) => plan.name === name)
    if (!watched) return
    const way = this.#wayOf(name)
    if (way !== watched.way) {
      watched.way = way
      watched.generation++
    }
    const known = new Set([...this.#known.values()].flatMap((keys) => [...keys]))
    this.#run(watched, (health) => {
      const { now } = this.time
      const present = this.#present(name)
      const able = (target: ProbeTarget) => present.includes(familyOf(target))
      const { targets } = this.options.probe
      health.targets(now, way === '' ? [] : targets.filter(able), known, way === '' ? [] : present)
      health.link(now, way !== '', 'lost carrier')
    })
    this.#pathChanged(watched)
  }

  #wayOf(name: string): string {
    const line = this.line(name)
    if (line) return !line.link ? '' : this.#steered.has(name) ? 'mark' : 'device'
    return this.tunnel(name)?.up === true ? 'device' : ''
  }

  #pathChanged(watched: Watched): void {
    const { name } = watched.plan
    const answering = watched.health.answering
    const known = this.#known.get(name) ?? new Set()
    if (answering.some((key) => !known.has(key))) {
      this.#known.set(name, new Set([...known, ...answering]))
      for (const { plan } of this.#watched)
        if (plan.name !== name) this.time.after(0, () => this.#look(plan.name))
    }
    if (
      this.#addresses.seen(this.#watched.map(({ plan }) => ({ ...plan, addresses: this.#borne(plan.name) })))
    )
      this.controller.sharing(this.time.now, this.#addresses.sharing)
    this.controller.path(this.time.now, name, this.#factsOf(watched))
    this.#drain()
  }

  #borne(name: string): string[] {
    const line = this.line(name)
    const address = line?.link ? line.address : this.tunnel(name)?.address
    return address === undefined ? [] : [address]
  }

  #factsOf({ plan: { name }, health }: Watched): PathFacts {
    const line = this.line(name)
    const tunnel = this.tunnel(name)
    return {
      health: health.health,
      reason: health.reason,
      link: health.linked,
      ipv4: health.family(4),
      ipv6: health.family(6),
      lost: health.lost,
      troubleSince: health.troubleSince,
      cutOff: line?.cutOff ?? false,
      tunnel: tunnel?.facts,
    }
  }

  /** As PathWatcher does. */
  #run(watched: Watched, input: (health: PathHealth) => void): void {
    const { health } = watched
    input(health)
    for (let probe = health.pollProbe(); probe; probe = health.pollProbe()) this.#send(watched, probe)
    while (health.pollSample());
    let changed = false
    for (let change = health.pollChange(); change; change = health.pollChange()) {
      changed = true
      this.onHealth(watched.plan.name, change.health, change.reason)
    }
    watched.cancel()
    const deadline = health.pollTimeout()
    if (deadline !== undefined)
      watched.cancel = this.time.at(deadline, () =>
        this.#run(watched, (each) => this.#timeout(watched, each)),
      )
    if (changed) this.#pathChanged(watched)
  }

  #timeout(watched: Watched, health: PathHealth): void {
    const line = this.line(watched.plan.name)
    if (line?.link && line.chatter) watched.received++
    health.traffic(this.time.now, watched.received)
    health.timeout(this.time.now)
  }

  #answered(watched: Watched, id: number): void {
    const { confirming } = watched
    watched.received++
    this.#run(watched, (health) => {
      const family = health.answered(this.time.now, id)
      confirming?.awaited.delete(family)
    })
    if (confirming?.awaited.size === 0 && watched.confirming === confirming) {
      watched.confirming = undefined
      confirming.done()
    }
    this.#pathChanged(watched)
  }

  #echoed(name: string): void {
    this.#to(name, (watched) => this.#run(watched, (health) => health.life(this.time.now)))
  }

  // ---- probes

  #send(watched: Watched, { id, target }: Probe): void {
    const { generation } = watched
    const delay = this.#delay(watched.plan.name, target)
    if (delay === undefined) return
    this.time.after(delay, () => {
      if (watched.generation !== generation) return
      if (this.#returns(watched, familyOf(target))) this.#answered(watched, id)
    })
  }

  /** Round trip of a probe that is sent now, undefined if it is lost. */
  #delay(name: string, target: ProbeTarget): number | undefined {
    const { random, mute } = this.options
    const line = this.line(name) ?? this.tunnel(name)?.carrier
    const outer = this.line(name) ? familyOf(target) : 4
    if (!line?.link || !line.sends || line.lost.includes(outer) || mute.has(targetKey(target)))
      return undefined
    if (line.loss > 0 && random() < line.loss) return undefined
    return line.rtt * (0.9 + 0.3 * random()) + line.bloat * (0.5 + 0.5 * random())
  }

  /** Whether an answer finds its way back now: the provider sends it to whoever holds the address. */
  #returns({ plan: { name }, way }: Watched, family: Family): boolean {
    const line = this.line(name)
    if (!line) return this.tunnel(name)?.gets(family) === true
    if (!line.link || line.lost.includes(family)) return false
    const holder = family === 4 ? this.holder(line) : undefined
    return holder === undefined ? line.receives : way === 'mark' && holder.delivers && holder.serves(4)
  }

  // ---- what the controller wants

  #drain(): void {
    for (let action = this.controller.pollAction(); action; action = this.controller.pollAction()) {
      this.onAction(action)
      if (action.type === 'want') {
        this.#wanted.set(action.tunnel, action.readiness)
        if (action.readiness === 'session') this.tunnel(action.tunnel)?.want('session')
      }
      this.#queue.push(action)
    }
    this.#cancel()
    const deadline = this.controller.pollTimeout()
    if (deadline !== undefined)
      this.#cancel = this.time.at(deadline, () => {
        this.controller.timeout(this.time.now)
        this.#drain()
      })
    this.#work()
  }

  /** One after the other, and the kernel takes its time. */
  #work(): void {
    while (!this.#busy) {
      const action = this.#queue.shift()
      if (!action) return
      this.#busy = true
      if (action.type === 'route') {
        this.time.after(this.options.kernelDelay, () => {
          this.routed = action.active
          this.#busy = false
          this.#work()
        })
        return
      }
      this.#perform(action)
      this.#busy = false
    }
  }

  #perform(action: Exclude<ControllerAction, { type: 'route' }>): void {
    switch (action.type) {
      case 'want':
        if (this.#wanted.get(action.tunnel) === action.readiness)
          this.tunnel(action.tunnel)?.want(action.readiness)
        break
      case 'pace':
        this.#to(action.path, (watched) => {
          watched.pace = action.pace
          this.#run(watched, (health) => health.pace(this.time.now, action.pace))
        })
        break
      case 'steer':
        if (action.on) this.#steered.add(action.path)
        else this.#steered.delete(action.path)
        this.#look(action.path)
        break
      case 'linger':
        this.tunnel(action.tunnel)?.linger(action.span)
        break
      case 'confirm':
        this.#to(action.path, (watched) => {
          const done = () => {
            this.controller.confirmed(this.time.now, action.path)
            this.#drain()
          }
          if (watched.health.answering.length === 0) {
            done()
            return
          }
          watched.confirming = { awaited: new Set(watched.health.awaited), done }
          this.#run(watched, (health) => health.probeNow(this.time.now, after(this.time.now, TRIAL_LIMIT)))
        })
        break
      case 'switched':
      case 'trialFailed':
        break
    }
  }

  #to(name: string, act: (watched: Watched) => void): void {
    const watched = this.#watched.find(({ plan }) => plan.name === name)
    if (watched) act(watched)
  }

  /** The tunnel's address is the line's, as far as anyone on our side can know. */
  shares(tunnel: SimTunnel, line: Line): boolean {
    return this.#addresses.sharing.shares(tunnel.traits, line)
  }
}

function familyOf({ address }: ProbeTarget): Family {
  return ipFamily(address) ?? 4
}
