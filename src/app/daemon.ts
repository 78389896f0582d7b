import {
  changedTunnels,
  concernsPaths,
  describeChanges,
  needsRedial,
  needsRestart,
} from '../core/config/changes.ts'
import { sectionOf } from '../core/config/firewall.ts'
import type { Config, FailoverConfig, TunnelConfig } from '../core/config/types.ts'
import type { PathHistory } from '../core/failover/history.ts'
import type { ProbeSample } from '../core/failover/probing.ts'
import { PathAddresses } from '../core/failover/sharing.ts'
import { scriptOf } from '../core/firewall/filters.ts'
import { err, ok, type Result } from '../core/result.ts'
import { describeChange } from '../core/system/change.ts'
import { desiredState } from '../core/system/desired.ts'
import { NO_FACTS } from '../core/system/facts.ts'
import { fitSession } from '../core/system/fitting.ts'
import { nextState, type TunnelSession, type TunnelState } from '../core/system/session.ts'
import { addressedPaths } from '../core/system/sharing.ts'
import { carriersOf, noUplink, type UsableUplink, uplinks } from '../core/system/uplinks.ts'
import type { Outcome, PlanReport, Refusal, ReloadReport } from './answers.ts'
import type { ControlTarget } from './control/target.ts'
import { Budgets } from './failover/budgets.ts'
import { drillOutcome } from './failover/drill.ts'
import { Failover, type FailoverPorts, type Switched } from './failover/failover.ts'
import { Histories } from './failover/histories.ts'
import type { Apply } from './kernel/apply.ts'
import { type ApplyFailure, keepsDown, refusalOf } from './kernel/apply-failure.ts'
import { clearKernel } from './kernel/clear-kernel.ts'
import type { Conntrack } from './kernel/conntrack.ts'
import type { Devices } from './kernel/devices.ts'
import type { FactsWatcher } from './kernel/facts.ts'
import type { Publishers } from './mqtt/publishers.ts'
import { nextConfig } from './next-config.ts'
import { foreignWarnings, listRules } from './plan.ts'
import type { Cancel, Log, Nft, StateFiles, SystemResolvers } from './ports.ts'
import type { ReadyConfig } from './ready-config.ts'
import type { StatusStore } from './status-store.ts'
import { type Carrier, carrierOf } from './tunnel/attempt.ts'
import type { Memory } from './tunnel/memory.ts'
import { Neighbourhood } from './tunnel/neighbourhood.ts'
import { Supervisor, type SupervisorPorts } from './tunnel/supervisor.ts'
import { showUplinks } from './uplink-status.ts'

/** What the daemon joins, already open: the kernel's side, the files, the brokers, and how the configuration is read. */
export interface DaemonPorts extends Omit<SupervisorPorts, 'status'>, Omit<FailoverPorts, 'status'> {
  readonly watcher: Pick<FactsWatcher, 'facts' | 'onChange'>
  readonly apply: Pick<Apply, 'prepare' | 'want' | 'pending'>
  readonly devices: Devices
  readonly conntrack: Pick<Conntrack, 'flush'>
  readonly nft: Nft
  readonly memory: Memory
  readonly systemResolvers: SystemResolvers
  readonly status: StatusStore
  readonly files: StateFiles
  readonly publishers: Pick<Publishers, 'configure' | 'stop'>
  readonly log: Log
  /** Reads the configuration anew. */
  readConfig(): Result<ReadyConfig, Refusal>
  readonly hostName: string
}

/**
 * The whole of it: one supervisor for each tunnel, the facts that they live on, and one wish about the kernel that
 * follows from configuration, facts and sessions.
 */
export class Daemon implements ControlTarget {
  readonly #ports: DaemonPorts
  readonly #supervisors = new Map<string, Supervisor>()
  readonly #states = new Map<string, TunnelState>()
  #config: Config
  #warnings: readonly string[]
  #phase: 'starting' | 'running' | 'stopping' | 'stopped' = 'starting'
  #reloading: Promise<unknown> = Promise.resolve()
  #failover: Failover | undefined
  #addresses = new PathAddresses()
  readonly #neighbourhood: Neighbourhood
  readonly #histories: Histories
  readonly #budgets: Budgets
  /** What a user chose with `use`, which outlives a reload; undefined: as configured. */
  #mode: string | undefined

