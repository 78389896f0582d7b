import type { Millis } from '../time.ts'
import { attemptsOf, type DialerOptions, type DialerState, raceOf } from './dialer-state.ts'
import { type DialUplink, Round } from './round.ts'

/** Begins the rounds of a tunnel, and remembers who wants it elsewhere (RFC 2661 section 4.4.2, error code 7). */
export class Rounds {
  readonly #options: Pick<DialerOptions, 'servers' | 'serial'>
  /** The address that is tried last. */
  #shunned: string | undefined

  constructor(options: Pick<DialerOptions, 'servers' | 'serial'>) {
    this.#options = options
  }

  /** The first step is due `at` then. */
  begin(at: Millis, uplinks: readonly DialUplink[]): Round {
    const { servers, serial } = this.#options
    const round = new Round(at, uplinks, servers, serial)
    if (this.#shunned !== undefined) round.shun(this.#shunned)
    return round
  }

  /** The LNS of an attempt asks for another one to be used: it comes last in this round and the next ones. */
  shun(state: DialerState, id: number): void {
    const attempt = attemptsOf(state).find((each) => each.id === id)
    if (!attempt) return
    this.#shunned = attempt.address
    raceOf(state)?.round.shun(attempt.address)
  }

  /** A session is up: the next round has the usual order. */
  welcomed(): void {
    this.#shunned = undefined
  }
}
