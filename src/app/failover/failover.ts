import type { Zone } from '../../core/amounts.ts'
import type { Readiness } from '../../core/client/dialer-state.ts'
import { steeringMark } from '../../core/config/marks.ts'
import { probeOf } from '../../core/config/path-probe.ts'
import type { Config, FailoverConfig, ProbeTarget } from '../../core/config/types.ts'
import { FailoverController, TRIAL_LIMIT } from '../../core/failover/controller.ts'
import { pathPlans } from '../../core/failover/plans.ts'
import { NOTHING_SHARED, type Sharing } from '../../core/failover/sharing.ts'
import { defaultTargets } from '../../core/failover/targets.ts'
import type {
  ActiveRoute,
  ControllerAction,
  PathFacts,
  PathPlan,
  SwitchKind,
} from '../../core/failover/types.ts'
import type { DrillReport } from '../../core/status/event.ts'
import { type Facts, linkNamed, NO_FACTS } from '../../core/system/facts.ts'
import { type Uplink, uplinks } from '../../core/system/uplinks.ts'
import type { Cancel, Clock, Counters, Log } from '../ports.ts'
import { SocketErrors } from '../socket-errors.ts'
import type { FailoverPatch, StatusWriter } from '../status-store.ts'
import type { Supervisor } from '../tunnel/supervisor.ts'
import { DRILL_SPAN, Drill, spared } from './drill.ts'
import { failoverPatch } from './failover-status.ts'
import type { Histories } from './histories.ts'
import type { KnownTargets } from './known-targets.ts'
import { PathWatcher, type PathWatcherOptions } from './path-watcher.ts'
import { sourcesOf, uplinkReason } from './path-ways.ts'
import type { ProberPorts, Way } from './prober.ts'
import { StandbyChecks } from './standby-checks.ts'

/** What failover wants of the system and of its neighbours, whatever the configuration. */
export interface FailoverPorts extends Omit<ProberPorts, 'errors'> {
  readonly clock: Clock
  readonly status: StatusWriter
  readonly log: Log
  readonly known: KnownTargets
  readonly counters: Counters
  /** Of the machine, for times that users write. */
  readonly zone: Zone
}

/** What one configuration gives failover to work with. */
export interface FailoverOptions {
  readonly config: Config
  /** That of the configuration, in the mode that counts now. */
  readonly failover: FailoverConfig
  /** The path that has the traffic already, as after a reload. */
  readonly carrying: string | undefined
  supervisor(name: string): Supervisor | undefined
  /** Resolvers of an uplink, best first. */
  resolvers(uplink: Uplink): readonly string[]
  /** `active` is another one: the kernel is to be told. Resolves once it does so. */
  onChoice(): Promise<void>
  readonly histories: Histories
  /** Uplinks whose budget is spent. */
  cutOff(): ReadonlySet<string>
  /** Whether the uplink that carries a tunnel has hardly any budget left. */
  short(tunnel: string): boolean
  /** The traffic has another path now. */
  onSwitched(switched: Switched): void
}

/** A move of the traffic that the kernel has carried out. */
export interface Switched {
  readonly kind: SwitchKind
  /** The public addresses that were left: those that the new path does not have. */
  readonly oldAddresses: readonly string[]
}

/** Joins the health of the paths, the controller that chooses among them, supervisors and kernel. */
export class Failover {
  readonly #options: FailoverOptions
  readonly #ports: FailoverPorts
  readonly #controller: FailoverController
  readonly #watchers = new Map<string, PathWatcher>()
  readonly #plans: readonly PathPlan[]
  readonly #steered = new Set<string>()
  readonly #wanted = new Map<string, Readiness>()
  readonly #checks: StandbyChecks
  #uplinks: readonly Uplink[] = []
  #sharing = NOTHING_SHARED
  #facts: Facts = NO_FACTS
  #work: Promise<void> = Promise.resolve()
  #cancel: Cancel | undefined
  #drill: Drill | undefined
  /** What the kernel does, as far as it has said so. */
  #routed: ActiveRoute | undefined
  #begun = false
  #closed = false

