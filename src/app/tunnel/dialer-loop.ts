import type { Dialer } from '../../core/client/dialer.ts'
import type { DialerAction, DialerInput } from '../../core/client/dialer-state.ts'
import type { Cancel, Clock } from '../ports.ts'

/** What a dialer's loop does with it. */
export interface DialerUser {
  perform(action: DialerAction): void
  /** All is done that the latest input led to. */
  settled(): void
}

/** The one loop around a dialer: an input, all actions that follow, its one alarm. Inputs that actions lead to wait in line. */
export class DialerLoop {
  readonly #dialer: Dialer
  readonly #clock: Clock
  readonly #user: DialerUser
  readonly #inputs: DialerInput[] = []
  #running = false
  #cancel: Cancel | undefined

  constructor(dialer: Dialer, clock: Clock, user: DialerUser) {
    this.#dialer = dialer
    this.#clock = clock
    this.#user = user
  }

  input(input: DialerInput): void {
    this.#inputs.push(input)
    if (!this.#running) this.#run()
  }

  /** Nothing is timed any more. */
  stop(): void {
    this.#cancel?.()
  }

  #run(): void {
    this.#running = true
    try {
      this.#drain()
    } finally {
      this.#running = false
    }
    this.#arm()
    this.#user.settled()
  }

  #drain(): void {
    for (;;) {
      const action = this.#dialer.pollAction()
      if (action) {
        this.#user.perform(action)
        continue
      }
      const input = this.#inputs.shift()
      if (!input) return
      this.#dialer.input(this.#clock.now(), input)
    }
  }

  #arm(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const deadline = this.#dialer.pollTimeout()
    if (deadline === undefined) return
    this.#cancel = this.#clock.alarm(deadline, () => {
      this.#dialer.timeout(this.#clock.now())
      this.#run()
    })
  }
}
