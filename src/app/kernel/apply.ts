/** Makes the kernel hold what is desired: the only place that writes links, addresses, routes, rules and filters. */

import { equal } from '../../core/equal.ts'
import type { GuardedPort } from '../../core/firewall/guard.ts'
import { type Change, describeChange, encodeChange, type NetlinkChange } from '../../core/system/change.ts'
import type { DesiredState } from '../../core/system/desired-state.ts'
import { difference } from '../../core/system/difference.ts'
import { linkNamed } from '../../core/system/facts.ts'
import { type Cancel, type Log, type Nft, type Sysctls, SystemError } from '../ports.ts'
import {
  type ApplyFailure,
  addressRefusals,
  failureOf,
  isHarmless,
  keepsDown,
  refusalOfFilters,
} from './apply-failure.ts'
import type { Devices } from './devices.ts'
import type { FactsWatcher } from './facts.ts'
import { Filters } from './filters.ts'

/** What the kernel is written through, and the facts that tell what is to be written. */
export interface ApplyPorts {
  readonly watcher: FactsWatcher
  readonly devices: Devices
  readonly nft: Nft
  readonly sysctls: Sysctls
  readonly log: Log
}

/** What a dial needs of filters before its first message leaves. */
export interface PortGuard {
  /** Resolves once they are loaded; where they were refused they are tried again. Rejects with FiltersRefused. */
  filtersLoaded(): Promise<void>
  /**
   * Resolves once nobody but the LNS can reach the port. Call what it resolves with when the socket is closed. Rejects
   * with SystemError where nft refuses.
   */
  guardPort(port: GuardedPort): Promise<Cancel>
}

/** What sessions are told of addresses that the kernel did not take. */
export interface AddressRefusals {
  /** Of a device, when it was last written: each with a predicate that says why. */
  refusedAddresses(device: string): ReadonlyMap<string, string>
  /** Calls `run` when it may be otherwise. */
  onWritten(run: () => void): Cancel
}

type RoutingChange = Extract<Change, { kind: 'addRoute' | 'addRule' | 'removeRule' | 'removeRoute' }>

const NO_DEVICE = new SystemError('ENODEV', 'the device does not exist')

/**
 * Writes one desired state at a time, the latest one next. The carrier of a device is its business alone: off at once
 * when it is to be, even while another state is being written; on when all that the device needs is in place.
 */
export class Apply implements PortGuard, AddressRefusals {
  readonly #ports: ApplyPorts
  #desired: DesiredState | undefined
  /** The desired state has changed since it was last begun to be written. */
  #unwritten = false
  #writing = false
  #waiting: ((failures: readonly ApplyFailure[]) => void)[] = []
  #failures: readonly ApplyFailure[] = []
  readonly #onRefused = new Set<() => void>()
  readonly #onBroken = new Set<() => void>()
  readonly #onWritten = new Set<() => void>()
  readonly #filters: Filters
  #prepared: Promise<void> = Promise.resolve()

