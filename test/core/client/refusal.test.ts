/** An LNS that will not have us: what users are told is what can be known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '../../../src/core/bytes.ts'
import type { ClientOptions } from '../../../src/core/client/endpoint.ts'
import { failureMessage } from '../../../src/core/failure.ts'
import { ICRP, Puppet, SCCRP } from './puppet.ts'

const withSecret = (options: ClientOptions): ClientOptions => ({
  ...options,
  l2tp: { ...options.l2tp, secret: encodeUtf8('right') },
})

/** RFC 2661 section 4.4.2: requester is not authorized to establish a control channel. */
const notAuthorized = (message: string) =>
  ({
    type: 'StopCCN',
    assignedTunnelId: 700,
    result: { result: 4, error: 0, message: encodeUtf8(message) },
  }) as const

test('StopCCN 4 is about the tunnel secret where we have one, else about whatever the LNS says', () => {
  const open = new Puppet().say(notAuthorized('host 192.0.2.2 not in access list'))
  assert.deepEqual(open.failures.map(failureMessage), [
    'the LNS refused the tunnel: not authorized to establish a control channel, "host 192.0.2.2 not in access list" (StopCCN 4)',
  ])
  const secured = new Puppet(withSecret).say(notAuthorized('bad challenge'))
  assert.deepEqual(secured.failures, [{ code: 'secret_wrong' }])
})

test('an LNS that takes our request and never goes on is there: nothing says that it is not', () => {
  const asked = new Puppet().say().wait(25_000)
  assert.deepEqual(asked.failures.map(failureMessage), [
    'the LNS refused the tunnel: it is there, but never answered the request (no SCCRP came)',
  ])
  const called = new Puppet().say(SCCRP).say().wait(10_000).say({ type: 'HELLO' }).wait(12_000)
  assert.deepEqual(called.failures.map(failureMessage), [
    'the LNS refused the session: it is there, but never answered the call (no ICRP came)',
  ])
})

test('an LNS that acknowledges nothing does not answer, or has stopped to', () => {
  const codes = (puppet: Puppet) => puppet.wait(60_000).failures.map(({ code }) => code)
  assert.deepEqual(codes(new Puppet()), ['no_answer'])
  assert.deepEqual(codes(new Puppet().say(SCCRP)), ['tunnel_lost'])
})

test('an LNS that has no tunnel secret for us may stay silent: that is one of the reasons given', () => {
  const [failure] = new Puppet(withSecret).wait(60_000).failures
  assert.deepEqual(failure, { code: 'no_answer', server: '192.0.2.1', secret: true })
})

test('an LNS that asks for another one to be used is quoted, whichever message says so and when', () => {
  const result = { result: 2, error: 7, message: encodeUtf8('try the "other" one') }
  const stopCcn = { type: 'StopCCN', assignedTunnelId: 700, result } as const
  const cdn = { type: 'CDN', assignedSessionId: 7, result } as const
  for (const puppet of [
    new Puppet().say(stopCcn),
    new Puppet().say(SCCRP).say(stopCcn),
    new Puppet().say(SCCRP).answerCall(cdn),
    new Puppet().say(SCCRP).answerCall(ICRP).answerCall(cdn),
    // In the middle of a quarrel about the login, too.
    new Puppet().openLcp('0304c227').answerCall(cdn),
  ]) {
    assert.deepEqual(puppet.failures.map(failureMessage), [
      `the LNS 192.0.2.1 asks us to use another server: "try the 'other' one"`,
    ])
  }
})
