import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Driver } from '../../../src/app/driver.ts'
import { L2tpEndpoint } from '../../../src/core/l2tp/endpoint.ts'
import type { L2tpCommand, L2tpEvent } from '../../../src/core/l2tp/types.ts'
import { CLIENT_ADDRESS, clientOptions, LNS_ADDRESS, lnsOptions, startClient } from '../../sim/endpoints.ts'
import { Network } from '../../sim/network.ts'

test('PPP that ends by itself ends its call with a CDN: no LNS is relied on to send one. The tunnel stays', async () => {
  const network = new Network(1, { delay: 20 })
  const told: L2tpEvent[] = []
  // It takes calls, and never says a word of PPP.
  const lns: Driver<L2tpCommand, L2tpEvent> = new Driver(
    new L2tpEndpoint({ ...lnsOptions(1).l2tp, role: 'lns', peer: CLIENT_ADDRESS }),
    network.clock,
    (bytes, to) => network.send(LNS_ADDRESS, to, bytes),
    (event) => told.push(event),
  )
  network.bind(LNS_ADDRESS, (from, bytes) => lns.receive(from, bytes))
  const { client, events } = startClient(network, clientOptions(1))
  client.command({ type: 'dial', call: true })
  await network.run(60_000)
  const ended = events.flatMap((event) => (event.type === 'sessionEnded' ? [event.failure.code] : []))
  assert.equal(ended.length, 1)
  const closed = told.flatMap((event) => (event.type === 'sessionClosed' ? [event.cause] : []))
  assert.deepEqual(
    closed.map(({ by, scope }) => [by, scope]),
    [['peer', 'session']],
  )
  assert.ok(!told.some(({ type }) => type === 'closed'))
  assert.ok(!events.some(({ type }) => type === 'ended'))
})
