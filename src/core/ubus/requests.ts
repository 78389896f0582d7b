/** Requests that wait for their answers, each under a sequence number and with a deadline of its own. */
import { after, earliest, type Millis } from '../time.ts'

/** A request that waits for its answers. */
export interface Pending<Request> {
  readonly request: Request
  readonly deadline: Millis
  /** What the answers so far said of an object. */
  objectId: number | undefined
}

/** Requests that wait, by sequence number, each with a time limit. */
export class Requests<Request> {
  readonly #pending = new Map<number, Pending<Request>>()
  #sequence = 0

  /** Numbers begin at 1 again: a connection is new. Returns what was waiting. */
  clear(): Pending<Request>[] {
    const lost = [...this.#pending.values()]
    this.#pending.clear()
    this.#sequence = 0
    return lost
  }

  /** A number of 16 bits that no request bears. */
  next(): number {
    do this.#sequence = (this.#sequence + 1) & 0xffff
    while (this.#pending.has(this.#sequence))
    return this.#sequence
  }

  /** Waits for the answer to a request for `patience` ms; returns its number. */
  open(now: Millis, request: Request, patience: number): number {
    const sequence = this.next()
    this.#pending.set(sequence, { request, deadline: after(now, patience), objectId: undefined })
    return sequence
  }

  get(sequence: number): Pending<Request> | undefined {
    return this.#pending.get(sequence)
  }

  /** Takes a request out: its answer is complete. */
  close(sequence: number): Pending<Request> | undefined {
    const pending = this.#pending.get(sequence)
    this.#pending.delete(sequence)
    return pending
  }

  /** Takes out those whose deadline has come. */
  overdue(now: Millis): Pending<Request>[] {
    const late = [...this.#pending].filter(([, { deadline }]) => deadline <= now)
    for (const [sequence] of late) this.#pending.delete(sequence)
    return late.map(([, pending]) => pending)
  }

  /** The earliest deadline. */
  deadline(): Millis | undefined {
    return earliest(...[...this.#pending.values()].map(({ deadline }) => deadline))
  }
}
