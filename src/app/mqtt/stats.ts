import {
  type CounterSample,
  tunnelStatsPayload,
  uplinkStatsPayload,
} from '../../core/homeassistant/payloads.ts'
import type { Topics } from '../../core/homeassistant/topics.ts'
import type { Status } from '../../core/status/status.ts'
import { after, type Millis } from '../../core/time.ts'
import type { Cancel, Clock, Counters } from '../ports.ts'

/** Sends one message that the broker does not keep. */
export type SendStats = (topic: string, payload: string) => Promise<unknown>

/** Statistics at an interval while there is a connection; a topic whose last message is still under way is left out. */
export class Stats {
  readonly #clock: Clock
  readonly #interval: Millis
  readonly #topics: Topics
  readonly #counters: Counters
  readonly #status: () => Status
  readonly #underWay = new Set<string>()
  #samples = new Map<string, CounterSample>()
  #send: SendStats | undefined
  #cancel: Cancel = () => {}

  constructor(clock: Clock, interval: Millis, topics: Topics, counters: Counters, status: () => Status) {
    this.#clock = clock
    this.#counters = counters
    this.#interval = interval
    this.#topics = topics
    this.#status = status
  }

  open(send: SendStats): void {
    this.#send = send
    this.#underWay.clear()
    this.now()
  }

  close(): void {
    this.#cancel()
    this.#send = undefined
  }

  /** Sends them now, and again after the interval. */
  now(): void {
    this.#cancel()
    if (this.#send === undefined) return
    this.#publish(this.#send)
    this.#cancel = this.#clock.alarm(after(this.#clock.now(), this.#interval), () => this.now())
  }

  #publish(send: SendStats): void {
    const status = this.#status()
    const at = this.#clock.wall().toISOString()
    const samples = new Map<string, CounterSample>()
    for (const [name, tunnel] of Object.entries(status.tunnel)) {
      const sample = { at: this.#clock.now(), rx: tunnel.rx.octets, tx: tunnel.tx.octets }
      samples.set(`tunnel ${name}`, sample)
      const payload = tunnelStatsPayload(tunnel, at, sample, this.#samples.get(`tunnel ${name}`))
      this.#one(send, this.#topics.tunnelStats(name), JSON.stringify(payload))
    }
    const devices = this.#counters.read()
    for (const [name, uplink] of Object.entries(status.uplink)) {
      const traffic = devices.get(uplink.device)
      const sample = traffic && {
        at: this.#clock.now(),
        rx: traffic.receivedOctets,
        tx: traffic.sentOctets,
      }
      if (sample !== undefined) samples.set(`uplink ${name}`, sample)
      const payload = uplinkStatsPayload(
        name,
        uplink,
        status,
        at,
        sample,
        this.#samples.get(`uplink ${name}`),
      )
      this.#one(send, this.#topics.uplinkStats(name), JSON.stringify(payload))
    }
    this.#samples = samples
  }

  #one(send: SendStats, topic: string, payload: string): void {
    if (this.#underWay.has(topic)) return
    this.#underWay.add(topic)
    void send(topic, payload).then(() => {
      if (this.#send === send) this.#underWay.delete(topic)
    })
  }
}
