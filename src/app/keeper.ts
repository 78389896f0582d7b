/** Keeps the kernel at the last wish: what somebody undid is done again, what was refused is tried again. */
import { lastTableEvent } from '../core/netlink/nftables.ts'
import { describeChange } from '../core/system/change.ts'
import { after } from '../core/time.ts'
import type { Apply } from './apply.ts'
import type { FactsWatcher } from './facts.ts'
import type { Cancel, Clock, Log, Netlink, Netlinks } from './ports.ts'

export interface KeeperPorts {
  readonly apply: Apply
  readonly watcher: FactsWatcher
  readonly netlinks: Netlinks
  readonly clock: Clock
  readonly log: Log
}

/** ms. Announcements of one event come in a row; those of our own changes may still be under way. */
const SETTLE = 50

/** ms. Whoever keeps undoing what we do is not answered more often than this. */
const LONGEST_PAUSE = 30_000

/** ms without a correction after which the next one comes quickly again. */
const CALM = 60_000

/** ms. What was refused is tried again after this even if nothing is heard of. */
const RETRY = 5_000

/** NFNLGRP_NFTABLES (linux/netfilter/nfnetlink.h) */
const NFTABLES_GROUP = 7

/** Looks after the facts and our nft table (`nft flush ruleset` takes it away) until it is closed. */
export class Keeper {
  readonly #ports: KeeperPorts
  readonly #nftables: Netlink | undefined
  readonly #unwatch: Cancel
  #tableGone = false
  #alarm: Cancel | undefined
  #pause = SETTLE
  #correctedAt = Number.NEGATIVE_INFINITY

  constructor(ports: KeeperPorts) {
    this.#ports = ports
    this.#nftables = this.#watchNftables()
    this.#unwatch = ports.watcher.onChange(() => this.#checkSoon())
  }

  close(): void {
    this.#alarm?.()
    this.#unwatch()
    this.#nftables?.close()
  }

  /** A kernel without nftables shows when the filters are loaded, in better words. */
  #watchNftables(): Netlink | undefined {
    const { netlinks, log } = this.#ports
    try {
      return netlinks.open({
        protocol: 'netfilter',
        groups: [NFTABLES_GROUP],
        onMessages: (messages) => this.#tableEvent(lastTableEvent(messages)),
        onOverrun: () => this.#tableEvent('removed'),
      })
    } catch (error) {
      log.warn('nftables cannot be watched: filters that somebody removes are not put back', { error })
      return undefined
    }
  }

  /** Our own transaction removes and makes the table: only how things stand after a while counts. */
  #tableEvent(event: 'made' | 'removed' | undefined): void {
    if (event === undefined) return
    this.#tableGone = event === 'removed'
    if (this.#tableGone) this.#checkSoon()
  }

  #checkSoon(): void {
    if (this.#ports.clock.now() - this.#correctedAt > CALM) this.#pause = SETTLE
    this.#checkAfter(this.#pause)
  }

  #checkAfter(pause: number): void {
    if (this.#alarm !== undefined) return
    const { clock } = this.#ports
    this.#alarm = clock.alarm(after(clock.now(), pause), () => {
      this.#alarm = undefined
      void this.#check()
    })
  }

  async #check(): Promise<void> {
    const { apply, clock, log } = this.#ports
    if (apply.busy) {
      this.#checkAfter(SETTLE)
      return
    }
    if (this.#tableGone) apply.nftLost()
    const changes = apply.pending()
    if (changes.length === 0) return
    log.info('the system is not as it should be, correcting it', { changes: changes.map(describeChange) })
    this.#correctedAt = clock.now()
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
    const failures = await apply.again()
    if (failures.length > 0) this.#checkAfter(Math.max(RETRY, this.#pause))
  }
}
