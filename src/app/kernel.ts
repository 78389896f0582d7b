/** Joins configuration, facts and sessions to a wish, and keeps the kernel at it. */
import type { Config } from '../core/config/types.ts'
import { lastTableEvent } from '../core/netlink/nftables.ts'
import { describeChange } from '../core/system/change.ts'
import { type DesiredState, desiredState, NOTHING_DESIRED } from '../core/system/desired.ts'
import { type Facts, same } from '../core/system/facts.ts'
import { nextState, type TunnelSession, type TunnelState } from '../core/system/session.ts'
import { after } from '../core/time.ts'
import { Apply, type ApplyFailure } from './apply.ts'
import { Devices } from './devices.ts'
import { FactsWatcher } from './facts.ts'
import type { Cancel, Clock, Log, Netlink, Netlinks, Nft, Sysctls, Tuns } from './ports.ts'

export interface KernelPorts {
  readonly clock: Clock
  readonly netlinks: Netlinks
  readonly nft: Nft
  readonly sysctls: Sysctls
  readonly tuns: Tuns
  readonly log: Log
}

/** ms. Announcements of one event come in a row; ours may still be under way. */
const SETTLE = 50

/** ms. Whoever keeps undoing what we do is not answered more often than this. */
const LONGEST_PAUSE = 30_000

/** ms without a correction after which the next one comes quickly again. */
const CALM = 60_000

/** NFNLGRP_NFTABLES (linux/netfilter/nfnetlink.h) */
const NFTABLES_GROUP = 7

/**
 * The kernel as the rest of the app sees it: facts come out, configuration and sessions go in. What somebody else
 * undoes is done again; what is refused is tried again when anything changes, and after a while anyway.
 */
export class Kernel {
  readonly devices: Devices
  readonly #ports: KernelPorts
  readonly #watcher: FactsWatcher
  readonly #apply: Apply
  readonly #nftables: Netlink
  readonly #states = new Map<string, TunnelState>()
  #config: Config | undefined
  #wanted: DesiredState | undefined
  #tableGone = false
  #alarm: Cancel | undefined
  #pause = SETTLE
  #correctedAt = Number.NEGATIVE_INFINITY

  /** Throws SystemError if there is no netlink. */
  constructor(ports: KernelPorts) {
    this.#ports = ports
    this.devices = new Devices(ports.tuns)
    this.#watcher = new FactsWatcher(ports.netlinks, ports.log)
    this.#apply = new Apply({ ...ports, watcher: this.#watcher, devices: this.devices })
    this.#nftables = ports.netlinks.open({
      protocol: 'netfilter',
      groups: [NFTABLES_GROUP],
      onMessages: (messages) => this.#tableEvent(lastTableEvent(messages)),
      onOverrun: () => this.#tableEvent('removed'),
    })
  }

  /** Reads the facts. Nothing is changed before `configure`. */
  async start(): Promise<Facts> {
    const facts = await this.#watcher.start()
    this.#watcher.onChange(() => this.#factsChanged())
    return facts
  }

  get facts(): Facts {
    return this.#watcher.facts
  }

  onFacts(run: (facts: Facts) => void): Cancel {
    return this.#watcher.onChange(run)
  }

  /** Makes the kernel hold a configuration; resolves with what was refused. Sessions of tunnels that stay are kept. */
  configure(config: Config): Promise<readonly ApplyFailure[]> {
    this.#config = config
    for (const name of this.#states.keys()) {
      if (!config.tunnels.some((tunnel) => tunnel.name === name)) this.#states.delete(name)
    }
    return this.#want()
  }

  /**
   * Tells which session of a tunnel is up, undefined for none. Without a session the carrier of its device is off when
   * this returns; with one it is on when the promise resolves, unless a failure says why not.
   */
  show(tunnel: string, session: TunnelSession | undefined): Promise<readonly ApplyFailure[]> {
    this.#states.set(tunnel, nextState(this.#states.get(tunnel), session))
    return this.#want()
  }

  /** What an earlier process last negotiated: its addresses stay on the device. Call it before `configure`. */
  remember(tunnel: string, held: TunnelSession): void {
    this.#states.set(tunnel, { session: undefined, held })
  }

  /** Removes all that is ours from the system. */
  clear(): Promise<readonly ApplyFailure[]> {
    this.#config = undefined
    this.#states.clear()
    return this.#want()
  }

  /** Lets go of everything and leaves the system as it is. */
  close(): void {
    this.#alarm?.()
    this.#watcher.close()
    this.#nftables.close()
    this.devices.close()
  }

  #desired(): DesiredState {
    if (this.#config === undefined) return NOTHING_DESIRED
    return desiredState(this.#config, this.#watcher.facts, this.#states)
  }

  async #want(): Promise<readonly ApplyFailure[]> {
    this.#wanted = this.#desired()
    const failures = await this.#apply.want(this.#wanted)
    if (failures.length > 0) this.#checkSoon()
    return failures
  }

  /** A gateway or an uplink that changed is followed at once; what somebody undid has to wait a little. */
  #factsChanged(): void {
    if (this.#wanted === undefined) return
    if (!same(this.#wanted, this.#desired())) void this.#want()
    else this.#checkSoon()
  }

  /** Our own transaction removes and makes the table: only how things stand after a while counts. */
  #tableEvent(event: 'made' | 'removed' | undefined): void {
    if (event === undefined) return
    this.#tableGone = event === 'removed'
    if (this.#tableGone) this.#checkSoon()
  }

  #checkSoon(): void {
    if (this.#alarm !== undefined || this.#wanted === undefined) return
    const { clock } = this.#ports
    if (clock.now() - this.#correctedAt > CALM) this.#pause = SETTLE
    this.#alarm = clock.alarm(after(clock.now(), this.#pause), () => {
      this.#alarm = undefined
      this.#correct()
    })
  }

  #correct(): void {
    if (this.#apply.busy) {
      this.#checkSoon()
      return
    }
    if (this.#tableGone) this.#apply.nftLost()
    const changes = this.#apply.pending()
    if (changes.length === 0) return
    this.#ports.log.info('the system is not as it should be, correcting', {
      changes: changes.map(describeChange),
    })
    this.#correctedAt = this.#ports.clock.now()
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
    void this.#want()
  }
}
