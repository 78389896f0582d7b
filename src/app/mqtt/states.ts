import { after, earliest, type Millis } from '../../core/time.ts'
import type { Cancel, Clock } from '../ports.ts'

/** Sends one retained message; false where the connection ended before the broker had it. */
export type SendState = (topic: string, payload: string) => Promise<boolean>

/** ms between two messages on one topic. */
const SPACING = 200
/** ms between two looks at what is wanted, which costs time. */
const LOOK_SPACING = 10
/** ms that Home Assistant gets to work on an announcement: until then entities may be as they were before. */
export const SETTLING = 1000

interface Entry {
  /** What the broker has, or will have. */
  sent: string | undefined
  at: Millis
  underWay: boolean
  /** Since when nothing of that name is wanted. */
  gone: Millis | undefined
}

/**
 * Retained states: a change goes out at once, then at most once in 200 ms and topic, and never while the message before
 * it is unacknowledged, so that a slow broker gets the latest state and no queue. A topic that is no more is emptied
 * a second later, when the entities that read it have gone.
 */
export class States {
  readonly #clock: Clock
  /** The payload of each topic now. */
  readonly #wanted: () => ReadonlyMap<string, string>
  #entries = new Map<string, Entry>()
  #send: SendState | undefined
  #armed: { readonly at: Millis; readonly cancel: Cancel } | undefined
  #looked: Millis | undefined
  #quietUntil: Millis | undefined
  readonly #onDelivered: () => void

  /** `onDelivered` is called when the broker has a message; nothing more of it is under way then. */
  constructor(clock: Clock, wanted: () => ReadonlyMap<string, string>, onDelivered: () => void = () => {}) {
    this.#clock = clock
    this.#wanted = wanted
    this.#onDelivered = onDelivered
  }

  /** There is a connection to a broker that may know nothing: all states go out, and `gone` are topics of earlier. */
  open(send: SendState, gone: readonly string[] = []): void {
    const now = this.#clock.now()
    this.#send = send
    this.#entries = new Map(
      gone.map((topic) => [topic, { sent: undefined, at: now, underWay: false, gone: now }]),
    )
    this.#look()
  }

  /** Nothing goes out for a second: entities are about to change. */
  holdBack(): void {
    this.#quietUntil = after(this.#clock.now(), SETTLING)
  }

  /** Whether the broker has what is wanted on this topic now. */
  delivered(topic: string): boolean {
    const entry = this.#entries.get(topic)
    return entry !== undefined && !entry.underWay && entry.sent === this.#wanted().get(topic)
  }

  /** Topics that are no more, and still have something at the broker; their second begins. */
  leaving(): readonly string[] {
    const wanted = this.#wanted()
    const leaving = [...this.#entries].filter(([topic, { sent }]) => !wanted.has(topic) && sent !== '')
    for (const [, entry] of leaving) entry.gone ??= this.#clock.now()
    return leaving.map(([topic]) => topic)
  }

  close(): void {
    this.#send = undefined
    this.#armed?.cancel()
    this.#armed = undefined
  }

  /** All states go out again, as they are. */
  repeat(): void {
    for (const entry of this.#entries.values()) if (entry.gone === undefined) entry.sent = undefined
    this.changed()
  }

  /** Something may have changed. */
  changed(): void {
    if (this.#send === undefined) return
    const now = this.#clock.now()
    this.#arm(this.#looked === undefined ? now : after(this.#looked, LOOK_SPACING))
  }

  #arm(at: Millis): void {
    if (this.#armed !== undefined && this.#armed.at <= at) return
    this.#armed?.cancel()
    this.#armed = { at, cancel: this.#clock.alarm(at, () => this.#look()) }
  }

  #look(): void {
    this.#armed?.cancel()
    this.#armed = undefined
    const send = this.#send
    if (send === undefined) return
    const now = this.#clock.now()
    if (this.#quietUntil !== undefined && now < this.#quietUntil) {
      this.#arm(this.#quietUntil)
      return
    }
    this.#looked = now
    let next: Millis | undefined
    const wanted = this.#wanted()
    for (const [topic, payload] of wanted) {
      const entry = this.#entries.get(topic)
      if (entry !== undefined) entry.gone = undefined
      if (entry?.sent === payload || entry?.underWay) continue
      const due = entry === undefined ? now : after(entry.at, SPACING)
      if (due <= now) this.#publish(send, topic, payload, now)
      else next = earliest(next, due)
    }
    // An empty retained message removes what the broker keeps (MQTT 5 section 3.3.1.3).
    for (const [topic, entry] of this.#entries) {
      if (wanted.has(topic) || entry.sent === '' || entry.underWay) continue
      entry.gone ??= now
      const due = after(entry.gone, SETTLING)
      if (due <= now) this.#publish(send, topic, '', now)
      else next = earliest(next, due)
    }
    if (next !== undefined) this.#arm(next)
  }

  #publish(send: SendState, topic: string, payload: string, now: Millis): void {
    const entry: Entry = { sent: payload, at: now, underWay: true, gone: payload === '' ? now : undefined }
    this.#entries.set(topic, entry)
    void send(topic, payload).then(() => {
      entry.underWay = false
      if (this.#send !== send) return
      this.changed()
      this.#onDelivered()
    })
  }
}
