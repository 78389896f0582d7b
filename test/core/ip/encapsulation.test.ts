import assert from 'node:assert/strict'
import { test } from 'node:test'
import { innerMtu, overheadOf } from '../../../src/core/ip/encapsulation.ts'
import { encodeData } from '../../../src/core/l2tp/header.ts'
import { encodeFrame, protocols } from '../../../src/core/ppp/protocol.ts'

const AUTO = { mtu: 'auto', ipv6: true } as const

test('the overhead of L2TP is what its headers are as they are written', () => {
  const inner = new Uint8Array(100)
  const frame = encodeFrame(protocols.ipv4, inner)
  const headers = encodeData({ tunnel: 1, session: 2 }, frame).length - inner.length
  const UDP = 8
  assert.equal(overheadOf(4, 'l2tp'), 20 + UDP + headers)
  assert.equal(overheadOf(6, 'l2tp'), 40 + UDP + headers)
})

test('the inner MTU is what the underlay leaves, at most the largest MRU', () => {
  assert.equal(innerMtu(AUTO, 1500, 38), 1462)
  assert.equal(innerMtu(AUTO, 1500, 58), 1442)
  assert.equal(innerMtu(AUTO, 1492, 95), 1397)
  assert.equal(innerMtu(AUTO, 9000, 38), 1500)
})

test('with IPv6 it is never less than IPv6 needs: then large packets travel in fragments', () => {
  assert.equal(innerMtu(AUTO, 1300, 38), 1280)
  assert.equal(innerMtu({ mtu: 'auto', ipv6: false }, 1300, 38), 1262)
})

test('what the user wants goes before all of it', () => {
  assert.equal(innerMtu({ mtu: 1400, ipv6: true }, 1300, 38), 1400)
})
