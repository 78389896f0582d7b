/** An LNS clears the call while it has our login to judge, with no word about it: when says what for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientOptions } from '../../../src/core/client/endpoint.ts'
import { AUTH, Puppet } from './puppet.ts'

const withPap = (options: ClientOptions): ClientOptions => ({
  ...options,
  ppp: { ...options.ppp, auth: ['pap'] },
})

test('right after the password that is a refusal, 3 s later the LNS got no verdict itself', () => {
  for (const [after, code] of [
    [1, 'auth_closed'],
    [2_999, 'auth_closed'],
    [3_000, 'auth_silent'],
    [7_000, 'auth_silent'],
  ] as const) {
    const asked = new Puppet().openLcp(AUTH.chap).challenge(1).wait(after).clear()
    assert.deepEqual(asked.failures, [{ code }], `CHAP, ${after} ms`)
    const told = new Puppet(withPap).openLcp(AUTH.pap).wait(after).clear()
    assert.deepEqual(told.failures, [{ code }], `PAP, ${after} ms`)
  }
})

test('the time counts from the answer, however late the challenge came', () => {
  const late = new Puppet().openLcp(AUTH.chap).wait(5_000).challenge(1).wait(10).clear()
  assert.deepEqual(late.failures, [{ code: 'auth_closed' }])
})

test('a challenge that comes again wants its answer still', () => {
  const again = new Puppet().openLcp(AUTH.chap).challenge(1).wait(4_000).challenge(1).wait(10).clear()
  assert.deepEqual(again.failures, [{ code: 'auth_closed' }])
})

test('our own repetitions of the password are none of its time', () => {
  // They leave at 0, 1, 2.5 and 4.75 s.
  const told = new Puppet(withPap).openLcp(AUTH.pap).wait(4_800).clear()
  assert.deepEqual(told.failures, [{ code: 'auth_silent' }])
})

test('without a challenge there was nothing to judge', () => {
  const [failure] = new Puppet().openLcp(AUTH.chap).wait(5_000).clear().failures
  assert.equal(failure?.code, 'session_closed')
})

test('where LCP is negotiated anew, so is the login', () => {
  const puppet = new Puppet(withPap).openLcp(AUTH.pap).wait(5_000).renegotiateLcp(AUTH.pap).wait(10).clear()
  assert.deepEqual(puppet.failures, [{ code: 'auth_closed' }])
})

test('an LNS that still negotiates LCP has not read the password', () => {
  const puppet = new Puppet(withPap).openLcp(AUTH.pap).wait(3_000).repeatLcp(AUTH.pap).wait(1_800).clear()
  assert.deepEqual(puppet.failures, [{ code: 'auth_closed' }])
})
