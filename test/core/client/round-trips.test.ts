import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientEvent } from '../../../src/core/client/types.ts'
import { clientOptions, lnsOptions, startClient, startLns } from '../../sim/endpoints.ts'
import { Network } from '../../sim/network.ts'

const ONE_WAY = 50
const ROUND_TRIP = 2 * ONE_WAY

const isUp = (events: readonly ClientEvent[]) => events.some(({ type }) => type === 'ipv4Opened')

/** Round trips from the first packet of the dial to IPCP opened. */
async function roundTrips(options: { address?: string; warm: boolean }): Promise<number> {
  const network = new Network(1, { delay: ONE_WAY })
  startLns(network, lnsOptions(1))
  const remembered =
    options.address === undefined ? {} : { address: options.address, dns: ['198.51.100.53', '198.51.100.54'] }
  const { client, events } = startClient(network, { ...clientOptions(1), remembered })
  let started = 0
  if (options.warm) {
    client.command({ type: 'dial', call: false })
    await network.run(10_000, () => events.some(({ type }) => type === 'answered'))
    started = network.now + 1_000
    await network.run(started)
    client.command({ type: 'call' })
  } else client.command({ type: 'dial', call: true })
  assert.equal(await network.run(20_000, () => isUp(events)), true, 'up')
  return (network.now - started) / ROUND_TRIP
}

test('a cold dial with CHAP takes at most 7 round trips, 6 with a remembered address', async () => {
  const unknown = await roundTrips({ warm: false })
  const known = await roundTrips({ warm: false, address: '203.0.113.10' })
  console.log(`# round trips, cold: ${unknown}, address remembered: ${known}`)
  assert.ok(unknown <= 7, `${unknown}`)
  assert.ok(known <= 6, `${known}`)
})

test('through an open control connection it takes at most 6, 5 with a remembered address', async () => {
  const unknown = await roundTrips({ warm: true })
  const known = await roundTrips({ warm: true, address: '203.0.113.10' })
  console.log(`# round trips, warm: ${unknown}, address remembered: ${known}`)
  assert.ok(unknown <= 6, `${unknown}`)
  assert.ok(known <= 5, `${known}`)
})
