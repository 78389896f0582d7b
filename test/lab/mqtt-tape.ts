/** A broker in the LAN and what it hears: as `mosquitto_sub -v -t '#'` prints it, and when it arrived. */
import { appendFileSync } from 'node:fs'
import { SWITCH_EVENTS } from '../../src/core/homeassistant/events.ts'
import * as common from '../net/addresses.ts'
import { BASE } from '../net/mqtt/bench.ts'
import { Listener, Mosquitto } from '../net/mqtt/mosquitto.ts'
import type { Namespace } from '../net/namespace.ts'
import type { Process } from '../net/process.ts'
import { waitFor } from '../net/wait.ts'

const PORT = 1883
/** ms in which the goodbye of a daemon that has ended is heard. */
const GOODBYE = 5000

/** What lifeline needs to speak to this broker; it makes the topics begin with `lifeline/router`. */
export const MQTT_SECTIONS = {
  lifeline: { main: { node: 'router' } },
  mqtt: { home: { url: `mqtt://${common.lan.ipv4}:${PORT}` } },
} as const

/** ms from the instants that lifeline gives to the arrival of the messages that bear them. */
export interface Told {
  /** From `since` of `<base>/state`, when the kernel had taken the route. */
  readonly state: number
  /** From `at` of the event `failover` or `failback`. */
  readonly event: number
}

export class Tape {
  readonly #plain: Process
  /** The same messages once more, with the time of each. */
  readonly #timed: Listener
  #rest = ''

  private constructor(plain: Process, timed: Listener) {
    this.#plain = plain
    this.#timed = timed
  }

  /** Starts the broker and listens; `onLine` is told of each message, and `file`, if there is one, gets them all. */
  static async start(lan: Namespace, onLine: (line: string) => void, file?: string): Promise<Tape> {
    const broker = new Mosquitto(lan, { port: PORT })
    await broker.start()
    const plain = lan.start('mosquitto_sub', ['stdbuf', '-oL', 'mosquitto_sub', '-v', '-t', '#'])
    await waitFor('mosquitto_sub to listen', () => /Sending SUBACK/.test(broker.log), { every: 10 })
    const tape = new Tape(plain, await Listener.start(lan, { port: PORT }))
    plain.onOutput = (text) => {
      if (file !== undefined) appendFileSync(file, text)
      tape.#read(text, onLine)
    }
    return tape
  }

  /** Waits until it has been told that traffic goes over this path. */
  async waitForPath(path: string): Promise<void> {
    await this.#timed.waitFor(`${BASE}/state`, (payload) => JSON.parse(payload).path === path)
  }

  /** How soon the change to `path` was told that came after `start`, in ms since 1970; undefined if it was not. */
  toldOf(path: string, start: number): Told | undefined {
    const find = (topic: string, fits: (message: Record<string, unknown>) => boolean) =>
      this.#timed.on(topic).find(({ at, payload }) => at >= start && fits(JSON.parse(payload)))
    const state = find(`${BASE}/state`, (message) => message.path === path)
    const event = find(
      `${BASE}/event`,
      ({ event_type: type, to }) => SWITCH_EVENTS.includes(String(type)) && to === path,
    )
    if (state === undefined || event === undefined) return undefined
    return {
      state: state.at - Date.parse(JSON.parse(state.payload).since),
      event: event.at - Date.parse(JSON.parse(event.payload).at),
    }
  }

  /** Waits for the daemon's goodbye and listens no more. */
  async end(): Promise<void> {
    await this.#timed.waitFor(`${BASE}/status`, (payload) => payload === 'offline', GOODBYE)
    await Promise.all([this.#plain.stop(), this.#timed.stop()])
  }

  #read(text: string, onLine: (line: string) => void): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  }
}
