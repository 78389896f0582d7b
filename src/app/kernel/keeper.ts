/** Keeps the kernel at the state that is desired: what somebody undid is done again, what was refused is tried again. */
import { TableWatch } from '../../core/netlink/nftables.ts'
import { describeChange } from '../../core/system/change.ts'
import { after, type Millis } from '../../core/time.ts'
import type { Cancel, Clock, Log, Netlink, Netlinks } from '../ports.ts'
import type { Apply } from './apply.ts'
import type { FactsWatcher } from './facts.ts'

/** What the keeper listens to for what others undo, and who writes it again. */
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
  readonly #cancels: readonly Cancel[]
  readonly #table = new TableWatch()
  #alarm: { readonly at: Millis; readonly cancel: Cancel } | undefined
  #pause = SETTLE
  #correctedAt = Number.NEGATIVE_INFINITY

  constructor(ports: KeeperPorts) {
    this.#ports = ports
    this.#nftables = this.#watchNftables()
    this.#cancels = [
      ports.watcher.onChange(() => {
        ports.apply.guard()
        this.#checkSoon()
      }),
      ports.apply.onRefused(() => this.#checkAfter(Math.max(RETRY, this.#pause))),
      ports.apply.onBroken(() => this.#broken()),
    ]
  }

  close(): void {
    this.#alarm?.cancel()
    for (const cancel of this.#cancels) cancel()
    this.#nftables?.close()
  }

  /** A kernel without nftables shows when the filters are loaded, in better words. */
  #watchNftables(): Netlink | undefined {
    const { netlinks, log } = this.#ports
    try {
      return netlinks.open({
        protocol: 'netfilter',
        groups: [NFTABLES_GROUP],
        onMessages: (messages) => this.#ports.apply.tableChanged(this.#table.transactions(messages)),
        onOverrun: () => {
          this.#ports.apply.tableUnknown()
          this.#checkSoon()
        },
      })
    } catch (error) {
      log.warn('nftables cannot be watched: filters that somebody removes are not put back', { error })
      return undefined
    }
  }

  /** Nothing passes while filters are broken: they are mended at once, unless that was tried a moment ago. */
  #broken(): void {
    this.#ports.log.warn('somebody changed our filters, nothing passes until they are whole again')
    this.#checkSoon(0)
  }

  /** After `calm` ms, unless there were corrections lately. */
  #checkSoon(calm = SETTLE): void {
    if (this.#ports.clock.now() - this.#correctedAt > CALM) this.#pause = SETTLE
    this.#checkAfter(this.#pause === SETTLE ? calm : this.#pause)
  }

  #checkAfter(pause: number): void {
    const { clock } = this.#ports
    const at = after(clock.now(), pause)
    if (this.#alarm !== undefined && this.#alarm.at <= at) return
    this.#alarm?.cancel()
    const cancel = clock.alarm(at, () => {
      this.#alarm = undefined
      void this.#check()
    })
    this.#alarm = { at, cancel }
  }

  async #check(): Promise<void> {
    const { apply, clock, log } = this.#ports
    if (apply.busy) {
      this.#checkAfter(SETTLE)
      return
    }
    const changes = apply.pending()
    if (changes.length === 0) return
    log.info('the system is not as it should be, correcting it', { changes: changes.map(describeChange) })
    this.#correctedAt = clock.now()
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
    await apply.again()
  }
}