  constructor(ready: ReadyConfig, ports: DaemonPorts) {
    this.#ports = ports
    this.#config = ready.config
    this.#warnings = ready.warnings
    this.#histories = new Histories(ports)
    ports.status.follow((event) => this.#histories.told(event))
    this.#neighbourhood = new Neighbourhood(ports)
    this.#budgets = new Budgets(ports, () => this.#factsChanged())
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config
  }

  /** Before the state of the system is known: what can be begun without it. */
  prepare(): void {
    const { apply, memory } = this.#ports
    const states = this.#config.tunnels.map(({ name }): [string, TunnelState] => [
      name,
      { session: undefined, held: memory.last(name) },
    ])
    const learnt = this.#neighbourhood.learnt(this.#config)
    const { filters } = desiredState(this.#config, NO_FACTS, new Map(states), undefined, undefined, learnt)
    const script = scriptOf(filters)
    if (script !== undefined) apply.prepare(script)
  }

  /** Puts filters and devices in place, and begins to dial beside that. */
  start(): void {
    const { watcher, names } = this.#ports
    this.#phase = 'running'
    this.#configured()
    for (const tunnel of this.#config.tunnels) this.#add(tunnel)
    this.#beginFailover()
    watcher.onChange(() => this.#factsChanged())
    names.onChange(() => this.#factsChanged())
    this.#factsChanged()
    this.#wantSessions()
  }

  /** Hangs up everywhere, then removes all that is ours from the kernel. */
  async stop(): Promise<void> {
    this.#phase = 'stopping'
    await this.#reloading
    this.#failover?.close()
    // While the way to the broker still stands.
    await this.#ports.publishers.stop()
    this.#budgets.close()
    await Promise.all([...this.#supervisors.values()].map((supervisor) => this.#end(supervisor)))
    this.#histories.close()
    this.#phase = 'stopped'
    await clearKernel(this.#ports)
  }

  // ---- ControlTarget

  status() {
    return this.#ports.status.status()
  }

  events() {
    return this.#ports.status.events
  }

  follow(listener: Parameters<StatusStore['follow']>[0]): Cancel {
    return this.#ports.status.follow(listener)
  }

  up(tunnel: string): Outcome {
    return this.#supervisors.get(tunnel)?.up() ?? ok(undefined)
  }

  down(tunnel: string): Outcome {
    void this.#supervisors.get(tunnel)?.down()
    return ok(undefined)
  }

  reconnect(tunnel: string): Outcome {
    return this.#supervisors.get(tunnel)?.reconnect() ?? ok(undefined)
  }

  paths(): readonly string[] {
    return this.#failover?.names ?? []
  }

  use(path: string): Outcome {
    if (this.#failover === undefined) return err({ code: 'refused', message: 'there is no failover section' })
    this.#mode = path
    this.#supervisors.get(path)?.afresh()
    this.#failover.use(path)
    return ok(undefined)
  }

  history(path: string): PathHistory | undefined {
    return this.#histories.read(path)
  }

  async drill(path: string | undefined): ReturnType<ControlTarget['drill']> {
    const report = await this.#failover?.drill(path)
    const message = this.#failover ? 'no path carries traffic now' : 'there is no failover section to drill'
    return report ? drillOutcome(report) : err({ code: 'refused', message })
  }

  reload(force = false): Promise<Result<ReloadReport, Refusal>> {
    const done = this.#reloading.then(() => this.#reload(force))
    this.#reloading = done.catch(() => {})
    return done
  }

  async plan(): Promise<Result<PlanReport, Refusal>> {
    const desired = this.#desired()
    const changes = this.#ports.apply.pending().map(describeChange)
    const rules = await listRules(this.#ports.nft)
    const foreign = foreignWarnings(rules, this.#config, this.#ports.watcher.facts)
    return ok({ changes, nft: scriptOf(desired.filters) ?? '', warnings: [...this.#warnings, ...foreign] })
  }

  // ---- reload

  async #reload(force: boolean): Promise<Result<ReloadReport, Refusal>> {
    const { log, status, watcher } = this.#ports
    if (this.#phase !== 'running') return this.#notNow()
    const filtersOf = (config: Config) => scriptOf(desiredState(config, watcher.facts, this.#states).filters)
    const next = await nextConfig(this.#config, force, this.#ports, filtersOf)
    if (this.#phase !== 'running') return this.#notNow()
    if (!next.ok) return next
    const { config } = next.value
    const old = this.#config
    const warnings = [...next.value.warnings, ...needsRestart(old, config)]
    for (const warning of warnings) log.warn(warning)
    const changes = describeChanges(old, config)
    const { added, removed, changed } = changedTunnels(old, config)
    const redialled = [...changed].filter(([, options]) => needsRedial(options)).map(([name]) => name)
    const ended = [...removed, ...redialled].flatMap((name) => this.#supervisors.get(name) ?? [])
    const switchedOff = ended.filter((supervisor) => supervisor.switchedOff).map(({ name }) => name)
    await Promise.all(ended.map((supervisor) => this.#end(supervisor)))
    if (this.#phase !== 'running') return this.#notNow()
    for (const name of removed) this.#states.delete(name)
    this.#config = config
    this.#warnings = next.value.warnings
    this.#configured()
    const begun = config.tunnels.filter(({ name }) => added.includes(name) || redialled.includes(name))
    for (const tunnel of begun) this.#add(tunnel)
    for (const name of switchedOff) this.down(name)
    if (old.failover?.mode !== config.failover?.mode) this.#mode = undefined
    if (concernsPaths(old, config)) this.#beginFailover()
    this.#factsChanged()
    this.#wantSessions()
    if (changes.length > 0) status.event('reloaded', { changes })
    return ok({ changes, warnings })
  }

  #notNow(): Result<never, Refusal> {
    return err({ code: 'refused', message: `the daemon is ${this.#phase}` })
  }

  #configured(): void {
    const { status, publishers, hostName } = this.#ports
    const { lifeline, tunnels, uplinks: configured } = this.#config
    status.configure({ node: lifeline.node ?? hostName, tunnels, uplinks: configured })
    publishers.configure(this.#config, this)
    this.#budgets.configure(this.#config)
  }

  // ---- tunnels

  #add(tunnel: TunnelConfig): void {
    const { name } = tunnel
    const { memory, hostName } = this.#ports
    memory.login(name, tunnel.username)
    this.#states.set(name, { session: undefined, held: memory.last(name) })
    const onSession = (session: TunnelSession | undefined) => this.#onSession(name, session)
    const node = this.#config.lifeline.node ?? hostName
    const onPath = () => this.#failover?.tunnelChanged(name)
    const onEchoed = (echo: ProbeSample) => {
      this.#histories.echo(name, echo)
      if (echo.rttMs !== undefined) this.#failover?.echoed(name)
    }
    const surroundings = () => this.#neighbourhood.surroundings(this.#config)
    const options = { tunnel, hostName: node, onSession, surroundings, onPath, onEchoed }
    this.#supervisors.set(name, new Supervisor(options, this.#ports))
  }

  /** Tunnels that are no path of `failover` are up at all times; the others as its choice needs them. */
  #wantSessions(): void {
    const chosen = this.#failover?.names ?? []
    for (const [name, supervisor] of this.#supervisors) if (!chosen.includes(name)) supervisor.want('session')
  }

  #beginFailover(): void {
    const { failover } = this.#config
    const active = this.#failover?.active
    this.#failover?.close()
    this.#failover = undefined
    this.#addresses = new PathAddresses()
    const tunnels = this.#config.tunnels.map(({ name }) => name)
    this.#histories.keep(failover?.paths ?? [], tunnels)
    if (!failover) {
      this.#ports.status.failover(undefined)
      return
    }
    this.#failover = new Failover(
      {
        config: this.#config,
        failover: { ...failover, mode: this.#modeAmong(failover) },
        carrying: active?.kind === 'path' ? active.name : undefined,
        supervisor: (name) => this.#supervisors.get(name),
        resolvers: (uplink) => this.#neighbourhood.resolversOf(uplink),
        onChoice: async () => void (await this.#wish()),
        histories: this.#histories,
        cutOff: () => this.#budgets.cutOff,
        short: (tunnel) => this.#budgets.short(this.#carriers(tunnel)[0]?.name),
        onSwitched: (switched) => this.#switched(switched),
      },
      this.#ports,
    )
  }

  /** Connections of an address that is not ours to use any more would hang until they time out. */
  #switched({ kind, oldAddresses }: Switched): void {
    const scope = kind === 'failover' ? 'all' : 'translated'
    for (const address of oldAddresses) void this.#ports.conntrack.flush(address, scope)
  }

  #modeAmong({ mode, paths }: FailoverConfig): string {
    const chosen = this.#mode
    return chosen === 'auto' || (chosen !== undefined && paths.includes(chosen)) ? chosen : mode
  }

  /** From now on nobody can switch it on again. */
  async #end(supervisor: Supervisor): Promise<void> {
    this.#supervisors.delete(supervisor.name)
    await supervisor.down()
    supervisor.release()
  }

  async #onSession(name: string, session: TunnelSession | undefined): Promise<void> {
    const state = nextState(this.#states.get(name), session)
    this.#states.set(name, state)
    this.#share()
    const failures = await this.#wish()
    const device = this.#config.tunnels.find((tunnel) => tunnel.name === name)?.device ?? ''
    const fatal = failures.find((failure) => keepsDown(failure, device))
    if (fatal) throw refusalOf(fatal)
    const tunnel = this.#config.tunnels.find((each) => each.name === name)
    if (!state.held || !tunnel) return
    const around = this.#neighbourhood.surroundings(this.#config)
    this.#ports.memory.remember(name, fitSession(state.held, tunnel, around).session)
  }

  // ---- the kernel

  #factsChanged(): void {
    if (this.#phase !== 'running') return
    const { facts } = this.#ports.watcher
    const lines = uplinks(this.#config, facts)
    showUplinks(this.#ports.status, lines)
    this.#budgets.uplinksChanged(lines)
    for (const [name, supervisor] of this.#supervisors) {
      const tunnel = this.#config.tunnels.find((each) => each.name === name)
      supervisor.setCarriers(
        this.#carriers(name).map((uplink) => this.#carrier(uplink)),
        tunnel && noUplink(tunnel, this.#config, facts, this.#budgets.cutOff),
      )
    }
    this.#share()
    this.#failover?.factsChanged(facts)
    void this.#wish()
  }

  /** Judged once, for failover and for the wish. */
  #share(): void {
    const { facts } = this.#ports.watcher
    const learnt = this.#neighbourhood.learnt(this.#config)
    const changed = this.#addresses.seen(addressedPaths(this.#config, facts, this.#states, learnt))
    if (changed) this.#failover?.sharingChanged(this.#addresses.sharing)
  }

  /** The uplinks that may carry the tunnel now, best first. */
  #carriers(name: string): UsableUplink[] {
    const tunnel = this.#config.tunnels.find((each) => each.name === name)
    if (!tunnel) return []
    return carriersOf(tunnel, this.#config, this.#ports.watcher.facts, this.#budgets.cutOff)
  }

  #carrier(uplink: UsableUplink): Carrier {
    const guarded = sectionOf(uplink.name, 'uplink', this.#config) !== undefined
    return carrierOf(uplink, guarded, () => this.#neighbourhood.resolversOf(uplink))
  }

  /** Resolves once the kernel holds this wish or a newer one, with what it refused: the keeper tries that again. */
  async #wish(): Promise<readonly ApplyFailure[]> {
    if (this.#phase === 'stopped') return []
    return this.#ports.apply.want(this.#desired())
  }

  #desired() {
    const { facts } = this.#ports.watcher
    const learnt = this.#neighbourhood.learnt(this.#config)
    const { sharing } = this.#addresses
    return desiredState(this.#config, facts, this.#states, this.#failover?.active, sharing, learnt)
  }
}
