/** The part of the platform's class of that name that is used here, since ES2022 has none; the platform's own does as well. */
export interface AbortSignal {
  readonly aborted: boolean
  /** Why, once it is aborted. */
  readonly reason: unknown
  /** Throws the reason if it is aborted. */
  throwIfAborted(): void
  /** Calls `run` when it is aborted, and never for one that is aborted already. */
  addEventListener(type: 'abort', run: () => void): void
  removeEventListener(type: 'abort', run: () => void): void
}

/** Gives up what somebody else works on, who is handed the signal. */
export class AbortController {
  readonly #signal = new Signal()

  get signal(): AbortSignal {
    return this.#signal
  }

  /** The first call counts. */
  abort(reason: unknown = new Aborted()): void {
    this.#signal.abort(reason)
  }
}

/** The reason where none is given. */
export class Aborted extends Error {
  constructor() {
    super('it was aborted')
    this.name = 'AbortError'
  }
}

class Signal implements AbortSignal {
  readonly #listeners = new Set<() => void>()
  #aborted = false
  #reason: unknown

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    for (const run of this.#listeners) {
      this.#listeners.delete(run)
      run()
    }
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }

  addEventListener(_type: 'abort', run: () => void): void {
    if (!this.#aborted) this.#listeners.add(run)
  }

  removeEventListener(_type: 'abort', run: () => void): void {
    this.#listeners.delete(run)
  }
}
