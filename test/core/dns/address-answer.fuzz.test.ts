import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as dnsPacket from 'dns-packet'
import fc from 'fast-check'
import { readAnswer } from '../../../src/core/dns/address-answer.ts'
import { ipFamily } from '../../../src/core/ip/address.ts'

const runs = { numRuns: Number(process.env.LIFELINE_FUZZ_RUNS ?? 20000) }

const QUESTION = { name: 'lns.example.net', type: 'AAAA', id: 0x1234 } as const
const VALID = dnsPacket.encode({
  type: 'response',
  id: QUESTION.id,
  flags: dnsPacket.RECURSION_AVAILABLE,
  questions: [{ type: 'AAAA', name: QUESTION.name }],
  answers: [
    { type: 'CNAME', name: QUESTION.name, ttl: 60, data: 'a.example.net' },
    { type: 'AAAA', name: 'a.example.net', ttl: 60, data: '2001:db8::1' },
    { type: 'AAAA', name: 'a.example.net', ttl: 60, data: '2001:db8::2' },
  ],
})

test('no octets make the reader of answers throw, and what it finds are addresses', () => {
  const mutated = fc
    .tuple(
      fc.array(fc.tuple(fc.nat({ max: VALID.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.oneof(fc.constant(VALID.length), fc.nat({ max: VALID.length })),
    )
    .map(([changes, length]) => {
      const bytes = Uint8Array.from(VALID)
      for (const [offset, value] of changes) bytes[offset] = value
      return bytes.slice(0, length)
    })
  let found = 0
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      const answer = readAnswer(bytes, QUESTION)
      if (answer?.kind !== 'found') return
      found++
      assert.ok(answer.addresses.every((address) => ipFamily(address) === 6))
      assert.ok(answer.ttl >= 0)
    }),
    runs,
  )
  assert.ok(found > 0, 'some of the mutants still answer')
})
