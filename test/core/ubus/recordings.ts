/** What passed between clients and a real ubusd, recorded on their sockets (test/fixtures/ubus). */
import { readdirSync, readFileSync } from 'node:fs'
import { fromHex } from '../../../src/core/bytes.ts'

const FOLDER = 'test/fixtures/ubus'

/** A value as the recorder decoded it; 64-bit integers and what is no text are texts. */
export interface RecordedValue {
  readonly name: string
  readonly type: string
  readonly value: unknown
}

export interface RecordedAttribute {
  readonly id: number
  readonly name: string
  readonly value: unknown
}

export interface RecordedMessage {
  readonly number: number
  readonly client: string
  /** `c2s` is what a client said, `s2c` what ubusd did. */
  readonly direction: 'c2s' | 's2c'
  readonly bytes: Uint8Array
  readonly type: number
  readonly sequence: number
  readonly peer: number
  readonly attributes: readonly RecordedAttribute[]
}

export interface Recording {
  readonly name: string
  readonly description: string
  readonly messages: readonly RecordedMessage[]
}

/** The recording of that name. */
export function recording(name: string): Recording {
  const { description, messages } = JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8'))
  return { name, description, messages: messages.map(recordedMessage) }
}

/** All of them. */
export function recordings(): Recording[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => recording(file.replace(/\.json$/, '')))
}

// biome-ignore lint/suspicious/noExplicitAny: read from JSON whose shape the README of the fixtures describes
function recordedMessage({ n, client, dir, hex, decoded }: any): RecordedMessage {
  return {
    number: n,
    client,
    direction: dir,
    bytes: fromHex(hex),
    type: decoded.type,
    sequence: decoded.seq,
    peer: Number.parseInt(decoded.peer, 16),
    attributes: decoded.attrs,
  }
}