  constructor(ports: ApplyPorts) {
    this.#ports = ports
    this.#filters = new Filters(ports.nft, () => {
      this.guard()
      call(this.#onBroken)
    })
  }

  /**
   * Begins to load filters before anything else is known: dials wait for them, and nft takes a while. If they turn out
   * otherwise, or are refused, the first desired state sees to it.
   */
  prepare(script: string): void {
    this.#prepared = this.#filters.load(script).catch(() => {})
  }

  /**
   * Resolves when this state, or a newer one that took its place, is written, with what failed. A carrier that is to be
   * off is off when this returns. The same state once more does nothing: to look whether it still holds is `again`.
   */
  want(desired: DesiredState): Promise<readonly ApplyFailure[]> {
    if (!equal(desired, this.#desired)) {
      for (const { name, carrier } of desired.devices) if (!carrier) void this.#carrier(name, false)
      this.#desired = desired
      this.#unwritten = true
    }
    return this.#written()
  }

  /** Compares the desired state with the facts, and writes what is missing or was refused. */
  again(): Promise<readonly ApplyFailure[]> {
    this.#unwritten = true
    return this.#written()
  }

  /** Calls `run` whenever all is written but for what was refused. */
  onRefused(run: () => void): Cancel {
    this.#onRefused.add(run)
    return () => this.#onRefused.delete(run)
  }

  /** Calls `run` whenever somebody else has changed our nft table, as `nft flush ruleset` does: nothing passes any more. */
  onBroken(run: () => void): Cancel {
    this.#onBroken.add(run)
    return () => this.#onBroken.delete(run)
  }

  refusedAddresses(device: string): ReadonlyMap<string, string> {
    return addressRefusals(this.#failures, device)
  }

  onWritten(run: () => void): Cancel {
    this.#onWritten.add(run)
    return () => this.#onWritten.delete(run)
  }

  /** A desired state is being written. */
  get busy(): boolean {
    return this.#writing
  }

  /** What is missing now, by the facts; empty if the kernel holds the desired state. */
  pending(): Change[] {
    const { watcher } = this.#ports
    return this.#desired === undefined ? [] : difference(this.#desired, watcher.facts, this.#holdings())
  }

  /** So many transactions that touched our nft table, ours among them, were announced. */
  tableChanged(transactions: number): void {
    this.#filters.changed(transactions)
  }

  /** Announcements of such transactions were lost. */
  tableUnknown(): void {
    this.#filters.forget()
  }

  async filtersLoaded(): Promise<void> {
    await this.#prepared
    if (this.#filters.loaded) return
    const refusal = refusalOfFilters(await (this.#writing ? this.#written() : this.again()))
    if (refusal !== undefined) throw refusal
  }

  async guardPort(port: GuardedPort): Promise<Cancel> {
    // The table brings the guard along where it is being loaded, as at the start, or is to be.
    const loading = this.#filters.loaded ? [] : this.#writing ? this.#written() : this.again()
    const cancel = await this.#filters.guard(port)
    const refusal = refusalOfFilters(await loading)
    if (refusal === undefined) return cancel
    cancel()
    throw refusal
  }

  /** Lets no packet pass while filters are broken, or a device is not up under the name by which these know it. */
  guard(): void {
    const { devices, watcher } = this.#ports
    for (const { name } of this.#desired?.devices ?? []) {
      devices.get(name)?.dropPackets(this.#filters.broken || linkNamed(watcher.facts, name)?.up !== true)
    }
  }

  #written(): Promise<readonly ApplyFailure[]> {
    return new Promise((done) => {
      this.#waiting.push(done)
      void this.#write()
    })
  }

  async #write(): Promise<void> {
    if (this.#writing) return
    this.#writing = true
    while (this.#unwritten && this.#desired !== undefined) {
      this.#unwritten = false
      this.#failures = await this.#fulfil(this.#desired)
    }
    this.#writing = false
    call(this.#onWritten)
    for (const done of this.#waiting.splice(0)) done(this.#failures)
    if (this.#failures.length > 0) call(this.#onRefused)
  }

  async #fulfil(desired: DesiredState): Promise<ApplyFailure[]> {
    const failures: ApplyFailure[] = []
    await this.#prepared
    const { facts } = this.#ports.watcher
    const changes = this.#changes(desired)
    const early = changes.filter(isEarly)
    await this.#attemptAll(early, failures)
    this.#destroyUnwanted()
    // Unfiltered, no device comes up and none carries.
    const unfiltered = failures.some(({ change }) => change.kind === 'loadNft')
    if (!unfiltered) {
      // One that a newer state does without was just removed.
      const wanted = desired.devices.filter(({ name }) => this.#isWanted(name))
      const devices = wanted.map(({ name }): Change => ({ kind: 'createDevice', device: name }))
      await this.#attemptAll(devices, failures)
      // A device that another process holds is not ours to set up.
      const refused = failures.flatMap(({ change }) =>
        change.kind === 'createDevice' ? [change.device] : [],
      )
      const unchanged = early.length === 0 && this.#ports.watcher.facts === facts
      const late = (unchanged ? changes : this.#changes(desired))
        .filter(isLate)
        .filter((change) => !refused.includes(deviceOf(change) ?? ''))
      const isSwitch = (change: Change) =>
        change.kind === 'addRoute' && change.route.table === desired.switchTable
      await this.#attemptAll(
        late.filter((change) => !isSwitch(change) && !isFinal(change)),
        failures,
      )
      await this.#setCarriers(desired, failures)
      // A newer state may lead elsewhere.
      if (!this.#unwritten)
        await this.#attemptAll([...late.filter(isSwitch), ...late.filter(isFinal)], failures)
    } else await this.#setCarriers(desired, failures)
    return failures
  }

  async #setCarriers(desired: DesiredState, failures: readonly ApplyFailure[]): Promise<void> {
    for (const { name, carrier } of desired.devices) {
      const ready = carrier && !failures.some((failure) => keepsDown(failure, name))
      if (ready && !this.#unwritten) await this.#carrier(name, true)
      else if (!ready) await this.#carrier(name, false)
    }
    this.guard()
  }

  /** Routes and rules that follow each other go to the kernel together. */
  async #attemptAll(changes: readonly Change[], failures: ApplyFailure[]): Promise<void> {
    let together: RoutingChange[] = []
    for (const change of changes) {
      if (isRouting(change)) {
        together.push(change)
        continue
      }
      await this.#attemptTogether(together, failures)
      together = []
      await this.#attempt(change, failures)
    }
    await this.#attemptTogether(together, failures)
  }

  async #attempt(change: Change, failures: ApplyFailure[]): Promise<void> {
    try {
      await this.#perform(change)
    } catch (error) {
      this.#refused(change, error, failures)
    }
  }

  async #attemptTogether(changes: readonly RoutingChange[], failures: ApplyFailure[]): Promise<void> {
    const { watcher } = this.#ports
    const requests = changes.map((change) => ({ change, bytes: encodeChange(change, watcher.facts) }))
    for (const { change, bytes } of requests) if (!bytes) this.#refused(change, NO_DEVICE, failures)
    const possible = requests.flatMap(({ change, bytes }) => (bytes ? [{ change, bytes }] : []))
    if (possible.length === 0) return
    const refusals = await watcher.changeTogether(possible.map(({ bytes }) => bytes))
    for (const [i, { change }] of possible.entries())
      if (refusals[i] !== undefined) this.#refused(change, refusals[i], failures)
  }

  #refused(change: Change, error: unknown, failures: ApplyFailure[]): void {
    const failure = failureOf(change, error)
    if (isHarmless(failure)) return
    failures.push(failure)
    this.#ports.log.warn('the system refused a change', {
      change: describeChange(change),
      code: failure.code,
      error: failure.message,
    })
  }

  async #perform(change: Change): Promise<void> {
    const { devices, watcher, sysctls } = this.#ports
    switch (change.kind) {
      case 'loadNft':
        return this.#filters.load(change.text)
      case 'removeNft':
        return this.#filters.remove()
      case 'createDevice':
        return this.#open(change.device)
      case 'removeDevice':
        // Facts may know it by the index of one before it.
        devices.get(change.device)?.destroy()
        return this.#request(change)
      case 'setSysctl':
        return sysctls.write(change.sysctl.path, change.sysctl.value)
      case 'setCarrier':
        return
      case 'setLink':
        await this.#request(change)
        return watcher.lookUpLink(change.device)
      default:
        return this.#request(change)
    }
  }

  /** Opens the device, made new or left by an earlier process, and learns its index. */
  async #open(name: string): Promise<void> {
    const { devices, watcher } = this.#ports
    const isNew = devices.get(name) === undefined
    const device = devices.open(name)
    if (isNew) device.setCarrier(false)
    if (isNew || !watcher.facts.links.some((link) => link.name === name)) await watcher.lookUpLink(name)
  }

  /**
   * Facts show by its alias which device is ours. One that a session has opened has none before it is set up, which does
   * not happen without filters. What is wanted by now counts: a session may already use what this state does not know.
   */
  #destroyUnwanted(): void {
    const { devices, log } = this.#ports
    for (const name of devices.names()) {
      if (this.#isWanted(name)) continue
      try {
        devices.get(name)?.destroy()
      } catch (error) {
        log.warn('a device could not be removed', { device: name, error })
      }
    }
  }

  /** By the latest desired state, which may not be the one that is being written. */
  #isWanted(name: string): boolean {
    return this.#desired?.devices.some((device) => device.name === name) ?? false
  }

  async #request(change: NetlinkChange): Promise<void> {
    const request = encodeChange(change, this.#ports.watcher.facts)
    if (request === undefined) throw NO_DEVICE
    await this.#ports.watcher.change(request)
  }

  /**
   * Sets the carrier before it returns. The kernel may take a second until routes and queues follow; being asked for the
   * link hurries it (rtnl_getlink, linkwatch_sync_dev).
   */
  async #carrier(name: string, on: boolean): Promise<void> {
    const { devices, watcher, log } = this.#ports
    try {
      const device = devices.get(name)
      if (device === undefined) return
      if (device.carrier === on && linkNamed(watcher.facts, name)?.carrier === on) return
      device.setCarrier(on)
      await watcher.lookUpLink(name)
    } catch (error) {
      log.warn('the carrier of a device could not be set', { device: name, on, error })
    }
  }

  #changes(desired: DesiredState): Change[] {
    return difference(desired, this.#ports.watcher.facts, this.#holdings())
  }

  #holdings() {
    return { nft: this.#filters.loaded, readSysctl: (path: string) => this.#ports.sysctls.read(path) }
  }
}

function call(listeners: ReadonlySet<() => void>): void {
  for (const listener of [...listeners]) listener()
}

/** What comes before devices are opened: then facts know their indexes. */
function isEarly({ kind }: Change): boolean {
  return kind === 'removeDevice' || kind === 'loadNft'
}

function isLate(change: Change): boolean {
  return !isEarly(change) && change.kind !== 'createDevice' && change.kind !== 'setCarrier'
}

/** What is old goes when what is new is in use. */
function isFinal({ kind }: Change): boolean {
  return kind === 'removeRule' || kind === 'removeRoute' || kind === 'removeNft'
}

function isRouting(change: Change): change is RoutingChange {
  const { kind } = change
  return kind === 'addRoute' || kind === 'addRule' || kind === 'removeRule' || kind === 'removeRoute'
}

function deviceOf(change: Change): string | undefined {
  if (change.kind === 'addRoute')
    return typeof change.route.via === 'string' ? undefined : change.route.via.device
  return 'device' in change ? change.device : undefined
}
