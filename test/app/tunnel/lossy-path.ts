/** Many seeds of one life over a path that loses 30 % both ways: dialled within two minutes, up for ten more. */
import assert from 'node:assert/strict'
import { lnsOptions, startLns } from '../../sim/endpoints.ts'
import { Network } from '../../sim/network.ts'
import { startRouter } from '../../sim/router.ts'

const LOSS = 0.3
const DIAL_LIMIT = 120_000
const UP_FOR = 600_000

/** Runs the seeds `first`..`last`; throws at the first one that fails, with its story. */
export async function liveOverLossyPath(first: number, last: number): Promise<void> {
  const began = process.cpuUsage()
  const total = { seeds: last - first + 1, simulated: 0, sent: 0, lost: 0, worst: 0 }
  for (let seed = first; seed <= last; seed++) {
    const network = new Network(seed, { delay: 20, jitter: 10, loss: LOSS })
    startLns(network, lnsOptions(seed))
    const router = startRouter(network, seed)
    const story = () =>
      JSON.stringify({ seed, at: network.now, shown: router.shown, events: router.status.events }, null, 1)
    const dialled = await network.run(DIAL_LIMIT, () => router.up)
    assert.ok(dialled, `not up within ${DIAL_LIMIT} ms: ${story()}`)
    total.worst = Math.max(total.worst, network.now)
    const gone = await network.run(network.now + UP_FOR, () => !router.up)
    assert.ok(!gone, `did not stay up: ${story()}`)
    assert.deepEqual(router.log.complaints, [])
    total.simulated += network.now
    total.sent += network.sent
    total.lost += network.lost
  }
  const share = total.lost / total.sent
  assert.ok(Math.abs(share - LOSS) < 0.03, `the path was to lose 30 %, it lost ${share}`)
  const { user, system } = process.cpuUsage(began)
  const perSecond = (user + system) / (total.simulated / 1000)
  console.log(
    `# ${total.seeds} seeds, up after ${Math.round(total.worst)} ms at worst; ${perSecond.toFixed(0)} us of CPU for each simulated second`,
  )
}
