/** An LNS that will not have us: what users are told is what can be known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '../../../src/core/bytes.ts'
import type { ClientOptions } from '../../../src/core/client/endpoint.ts'
import { failureMessage } from '../../../src/core/failure.ts'
import { Puppet } from './puppet.ts'

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
