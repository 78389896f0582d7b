import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quotesRequest } from '../../../src/core/client/quote.ts'
import { encodeControl } from '../../../src/core/l2tp/header.ts'
import { encodeMessage } from '../../../src/core/l2tp/message-encode.ts'
import { SCCRQ } from '../l2tp/puppet.ts'

const sccrq = (assignedTunnelId: number) =>
  encodeControl({ tunnel: 0, session: 0, ns: 0, nr: 0 }, encodeMessage({ ...SCCRQ, assignedTunnelId }))

test('a request is known by its own octets, as far as the tunnel id that nobody can guess', () => {
  const ours = sccrq(0x1234)
  const at = ours.findIndex((octet, i) => octet === 0x12 && ours[i + 1] === 0x34)
  assert.ok(at > 0)
  for (let length = 0; length <= ours.length; length++)
    assert.equal(quotesRequest(ours, ours.subarray(0, length)), length >= at + 2, `${length} octets`)
  assert.equal(quotesRequest(ours, sccrq(0x1235)), false)
  assert.equal(quotesRequest(ours, Uint8Array.of(...ours, 0)), false)
  for (let i = 0; i < ours.length; i++) {
    const forged = ours.slice()
    forged[i] = (forged[i] ?? 0) ^ 1
    assert.equal(quotesRequest(ours, forged), false, `octet ${i}`)
  }
})

test('what is no SCCRQ is quoted by nothing', () => {
  const hello = encodeControl({ tunnel: 1, session: 0, ns: 0, nr: 0 }, encodeMessage({ type: 'HELLO' }))
  assert.equal(quotesRequest(hello, hello), false)
  assert.equal(quotesRequest(new Uint8Array(14), new Uint8Array(14)), false)
})
