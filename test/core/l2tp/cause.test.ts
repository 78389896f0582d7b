import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '../../../src/core/bytes.ts'
import { describeCause, peerCause, violationStopCcn } from '../../../src/core/l2tp/cause.ts'
import { cdnWords, errorWords, stopCcnWords } from '../../../src/core/l2tp/codes.ts'
import type { L2tpCause, L2tpViolation } from '../../../src/core/l2tp/types.ts'

test('every StopCCN result of RFC 2661 section 4.4.2 has words', () => {
  const words = [1, 2, 3, 4, 5, 6, 7].map(stopCcnWords)
  assert.equal(new Set(words).size, 7)
  for (const word of words) assert.doesNotMatch(word, /unknown/)
  assert.match(stopCcnWords(4), /not authorized/)
  assert.match(stopCcnWords(6), /shut down/)
  assert.equal(stopCcnWords(8), 'unknown result 8')
})

test('every CDN result of RFC 2661 section 4.4.2 has words', () => {
  const words = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(cdnWords)
  assert.equal(new Set(words).size, 11)
  for (const word of words) assert.doesNotMatch(word, /unknown/)
  assert.match(cdnWords(3), /administrative/)
  assert.equal(cdnWords(12), 'unknown result 12')
})

test('every General Error of RFC 2661 section 4.4.2 has words', () => {
  const words = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(errorWords)
  assert.equal(new Set(words).size, 9)
  assert.match(errorWords(8), /unknown mandatory AVP/)
  assert.equal(errorWords(9), 'unknown error 9')
})

const peer = {
  by: 'peer',
  scope: 'session',
  phase: 'established',
  error: undefined,
  message: undefined,
  q931: undefined,
} as const

const SENTENCES: readonly (readonly [L2tpCause, string])[] = [
  [
    { ...peer, result: 3 },
    'the peer closed the session while the session was up: disconnected for administrative reasons (CDN 3)',
  ],
  [
    { ...peer, phase: 'calling', result: 2, error: 4, message: 'full' },
    'the peer closed the session while the call was being set up: general error, insufficient resources at the moment, "full" (CDN 2/4)',
  ],
  [{ ...peer, result: undefined }, 'the peer closed the session while the session was up'],
  [
    { ...peer, result: undefined, message: 'bye' },
    'the peer closed the session while the session was up: "bye"',
  ],
  [
    { ...peer, result: 1, q931: { cause: 16, message: 'normal' } },
    'the peer closed the session while the session was up: loss of carrier (CDN 1) (Q.931 cause 16, "normal")',
  ],
  [
    { ...peer, scope: 'tunnel', phase: 'open', result: 6 },
    'the peer closed the tunnel while the tunnel was open: the sender is being shut down (StopCCN 6)',
  ],
  [
    { ...peer, scope: 'tunnel', phase: 'opening', result: 5, error: 256 },
    'the peer closed the tunnel while the tunnel was being opened: the protocol version is not supported (StopCCN 5/256)',
  ],
  [
    { by: 'local', scope: 'session', phase: 'established', result: 3, error: undefined, message: undefined },
    'we closed the session while the session was up: disconnected for administrative reasons (CDN 3)',
  ],
  [
    { by: 'timeout', scope: 'tunnel', phase: 'opening', awaited: 'acknowledgement', transmissions: 5 },
    'the peer did not answer while the tunnel was being opened (sent 5 times)',
  ],
  [
    { by: 'timeout', scope: 'session', phase: 'calling', awaited: 'ICRP', transmissions: 1 },
    'the peer never sent ICRP while the call was being set up',
  ],
  [
    {
      by: 'protocol',
      scope: 'tunnel',
      phase: 'opening',
      violation: 'challengeResponseWrong',
      result: 4,
      error: 0,
      message: 'Challenge Response wrong',
    },
    'the peer answered our challenge wrongly: the tunnel secrets differ',
  ],
  [
    {
      by: 'protocol',
      scope: 'session',
      phase: 'calling',
      violation: 'avpUnknown',
      result: 2,
      error: 8,
      message: 'attribute 99',
    },
    'the peer sent an unknown mandatory attribute while the call was being set up: attribute 99',
  ],
]

for (const [cause, sentence] of SENTENCES) {
  test(sentence, () => assert.equal(describeCause(cause), sentence))
}

test('what a peer says is shown as printable text without padding', () => {
  const message = { result: 2, error: 6, message: encodeUtf8('no\u0007 entry\u0000\u0000') }
  const cause = peerCause('open', { type: 'StopCCN', result: message })
  assert.ok(cause.by === 'peer')
  assert.equal(cause.message, 'no? entry')
  const silent = peerCause('open', { type: 'StopCCN', result: { ...message, message: new Uint8Array(4) } })
  assert.ok(silent.by === 'peer')
  assert.equal(silent.message, undefined)
})

test('each violation is answered with the Result Code that RFC 2661 has for it', () => {
  const results: Readonly<Record<L2tpViolation, readonly [number, number]>> = {
    challengeResponseMissing: [4, 0],
    challengeResponseWrong: [4, 0],
    secretNeeded: [4, 0],
    versionUnsupported: [5, 0x0100],
    messageUnexpected: [7, 0],
    avpMissing: [2, 6],
    avpMalformed: [2, 6],
    avpUnknown: [2, 6],
    avpUnreadable: [2, 6],
    messageUnknown: [2, 6],
    refused: [2, 6],
  }
  for (const [violation, expected] of Object.entries(results)) {
    const { result, error } = violationStopCcn(violation as L2tpViolation, 6, '')
    assert.deepEqual([result, error], expected, violation)
  }
})
