/**
 * What runs in the virtual machine: makes every dial and writes down what came of it. Judging that is for the tests
 * outside, which have a fast CPU and say more.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../net/control.ts'
import type { Lifeline } from '../net/lifeline.ts'
import { connect, prepareHost } from '../net/links.ts'
import { type Namespace, NamespaceGroup } from '../net/namespace.ts'
import { Router } from '../net/router.ts'
import { waitFor } from '../net/wait.ts'
import { DIALS, type Dial, PASSWORD } from './cases.ts'
import { OUT } from './machine.ts'
import type { Outcome } from './outcome.ts'
import { configurePppd, type PppdLns, startPppdLns } from './pppd.ts'

/** How many tunnels share a daemon; with more the LNSes, which are as slow, lose patience. */
const TOGETHER = 8
/** ms in which every dial of a daemon has an end. */
const SETTLED = 600_000
/** Dials after which one that is not as expected is given up: a first failure may be due to a slow machine. */
const ATTEMPTS = 4

interface Planned {
  readonly name: string
  readonly dial: Dial
  readonly lns: PppdLns
  /** Name of its tunnel. */
  readonly tunnel: string
}

async function main(): Promise<void> {
  configurePppd()
  const group = new NamespaceGroup()
  const [lns, space] = await group.add('lns', 'router')
  if (lns === undefined || space === undefined) throw new Error('there are no namespaces')
  await Promise.all([lns, space].map(prepareHost))
  const [far, near] = [
    { ipv4: '192.0.2.254', ipv6: '2001:db8:192::fe' },
    { ipv4: '192.0.2.200', ipv6: '2001:db8:192::2' },
  ]
  await connect(lns, 'isp0', far, space, 'wan0', near)
  await space.ip(`route add default via ${far.ipv4}`)
  const router = new Router(space, [])
  const kinds = await startAll(lns)
  const planned = Object.entries(DIALS).map(([name, dial], index): Planned => {
    const peer = kinds.get(kindOf(dial))
    if (peer === undefined) throw new Error(`there is no LNS for ${name}`)
    return { name, dial, lns: peer, tunnel: `t${index}` }
  })
  console.log(`${kinds.size} LNSes are there after ${performance.now().toFixed(0)} ms`)
  const outcomes: Record<string, Outcome> = {}
  for (const [number, batch] of batches(planned).entries()) {
    const lifeline = router.lifeline({ config: configOf(batch) })
    const made = await Promise.all(batch.map((one) => outcomeOf(router, lifeline, one)))
    Object.assign(outcomes, Object.fromEntries(batch.map(({ name }, index) => [name, made[index]])))
    await lifeline.stop()
    writeFileSync(join(OUT, `lifeline-${number}.log`), lifeline.log)
    writeFileSync(join(OUT, 'outcomes.json'), JSON.stringify(outcomes, null, 1))
    const done = Object.keys(outcomes).length
    console.log(`${done} of ${planned.length} after ${performance.now().toFixed(0)} ms`)
  }
  group.remove()
}

/** By the options of pppd. */
async function startAll(namespace: Namespace): Promise<ReadonlyMap<string, PppdLns>> {
  const options = new Map(Object.values(DIALS).map((dial) => [kindOf(dial), dial.pppd]))
  const started = [...options].map(async ([kind, pppd], index) => {
    return [kind, await startPppdLns(namespace, 'isp0', index + 1, pppd, OUT)] as const
  })
  return new Map(await Promise.all(started))
}

function kindOf({ pppd }: Dial): string {
  return pppd.join('\n')
}

function batches(planned: readonly Planned[]): Planned[][] {
  const made = planned.filter(({ dial }) => dial.alone === true).map((one) => [one])
  const together = planned.filter(({ dial }) => dial.alone !== true)
  for (let from = 0; from < together.length; from += TOGETHER)
    made.push(together.slice(from, from + TOGETHER))
  return made
}

function configOf(batch: readonly Planned[]): Readonly<Record<string, unknown>> {
  const tunnels = batch.map(({ tunnel, dial, lns }) => [
    tunnel,
    {
      server: lns.address,
      username: 'alice',
      password: PASSWORD,
      defaultroute: dial.alone === true,
      ...dial.tunnel,
    },
  ])
  return { lifeline: { main: { mark_mask: '0xff000000' } }, tunnel: Object.fromEntries(tunnels) }
}

async function outcomeOf(
  router: Router,
  lifeline: Lifeline,
  { name, tunnel, dial, lns }: Planned,
): Promise<Outcome> {
  const see = async () => {
    if (!lifeline.process.running) throw new Error(`lifeline has ended\n${lifeline.log}`)
    const status = await lifeline.status()
    const told = status?.tunnel[tunnel]
    return status === undefined || told === undefined ? undefined : { status, told }
  }
  const seen = await waitFor(
    `the end of a dial: ${name}`,
    async () => {
      const now = await see()
      if (now === undefined) return undefined
      const { state, last_error: error, attempts, problem } = now.told
      const { expected } = dial
      const failed = 'fails' in expected && error?.code === expected.fails
      const reached = 'problem' in expected ? problem !== null : state === 'up'
      return reached || failed || attempts > ATTEMPTS ? now : undefined
    },
    { within: SETTLED, every: 300 },
  ).catch(async (error: Error) => {
    // One that hangs is for its test to tell.
    console.log(error.message)
    return see()
  })
  if (seen === undefined) throw new Error(`no status of ${tunnel}\n${lifeline.log}`)
  if (seen.told.state !== 'up' && seen.told.problem === null) {
    // It would be dialled again and again, and only keep the machine busy.
    await ask(lifeline.socket, 'down', { tunnel })
    return { status: seen.status, tunnel: seen.told, carries: false, text: '' }
  }
  await sleep(dial.watched ?? 0)
  const { device, mtu, ipv4 } = seen.told
  const words = ['-c', '1', '-w', '20', '-M', 'do', '-s', `${(mtu ?? 0) - 28}`, '-I', device, lns.inside]
  const ping = () => router.namespace.run(['ping', ...words], { mayFail: true })
  const carries = ipv4.address !== null && (await ping()).code === 0
  const { status, told } = (await see()) ?? seen
  const text = dial.alone === true ? (await lifeline.cli('status')).stdout : ''
  return { status, tunnel: told, carries, text }
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