  constructor(options: FailoverOptions, ports: FailoverPorts) {
    const { config, failover } = options
    this.#options = options
    this.#ports = ports
    this.#plans = pathPlans(config, failover)
    const { mode, dialGrace, failbackDelay } = failover
    this.#controller = new FailoverController({ paths: this.#plans, mode, dialGrace, failbackDelay })
    for (const { name } of this.#plans) {
      const probe = probeOf(config, name)
      const watched: PathWatcherOptions = {
        name,
        probe,
        onChange: () => this.#pathChanged(name),
        onAnswer: (family) => {
          this.#drill?.answered(name)
          this.#checks.answered(name, family)
        },
        onSample: (sample) => options.histories.sample(name, sample),
        onHealth: (change) => options.histories.health(name, change),
        received: () => ports.counters.read().get(this.#deviceOf(name))?.receivedPackets,
      }
      const errors = new SocketErrors(ports.clock, ports.log.with({ path: name }))
      const watcher = new PathWatcher(watched, ports.clock, { ...ports, errors })
      this.#watchers.set(name, watcher)
    }
    this.#checks = new StandbyChecks(
      {
        plans: this.#plans,
        when: failover.standbyCheck,
        watcher: (name) => this.#watchers.get(name),
        supervisor: (name) => options.supervisor(name),
        wanted: (name) => this.#wanted.get(name) ?? 'cold',
        sharing: () => this.#sharing,
        cutOff: () => options.cutOff(),
        active: () => this.#controller.active,
        calm: () => !this.#closed && this.#controller.calm,
        onVerdict: (check) => this.#show(check && { standby_check: check }),
      },
      ports,
    )
    const { carrying } = options
    if (carrying !== undefined && this.#watchers.has(carrying))
      this.#routed = { kind: 'path', name: carrying }
    this.#show()
  }

  /** Where the traffic is to go; undefined before the first choice: as it does already. */
  get active(): ActiveRoute | undefined {
    return this.#controller.active
  }

  get names(): readonly string[] {
    return this.#plans.map(({ name }) => name)
  }

  /** Which paths have the same address: to be told before the facts from which it follows. */
  sharingChanged(sharing: Sharing): void {
    this.#sharing = sharing
    this.#controller.sharing(this.#ports.clock.now(), sharing)
    this.#drain()
  }

  factsChanged(facts: Facts): void {
    this.#uplinks = uplinks(this.#options.config, facts)
    this.#facts = facts
    for (const { name } of this.#plans) this.#look(name)
    if (this.#begun) return
    this.#begun = true
    this.#controller.begin(this.#ports.clock.now(), this.#options.carrying)
    this.#drain()
  }

  /** A supervisor's tunnel has come, gone or changed. */
  tunnelChanged(name: string): void {
    if (!this.#watchers.has(name)) return
    this.#checks.tunnelChanged(name)
    this.#look(name)
  }

  /** An LCP echo of the tunnel came back. */
  echoed(name: string): void {
    this.#watchers.get(name)?.life()
  }

  use(mode: string): void {
    this.#controller.setMode(this.#ports.clock.now(), mode)
    this.#drain()
  }

  /** Treats the active path as dead for a while, or tests another one; undefined if none is named or active. */
  drill(path: string | undefined): Promise<DrillReport | undefined> | undefined {
    const { active } = this.#controller
    const name = path ?? (active?.kind === 'path' ? active.name : undefined)
    if (name === undefined) return undefined
    if (active?.kind !== 'path' || active.name !== name) return this.#checks.drill(name)
    const instead = spared(name, this.#patch())
    if (instead) return Promise.resolve(instead)
    this.#drill?.abandon()
    return new Promise((resolve) => {
      this.#drill = new Drill(name, this.#ports.clock, (report) => {
        this.#drill = undefined
        this.#ports.status.event('drill_ended', { ...report })
        resolve(report)
      })
      this.#controller.drill(this.#ports.clock.now(), name, DRILL_SPAN)
      this.#drain()
    })
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.#drill?.abandon()
    this.#checks.close()
    for (const watcher of this.#watchers.values()) watcher.close()
  }

  // ---- paths

  /** Takes a fresh look at a path: by which way it is probed, whom, and what the controller should know. */
  #look(name: string): void {
    const watcher = this.#watchers.get(name)
    if (!watcher || this.#closed) return
    const { way, reason, targets } = this.#wayOf(name)
    watcher.set(way, reason, targets, this.#knownTargets())
    this.#pathChanged(name)
  }

  #wayOf(name: string): { way: Way | undefined; reason: string; targets: readonly ProbeTarget[] } {
    const { config } = this.#options
    const { targets } = probeOf(config, name)
    const uplink = this.#uplinks.find((each) => each.name === name)
    if (uplink) {
      const usual = defaultTargets(this.#options.resolvers(uplink))
      const reason = uplinkReason(uplink)
      if (uplink.state !== 'up')
        return { way: undefined, reason, targets: targets.length > 0 ? targets : usual }
      const sources = sourcesOf(uplink.addresses, uplink.source)
      const mark = steeringMark(config, name)
      const { device, link } = uplink
      const way =
        this.#steered.has(name) && mark !== undefined
          ? { mark, sources }
          : { device, index: link.index, sources }
      return { way, reason, targets: targets.length > 0 ? targets : usual }
    }
    const tunnel = this.#options.supervisor(name)?.path
    const wanted = targets.length > 0 ? targets : defaultTargets(tunnel?.dns ?? [])
    if (tunnel?.session !== 'up')
      return { way: undefined, reason: tunnel?.problem ?? 'the tunnel is not up', targets: wanted }
    const { device, addresses } = tunnel
    return {
      way: { device, index: linkNamed(this.#facts, device)?.index, sources: sourcesOf(addresses, undefined) },
      reason: '',
      targets: wanted,
    }
  }

  #deviceOf(name: string): string {
    const { tunnels } = this.#options.config
    return [...this.#uplinks, ...tunnels].find((path) => path.name === name)?.device ?? ''
  }

  /** A target that has answered on any path is alive: its silence on another means something there. */
  #knownTargets(): ReadonlySet<string> {
    return new Set([...this.#watchers.keys()].flatMap((path) => [...this.#ports.known.of(path)]))
  }

  #pathChanged(name: string): void {
    const watcher = this.#watchers.get(name)
    const plan = this.#plans.find((each) => each.name === name)
    if (!watcher || !plan || this.#closed) return
    const answering = watcher.answering()
    if (this.#ports.known.remember(name, answering)) void Promise.resolve().then(() => this.#spread(name))
    this.#controller.path(this.#ports.clock.now(), name, this.#factsOf(plan, watcher))
    this.#drain()
  }

  /** What answers here for the first time counts on the other paths from now on. */
  #spread(name: string): void {
    for (const other of this.#watchers.keys()) if (other !== name) this.#look(other)
  }

  #factsOf(plan: PathPlan, { health }: PathWatcher): PathFacts {
    const common = {
      health: health.health,
      reason: health.reason,
      troubleSince: health.troubleSince,
      link: health.linked,
      ipv4: health.family(4),
      ipv6: health.family(6),
      lost: health.lost,
    }
    if (plan.kind === 'uplink')
      return { ...common, cutOff: this.#options.cutOff().has(plan.name), tunnel: undefined }
    const path = this.#options.supervisor(plan.name)?.path
    const { dialable = false, session = 'none', failed = false, idleClosed = 0 } = path ?? {}
    return {
      ...common,
      cutOff: false,
      tunnel: { dialable, session, failed, idleClosed, short: this.#options.short(plan.name) },
    }
  }

  // ---- what the controller wants

  #drain(): void {
    if (this.#closed) return
    for (let action = this.#controller.pollAction(); action; action = this.#controller.pollAction()) {
      const next = action
      this.#work = Promise.all([this.#begin(next), this.#work])
        .then(() => this.#perform(next))
        .catch((error: unknown) => {
          this.#ports.log.error('a switch of paths was not completed', { error })
        })
    }
    this.#cancel?.()
    const deadline = this.#controller.pollTimeout()
    this.#cancel =
      deadline === undefined
        ? undefined
        : this.#ports.clock.alarm(deadline, () => {
            this.#controller.timeout(this.#ports.clock.now())
            this.#drain()
          })
    this.#show()
  }

  #show(news: FailoverPatch = {}): void {
    if (this.#closed) return
    const { status } = this.#ports
    status.failover({ ...this.#patch(), ...news })
  }

  #patch(): FailoverPatch {
    const tunnel = (name: string) => this.#options.supervisor(name)?.path
    return failoverPatch(this.#controller, this.#watchers, this.#routed, tunnel, this.#checks.verdict)
  }

  /** To dial, and to route elsewhere, does not wait for what was chosen before: each millisecond of it is an outage. */
  #begin(action: ControllerAction): Promise<void> | undefined {
    if (action.type === 'route') return this.#options.onChoice()
    if (action.type !== 'want') return undefined
    this.#wanted.set(action.tunnel, action.readiness)
    if (action.readiness === 'session') this.#options.supervisor(action.tunnel)?.want('session')
    return undefined
  }

  /** One after the other: a session is not ended before the kernel sends its traffic elsewhere. */
  #perform(action: ControllerAction): void {
    if (this.#closed) return
    switch (action.type) {
      case 'want':
        // What was wanted since then comes when its own turn has come.
        if (this.#wanted.get(action.tunnel) === action.readiness)
          this.#options.supervisor(action.tunnel)?.want(action.readiness)
        break
      case 'route':
        this.#routed = action.active
        this.#show()
        if (action.active.kind === 'path') this.#drill?.routed(action.active.name)
        break
      case 'pace':
        this.#watchers.get(action.path)?.setPace(action.pace)
        break
      case 'steer':
        if (action.on) this.#steered.add(action.path)
        else this.#steered.delete(action.path)
        this.#look(action.path)
        break
      case 'linger':
        this.#options.supervisor(action.tunnel)?.linger(action.span)
        break
      case 'confirm':
        this.#watchers.get(action.path)?.confirm(TRIAL_LIMIT, () => this.#confirmed(action.path))
        break
      case 'switched':
        this.#switched(action)
        break
      case 'trialFailed':
        this.#ports.status.event('failback_failed', { path: action.path, next_delay_ms: action.nextDelay })
        break
    }
  }

  #confirmed(path: string): void {
    this.#controller.confirmed(this.#ports.clock.now(), path)
    this.#drain()
  }

  #switched({ kind, from, to, cause, troubleSince }: Extract<ControllerAction, { type: 'switched' }>): void {
    const { clock, status } = this.#ports
    const outage_ms = troubleSince === undefined ? null : Math.round(clock.now() - troubleSince)
    const told = { from: from ?? null, to, cause, outage_ms }
    this.#show({ last_switch: told })
    status.event(kind, told)
    this.#options.histories.switched(kind, from, to, cause)
    // Two lines with the same address, as modems of one make have, are two all the same.
    const areLines = [from, to].every(
      (name) => this.#plans.find((plan) => plan.name === name)?.kind === 'uplink',
    )
    const left = from === undefined ? [] : this.#sharing.addresses(from)
    const oldAddresses = left.filter((address) => areLines || !this.#sharing.has(to, address))
    this.#options.onSwitched({ kind, oldAddresses })
  }
}
