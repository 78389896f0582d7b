/** A line that is full is not a line that is dead: an upload fills a queue of two seconds for a minute. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as common from '../addresses.ts'
import { ping } from '../ping.ts'
import { Load, reflect } from './flows.ts'
import { LOGIN, SECRET, start, waitForWarm } from './scenario.ts'
import { buildProvider, type Provider } from './topology.ts'

const SECONDS = 60
/** ms of round trip that show that the queue is full indeed. */
const BLOATED = 1500

describe('fibre with 2 s of queue', { timeout: 300_000 }, () => {
  let net: Provider
  before(async () => {
    net = await buildProvider({
      users: [LOGIN],
      tunnelSecret: SECRET,
      fibre: { delay: 5, queue: { kbits: 4000, ms: 2000 } },
    })
    await reflect(net.internet.namespace)
  })
  after(() => net.close())

  test(`stays in use through ${SECONDS} s of upload`, async (t) => {
    const lifeline = await start(t, net)
    await waitForWarm(net)
    await sleep(3000)
    // Several at once, and Reno, which fills a queue until it overflows.
    await net.lan.sysctl('net.ipv4.tcp_congestion_control=reno')
    const uploads = await Promise.all(
      Array.from({ length: 8 }, () => Load.open(net.lan, 'upload', common.internet.ipv4)),
    )
    t.after(() => uploads.map((upload) => upload.close()))
    let longest = 0
    for (let second = 0; second < SECONDS; second += 5) {
      const { times } = await ping(net.lan, common.internet.ipv4, { count: 2, interval: 1 })
      longest = Math.max(longest, ...times)
      await sleep(3000)
    }
    t.diagnostic(`longest round trip ${longest.toFixed(0)} ms`)
    assert.ok(longest > BLOATED, `the queue was never full: ${longest} ms`)
    const { failover } = (await lifeline.status()) ?? {}
    assert.equal(failover?.active, 'fibre')
    const events = await lifeline.events()
    assert.deepEqual(
      events.filter(({ event }) => event === 'failover' || event === 'failback'),
      [],
    )
  })
})
