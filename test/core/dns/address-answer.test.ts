import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '../../../src/core/bytes.ts'
import { readAnswer } from '../../../src/core/dns/address-answer.ts'

const QUESTION = { name: 'lns.example', type: 'AAAA', id: 0x1234 } as const

test('an empty answer says that there is nothing only where the server can know', () => {
  const empty = (flags: string) =>
    readAnswer(
      fromHex(`1234 ${flags} 0001 0000 0000 0000 03 6c6e73 07 6578616d706c65 00 001c 0001`),
      QUESTION,
    )
  assert.deepEqual(empty('8180'), { kind: 'noData' }, 'it recurses')
  assert.deepEqual(empty('8400'), { kind: 'noData' }, 'it owns the zone')
  assert.deepEqual(empty('8000'), { kind: 'failed' }, 'neither')
  assert.deepEqual(empty('8380'), { kind: 'failed' }, 'the rest was cut off')
})
