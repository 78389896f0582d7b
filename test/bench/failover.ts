/**
 * `npm run bench:failover [-- --json FILE]`: how long a host of the LAN is without the internet when fibre fails and when
 * it comes back, with 50 ms of round trip over 4G. Prints; asserts nothing. docs/performance.md tells what the keys mean.
 */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusEvent } from '../../src/core/status/event.ts'
import * as common from '../net/addresses.ts'
import { type Gap, lengthOf, PingWatch } from '../net/failover/outage.ts'
import {
  type Changes,
  configuration,
  LOGIN,
  SECOND_LOGIN,
  SECRET,
  TUNNEL,
  waitForPath,
  waitForWarm,
} from '../net/failover/scenario.ts'
import { buildProvider } from '../net/failover/topology.ts'
import type { Lifeline } from '../net/lifeline.ts'

interface Case {
  readonly key: string
  readonly title: string
  readonly fails: 'cut' | 'silence'
  readonly ready: 'cold' | 'warm' | 'hot'
  readonly changes: Changes
  /** ms that the issue allows. */
  readonly wanted: number
  /** Also measures the way back, under this key. */
  readonly back?: string
}

const CASES: readonly Case[] = [
  {
    key: 'carrier_lost_warm',
    title: 'carrier lost, tunnel warm',
    fails: 'cut',
    ready: 'warm',
    changes: {},
    wanted: 500,
    back: 'back_to_fibre',
  },
  {
    key: 'carrier_lost_cold',
    title: 'carrier lost, tunnel cold',
    fails: 'cut',
    ready: 'cold',
    changes: { tunnel: { standby: 'cold' } },
    wanted: 900,
  },
  {
    key: 'carrier_lost_hot',
    title: 'carrier lost, tunnel hot (own login and address)',
    fails: 'cut',
    ready: 'hot',
    changes: {
      tunnel: {
        standby: 'hot',
        username: SECOND_LOGIN.name,
        password: SECOND_LOGIN.password,
        ip6prefix: SECOND_LOGIN.prefix,
      },
    },
    wanted: 150,
  },
  {
    key: 'silent_death',
    title: 'silent death',
    fails: 'silence',
    ready: 'warm',
    changes: {},
    wanted: 2000,
  },
  {
    key: 'silent_death_fast_probes',
    title: 'silent death, probe_interval 0.2',
    fails: 'silence',
    ready: 'warm',
    changes: { failover: { probe_interval: '0.2' } },
    wanted: 1000,
  },
]
const BACK_WANTED = 50
const RUNS = 5
/** ms until round-trip times of the probes are known. */
const SETTLING = 3000
/** ms for which answers are looked at around a switch. */
const AROUND = 1000

interface Run {
  readonly outage: number
  readonly back: number | undefined
  readonly steps: readonly string[]
}

const file = jsonFile(process.argv.slice(2))
const net = await buildProvider({ users: [LOGIN, SECOND_LOGIN], tunnelSecret: SECRET })
const results: Record<string, { median: number; runs: readonly number[]; wanted: number }> = {}
try {
  console.log(`median of ${RUNS}; gaps in a ping every 10 ms from a host of the LAN\n`)
  for (const each of CASES) await measure(each)
} finally {
  await net.close()
}
if (file !== undefined) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, kernel: release(), node: process.version }
  writeFileSync(file, `${JSON.stringify({ unit: 'ms', load: loadavg()[0], machine, results }, null, 2)}\n`)
}
process.exit()

async function measure(each: Case): Promise<void> {
  const runs: Run[] = []
  for (let count = 0; count < RUNS; count++) runs.push(await run(each))
  report(
    each.key,
    each.title,
    runs.map(({ outage }) => outage),
    each.wanted,
  )
  const typical = [...runs].sort((a, b) => a.outage - b.outage)[Math.floor(RUNS / 2)]
  for (const step of typical?.steps ?? []) console.log(`    ${step}`)
  const back = runs.flatMap(({ back }) => back ?? [])
  if (each.back !== undefined) report(each.back, 'going back to fibre', back, BACK_WANTED)
}

/** A daemon of its own for each run: the second failure soon after the first would be taken for flapping. */
async function run({ fails, ready, changes, back }: Case): Promise<Run> {
  const lifeline = net.router.lifeline({ config: configuration(changes) })
  let ping: PingWatch | undefined
  try {
    await waitForPath(lifeline, 'fibre')
    await waitUntilReady(lifeline, ready)
    // Not before: a flow that began without the rules of source addresses stays without.
    ping = new PingWatch(net.lan, common.internet.ipv4)
    await sleep(SETTLING)
    const failed = Date.now()
    await net.fibre[fails]()
    await waitForPath(lifeline, TUNNEL)
    await sleep(AROUND)
    const gap = ping.outage(failed)
    const steps = stepsOf(await lifeline.events(), gap)
    await net.fibre.heal()
    return {
      outage: lengthOf(gap),
      steps,
      back: back === undefined ? undefined : await goBack(lifeline, ping),
    }
  } finally {
    ping?.stop()
    await lifeline.stop()
    await net.fibre.heal()
    await sleep(AROUND)
  }
}

async function goBack(lifeline: Lifeline, ping: PingWatch): Promise<number> {
  await waitForPath(lifeline, 'fibre')
  const { since } = (await lifeline.status())?.failover ?? {}
  const switched = Date.parse(since ?? '')
  await sleep(AROUND)
  return lengthOf(ping.outage(switched - AROUND / 2, switched + AROUND))
}

async function waitUntilReady(lifeline: Lifeline, ready: Case['ready']): Promise<void> {
  if (ready === 'hot') await lifeline.waitForUp(TUNNEL)
  if (ready === 'warm') await waitForWarm(net)
}

/** What happened when, counted from the last answer over fibre. */
function stepsOf(events: readonly StatusEvent[], { from, until }: Gap): string[] {
  const inside = events
    .map((event) => ({ event, at: Date.parse(event.at) }))
    .filter(({ at }) => at >= from && at <= until)
    .flatMap(({ event, at }) => {
      const words = describe(event)
      return words === undefined ? [] : [{ words, at }]
    })
  return [...inside, { words: 'an answer arrives', at: until }].map(
    ({ words, at }) => `${(at - from).toFixed(0).padStart(5)} ms  ${words}`,
  )
}

function describe(event: StatusEvent): string | undefined {
  switch (event.event) {
    case 'uplink':
      return `${event.uplink}: ${event.state}`
    case 'state':
      return `${TUNNEL}: ${event.state}`
    case 'failover':
      return `traffic goes over ${event.to} (${event.cause})`
    default:
      return undefined
  }
}

function report(key: string, title: string, values: readonly number[], wanted: number): void {
  const sorted = [...values].sort((a, b) => a - b)
  const median = Math.round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)
  const runs = values.map((value) => Math.round(value))
  results[key] = { median, runs, wanted }
  console.log(
    `${title.padEnd(50)} ${`${median} ms`.padStart(8)}   (wanted: under ${wanted})   ${runs.join(' ')}`,
  )
}

function jsonFile(words: readonly string[]): string | undefined {
  const [option, name] = words
  if (option === undefined) return undefined
  if (option === '--json' && name !== undefined && words.length === 2) return name
  console.error('usage: npm run bench:failover [-- --json FILE]')
  process.exit(2)
}
