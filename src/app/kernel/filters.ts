import { equal } from '../../core/equal.ts'
import { type GuardedPort, guardScript } from '../../core/firewall/guard.ts'
import { removeTable } from '../../core/firewall/ruleset.ts'
import type { Cancel, Nft } from '../ports.ts'

/**
 * Our nft table, and whether anybody else has changed it: the kernel announces every transaction that touches it, and
 * those that are not ours are somebody else's.
 */
export class Filters {
  readonly #nft: Nft
  readonly #onBroken: () => void
  /** Empty until we know. */
  #loaded: string | undefined = ''
  #broken = false
  #busy = false
  /** Announcements were lost since it is: perhaps that of the transaction under way, perhaps not. */
  #unsure = false
  #own = 0
  #announced = 0
  #guarded: readonly GuardedPort[] = []
  /** Those that the table knows. */
  #written: readonly GuardedPort[] = []
  /** One transaction at a time, so that none is overtaken by an older one. */
  #last: Promise<unknown> = Promise.resolve()

  /** `onBroken` is called each time that somebody else has changed the table. */
  constructor(nft: Nft, onBroken: () => void) {
    this.#nft = nft
    this.#onBroken = onBroken
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
    return this.#inTurn(() => this.#replace(`${script}${guardScript(this.#guarded)}`, script))
  }

  /** Removes the table. Rejects with SystemError. */
  remove(): Promise<void> {
    return this.#inTurn(() => this.#replace(removeTable(), undefined))
  }

  /**
   * Lets only the LNS reach a port of ours. Resolves when that is in place, or the table is not there, which will have it
   * when it comes; rejects with SystemError. Call what it resolves with when the port is closed.
   */
  async guard(port: GuardedPort): Promise<Cancel> {
    const withdraw = () => {
      this.#guarded = this.#guarded.filter((other) => other !== port)
    }
    this.#guarded = [...this.#guarded, port]
    try {
      await this.#loadGuards()
    } catch (error) {
      withdraw()
      throw error
    }
    return () => {
      withdraw()
      // Nobody listens there any more: what is left of it does no harm until the next script replaces it.
      void this.#loadGuards().catch(() => {})
    }
  }

  /** Whatever came and went while others had their turn is written once. */
  #loadGuards(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#loaded || equal(this.#guarded, this.#written)) return
      await this.#transact(() => this.#nft.load(guardScript(this.#guarded)))
    })
  }

  #inTurn(transact: () => Promise<void>): Promise<void> {
    const done = this.#last.then(transact)
    this.#last = done.catch(() => {})
    return done
  }

  /** So many transactions that touched the table, ours among them, were announced. */
  changed(transactions: number): void {
    this.#announced += transactions
    // While one of ours is under way it may be the one that was announced.
    if (!this.#busy) this.#compare()
  }

  /** Announcements were lost, as when somebody fills a large set: most likely ours is whole, but it is to be loaded again. */
  forget(): void {
    this.#loaded = ''
    if (this.#busy) this.#unsure = true
    else this.#announced = this.#own
  }

  async #replace(script: string, loaded: string | undefined): Promise<void> {
    await this.#transact(
      () => this.#nft.load(script),
      () => {
        this.#loaded = loaded
        this.#broken = false
      },
    )
  }

  async #transact(load: () => Promise<void>, done = () => {}): Promise<void> {
    const guarded = this.#guarded
    this.#busy = true
    try {
      await load()
      this.#own++
      this.#written = guarded
      done()
    } finally {
      this.#busy = false
      this.#compare()
      if (this.#unsure) this.forget()
      this.#unsure = false
    }
  }

  /** Announcements may come late, never early. */
  #compare(): void {
    if (this.#announced <= this.#own) return
    this.forget()
    this.#broken = true
    this.#onBroken()
  }
}
