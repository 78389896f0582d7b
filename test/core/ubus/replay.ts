/** Plays the part of ubusd in a recording to a client of ours, and keeps what the client says. */
import assert from 'node:assert/strict'
import { toHex } from '../../../src/core/bytes.ts'
import { millis } from '../../../src/core/time.ts'
import { UbusClient } from '../../../src/core/ubus/client.ts'
import type { UbusCommand, UbusEvent, UbusRole } from '../../../src/core/ubus/types.ts'
import { type RecordedMessage, recording } from './recordings.ts'

export const NOBODY: UbusRole = { objects: [], events: [], subscriptions: [] }

export class Replay {
  readonly client: UbusClient
  /** What the client of the recording said and heard, in order. */
  readonly #messages: RecordedMessage[]
  readonly events: UbusEvent[] = []
  #now = millis(0)

  constructor(name: string, client: string, role: UbusRole) {
    this.#messages = recording(name).messages.filter((message) => message.client === client)
    this.client = new UbusClient(this.#now, role)
    this.client.connected(this.#now)
    this.#drain()
  }

  command(command: UbusCommand): void {
    this.client.command(this.#now, command)
  }

  /** Goes through `count` messages of the recording: what ubusd said is received, what the client said must be said. */
  go(count = this.#messages.length): void {
    for (const message of this.#messages.splice(0, count)) {
      if (message.direction === 's2c') {
        this.client.receive(this.#now, message.bytes)
        this.#drain()
        continue
      }
      const said = this.client.pollWrite()
      assert.equal(said && toHex(said), toHex(message.bytes), `message ${message.number}`)
    }
  }

  /** Nothing more is said. */
  end(): void {
    assert.equal(this.client.pollWrite(), undefined)
    assert.deepEqual(this.#messages, [])
  }

  /** The events since the last call, without those of the connection. */
  heard(): UbusEvent[] {
    return this.events.splice(0).filter(({ kind }) => kind !== 'connectionWanted' && kind !== 'greeted')
  }

  #drain(): void {
    for (let event = this.client.pollEvent(); event; event = this.client.pollEvent()) this.events.push(event)
  }
}
