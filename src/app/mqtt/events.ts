import type { EventPayload } from '../../core/homeassistant/events.ts'

/** Sends one event; false where the connection ended before the broker had it. */
export type SendEvent = (payload: string) => Promise<boolean>

/** Events that wait for the broker; more push the oldest out. */
export const MAX_EVENTS = 500
/** Events that may be under way at once. */
const WINDOW = 16

interface Entry {
  readonly payload: string
  underWay: boolean
}

/** Events in their order, each until the broker has acknowledged it. What had to be dropped is told in their place. */
export class EventQueue {
  #entries: Entry[] = []
  #dropped = 0
  #send: SendEvent | undefined
  readonly #now: () => string

  /** `now` gives the instant in ISO 8601. */
  constructor(now: () => string) {
    this.#now = now
  }

  get length(): number {
    return this.#entries.length
  }

  push(event: EventPayload): void {
    this.#entries.push({ payload: JSON.stringify(event), underWay: false })
    if (this.#entries.length > MAX_EVENTS) {
      const oldest = this.#entries.findIndex(({ underWay }) => !underWay)
      this.#entries.splice(oldest, 1)
      this.#dropped += 1
    }
    this.#pump()
  }

  /** There is a connection: what waits goes out, what was under way on the one before first. */
  open(send: SendEvent): void {
    this.#send = send
    this.#pump()
  }

  close(): void {
    this.#send = undefined
    // What the lost connection carried may or may not have arrived: at least once (MQTT 5 section 4.3.2).
    for (const entry of this.#entries) entry.underWay = false
  }

  #pump(): void {
    const send = this.#send
    if (send === undefined) return
    if (this.#dropped > 0) this.#tellDropped()
    let underWay = this.#entries.filter((entry) => entry.underWay).length
    for (const entry of this.#entries) {
      if (underWay >= WINDOW) return
      if (entry.underWay) continue
      entry.underWay = true
      underWay += 1
      void send(entry.payload).then((done) => {
        // Of another connection than that which counts now.
        if (this.#send !== send) return
        if (done) this.#entries = this.#entries.filter((other) => other !== entry)
        this.#pump()
      })
    }
  }

  #tellDropped(): void {
    const event: EventPayload = { event_type: 'events_dropped', at: this.#now(), dropped: this.#dropped }
    this.#dropped = 0
    const waiting = this.#entries.findIndex(({ underWay }) => !underWay)
    const place = waiting < 0 ? this.#entries.length : waiting
    this.#entries.splice(place, 0, { payload: JSON.stringify(event), underWay: false })
  }
}
