import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { toHex } from '../../../src/core/bytes.ts'
import type { BlobmsgTable, BlobmsgValue } from '../../../src/core/ubus/blobmsg.ts'
import { decodeMessage, encodeMessage, messageLength, UbusType } from '../../../src/core/ubus/message.ts'
import { type RecordedValue, recordings } from './recordings.ts'

/** Our names of the attributes. */
const NAMES: Readonly<Record<string, string>> = {
  STATUS: 'status',
  OBJPATH: 'objectPath',
  OBJID: 'objectId',
  METHOD: 'method',
  OBJTYPE: 'objectType',
  SIGNATURE: 'signature',
  DATA: 'data',
  TARGET: 'target',
  ACTIVE: 'active',
  NO_REPLY: 'noReply',
  SUBSCRIBERS: 'subscribers',
  USER: 'user',
  GROUP: 'group',
}

/** Tools send a few things that are no blobmsg or no text, on purpose or not; the recorder says so. */
const malformed = (value: unknown): boolean => /"_error"|\ufffd/.test(JSON.stringify(value))

function recordedTable(values: readonly RecordedValue[]): BlobmsgTable {
  return values.map((value) => ({ name: value.name, value: recordedValue(value) }))
}

function recordedValue({ type, value }: RecordedValue): BlobmsgValue {
  switch (type) {
    case 'table':
      return { type, value: recordedTable(value as RecordedValue[]) }
    case 'array':
      return { type, value: (value as RecordedValue[]).map(recordedValue) }
    case 'int64':
      return { type, value: BigInt(value as string) }
    case 'unspec':
      return { type, value: new Uint8Array() }
    case 'double':
    case 'int32':
    case 'int16':
    case 'int8':
      return { type, value: value as number }
    default:
      return { type: 'string', value: value as string }
  }
}

/** An attribute's value as the recorder tells it, in our types. */
function expected(name: string, value: unknown): unknown {
  switch (name) {
    case 'OBJID':
    case 'OBJTYPE':
    case 'TARGET':
      return Number.parseInt(value as string, 16)
    case 'SUBSCRIBERS':
      return (value as string[]).map((id) => Number.parseInt(id, 16))
    case 'SIGNATURE':
    case 'DATA':
      return recordedTable(value as RecordedValue[])
    case 'ACTIVE':
    case 'NO_REPLY':
      return value === 1
    default:
      return value
  }
}

for (const { name, description, messages } of recordings()) {
  const wellFormed = messages.filter(({ attributes }) => !malformed(attributes))
  describe(`${name}: ${description}`, () => {
    test('each message says what the recorder read', () => {
      for (const message of wellFormed) {
        const { number, type, sequence, peer, attributes, bytes } = message
        assert.equal(messageLength(bytes), bytes.length, `length of message ${number}`)
        if (bytes[0] !== 0) continue
        const decoded = decodeMessage(bytes)
        const known = type === UbusType.monitor ? [] : attributes.filter(({ name }) => name in NAMES)
        assert.deepEqual(
          decoded,
          {
            type,
            sequence,
            peer,
            attributes: Object.fromEntries(
              known.map(({ name, value }) => [NAMES[name], expected(name, value)]),
            ),
          },
          `message ${number}`,
        )
      }
    })

    test('what is read and written again is the same to the octet', () => {
      for (const { number, bytes } of wellFormed) {
        const decoded = decodeMessage(bytes)
        if (decoded === undefined || decoded.type === UbusType.monitor) continue
        assert.equal(toHex(encodeMessage(decoded)), toHex(bytes), `message ${number}`)
      }
    })
  })
}

test('what is malformed is absent, and the rest is there', () => {
  const all = recordings().flatMap(({ messages }) => messages)
  const bad = all.filter(({ attributes, type }) => malformed(attributes) && type !== UbusType.monitor)
  assert.ok(bad.length > 0)
  for (const { bytes, attributes, sequence } of bad) {
    const good = attributes.filter(({ value }) => !malformed(value)).map(({ name }) => NAMES[name])
    const decoded = decodeMessage(bytes)
    assert.equal(decoded?.sequence, sequence)
    assert.deepEqual(Object.keys(decoded?.attributes ?? {}), good)
  }
})
