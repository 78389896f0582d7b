import { removeTable } from '../core/firewall/ruleset.ts'
import type { Nft } from './ports.ts'

/**
 * Our nft table, and whether anybody else has changed it: the kernel announces every transaction that touches it, and
 * those that are not ours are somebody else's.
 */
export class Filters {
  readonly #nft: Nft
  /** Empty until we know. */
  #loaded: string | undefined = ''
  #broken = false
  #busy = false
  #own = 0
  #announced = 0

  constructor(nft: Nft) {
    this.#nft = nft
  }

  /** The script that made the table as it is now; undefined if there is none; empty if it may be anything. */
  get loaded(): string | undefined {
    return this.#loaded
  }

  /** Somebody else has changed the table, and it was not mended yet. */
  get broken(): boolean {
    return this.#broken
  }

  /** Replaces the table. Rejects with SystemError; then it is as before. */
  load(script: string): Promise<void> {
    return this.#transact(script, script)
  }

  /** Removes the table. Rejects with SystemError. */
  remove(): Promise<void> {
    return this.#transact(removeTable(), undefined)
  }

  /** So many transactions that touched the table, ours among them, were announced; true if one was somebody else's. */
  changed(transactions: number): boolean {
    this.#announced += transactions
    // While one of ours is under way it may be the one that was announced.
    return !this.#busy && this.#isForeign()
  }

  /** Announcements were lost, as when somebody fills a large set: most likely ours is whole, but it is to be loaded again. */
  forget(): void {
    this.#announced = this.#own
    this.#loaded = ''
  }

  async #transact(script: string, loaded: string | undefined): Promise<void> {
    this.#busy = true
    try {
      await this.#nft.apply(script)
      this.#own++
      this.#loaded = loaded
      this.#broken = false
    } finally {
      this.#busy = false
      this.#isForeign()
    }
  }

  /** Announcements may come late, never early. */
  #isForeign(): boolean {
    if (this.#announced <= this.#own) return false
    this.forget()
    this.#broken = true
    return true
  }
}
