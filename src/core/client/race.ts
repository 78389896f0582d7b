import type { Millis } from '../time.ts'
import type { Candidate, Round } from './round.ts'

/** One attempt to have a session with one address; it becomes the session when it succeeds. */
export interface Attempt extends Candidate {
  readonly id: number
}

/** The attempts of one round that are under way: the first one that is answered wins. */
export class Race {
  readonly round: Round
  readonly #attempts: Attempt[] = []

  constructor(round: Round) {
    this.round = round
  }

  /** In the order in which they were started. */
  get attempts(): readonly Attempt[] {
    return this.#attempts
  }

  find(id: number): Attempt | undefined {
    return this.#attempts.find((attempt) => attempt.id === id)
  }

  /** The round wants this attempt. */
  start(attempt: Attempt): void {
    this.#attempts.push(attempt)
  }

  /** An attempt that was started elsewhere takes part. */
  adopt(attempt: Attempt): void {
    this.round.adopt()
    this.start(attempt)
  }

  /** The attempt of this id is over; false if it is none of these. */
  end(now: Millis, id: number): boolean {
    const index = this.#attempts.findIndex((attempt) => attempt.id === id)
    if (index < 0) return false
    this.#attempts.splice(index, 1)
    this.round.failed(now)
    return true
  }

  /** All others than the winner are over; gives them. */
  decide(now: Millis, winner: Attempt): readonly Attempt[] {
    const losers = this.#attempts.filter((attempt) => attempt !== winner)
    for (const { id } of losers) this.end(now, id)
    return losers
  }
}
