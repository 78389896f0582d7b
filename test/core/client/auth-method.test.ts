import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../../../src/core/failure.ts'
import { clientOptions, lnsOptions, startClient, startLns } from '../../sim/endpoints.ts'
import { Network } from '../../sim/network.ts'

test('an LNS that hangs up in the quarrel about authentication is reported as just that', async () => {
  const network = new Network(1, { delay: 5 })
  const lns = lnsOptions(1)
  startLns(network, { ...lns, ppp: { ...lns.ppp, auth: ['pap'] } })
  const { client, events } = startClient(network, clientOptions(1))
  client.command({ type: 'dial', call: true })
  const failure = () =>
    events.flatMap((event): Failure[] =>
      (event.type === 'sessionEnded' || event.type === 'ended') && event.failure ? [event.failure] : [],
    )
  await network.run(60_000, () => failure().length > 0)
  assert.deepEqual(failure(), [{ code: 'auth_method', asked: ['PAP'], allowed: ['chap'], allowable: true }])
})
