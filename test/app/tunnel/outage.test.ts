/** The path is gone for a while, both ends notice, and both come back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../src/core/time.ts'
import { SimLns } from '../../sim/lns.ts'
import { Network } from '../../sim/network.ts'
import { type SimRouter, startRouter } from '../../sim/router.ts'

const OUTAGE = 42_000
/** A new session after the path's return. */
const RECOVERY = 5_000
const SEEDS = 100

interface World {
  readonly network: Network
  readonly lns: SimLns
  readonly router: SimRouter
}

/** `notice`: seconds of silence after which the LNS gives up. */
function world(seed: number, notice: number): World {
  const network = new Network(seed, { delay: 20, jitter: 10 })
  const change: ConstructorParameters<typeof SimLns>[2] = {
    change: (options) => ({
      ...options,
      l2tp: { ...options.l2tp, helloInterval: seconds(notice) },
      ppp: { ...options.ppp, echoFailures: notice },
    }),
  }
  return { network, lns: new SimLns(network, seed, change), router: startRouter(network, seed) }
}

/** Cuts the path at `at` for `outage` ms; gives how long after its return the tunnel is up. */
async function recovery({ network, router }: World, at: number, outage: number): Promise<number> {
  await network.run(at)
  const opened = () => router.events('state').filter(({ state }) => state === 'up').length
  network.cut = true
  await network.run(at + outage)
  const before = opened()
  network.cut = false
  const up = await network.run(at + outage + 300_000, () => router.up)
  assert.ok(up, `never came back: ${JSON.stringify(router.status.events)}`)
  if (outage > 15_000) assert.equal(opened(), before + 1, 'a new session')
  return network.now - at - outage
}

/** When the path is cut in the life of a tunnel that begins to dial at 0. */
const PHASES: Readonly<Record<string, (seed: number) => number>> = {
  'an old session': (seed) => 70_000 + seed * 137,
  'a young session': (seed) => 2_000 + seed * 277,
  'a dial': (seed) => seed * 4,
  'a dial right after a loss': (seed) => seed * 4,
}

for (const [phase, cutAt] of Object.entries(PHASES)) {
  for (const notice of [10, 60]) {
    test(`42 s without a path in the middle of ${phase}, the LNS noticing after ${notice} s`, async () => {
      let worst = 0
      for (let seed = 1; seed <= SEEDS; seed++) {
        const here = world(seed, notice)
        if (phase.endsWith('loss')) {
          // The session ends at 65 s, and the dial that follows at once is hit.
          await here.network.run(65_000)
          here.lns.command({ type: 'dropTunnels' })
        }
        const took = await recovery(here, here.network.now + cutAt(seed), OUTAGE)
        assert.ok(took <= RECOVERY, `seed ${seed}: ${took} ms`)
        worst = Math.max(worst, took)
        if (seed % 5 !== 0) continue
        // Whatever was left over at either end is cleared up, and the session is not disturbed by it.
        const { network, lns, router } = here
        assert.equal(
          await network.run(network.now + 150_000, () => !router.up),
          false,
          `seed ${seed}: lost again`,
        )
        assert.equal(lns.peers, 1, `seed ${seed}`)
        assert.equal(router.machine.openSockets, 1, `seed ${seed}`)
      }
      console.log(`# back ${Math.round(worst)} ms after the path at worst`)
    })
  }
}

test('an outage of any length is followed by a session within 5 s and one back-off step', async () => {
  let worst = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outage = 1_000 * 1.09 ** seed
    const here = world(seed, 10)
    const took = await recovery(here, 65_000, outage)
    // Rounds of 11.5 s and steps of 1, 2, 4 ... 60 s: the step is no longer than what has passed.
    const step = Math.min(60_000, outage / 2)
    assert.ok(took <= RECOVERY + step, `${outage} ms: ${took} ms`)
    worst = Math.max(worst, took)
  }
  console.log(`# outages of 1 s to 90 min: back ${Math.round(worst)} ms after the path at worst`)
})
