/**
 * `npm run bench:idle [-- SECONDS]`: CPU time of a daemon that has nothing to do, by what is configured, in ms for each
 * second. Prints; asserts nothing.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import * as common from '../net/addresses.ts'
import {
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
import { Mosquitto } from '../net/mqtt/mosquitto.ts'

/** s for which each daemon is watched, after it has settled. */
const WATCHED = Number(process.argv[2] ?? 60)
/** Its start is over, and memory was given back. */
const SETTLING = 15_000

const own = {
  username: SECOND_LOGIN.name,
  password: SECOND_LOGIN.password,
  ip6prefix: SECOND_LOGIN.prefix,
}
/** What the tests want said is said by nobody here. */
const main = { log_level: 'info' }
const hot = configuration({ main, tunnel: { standby: 'hot', ...own } })
const { uplink, tunnel, lifeline } = hot
const home = { url: `mqtt://${common.lan.ipv4}:1883` }

const net = await buildProvider({ users: [LOGIN, SECOND_LOGIN], tunnelSecret: SECRET })
try {
  const broker = new Mosquitto(net.lan, { port: 1883 })
  await broker.start()
  await measure('a tunnel', { uplink, tunnel, lifeline }, (lifeline) => lifeline.waitForUp(TUNNEL))
  await measure('failover, tunnel warm', configuration({ main }), async (lifeline) => {
    await waitForPath(lifeline, 'fibre')
    await waitForWarm(net)
  })
  await measure('failover, tunnel hot', hot, (lifeline) => lifeline.waitForUp(TUNNEL))
  await measure('the same and MQTT', { ...hot, mqtt: { home } }, async (lifeline) => {
    await lifeline.waitForUp(TUNNEL)
    await lifeline.process.waitForOutput(/connected to the broker/)
  })
  await broker.stop()
} finally {
  await net.close()
}
process.exit()

async function measure(
  what: string,
  config: Readonly<Record<string, unknown>>,
  ready: (lifeline: Lifeline) => Promise<unknown>,
): Promise<void> {
  const lifeline = net.router.lifeline({ config })
  await ready(lifeline)
  await sleep(SETTLING)
  const { pid } = lifeline.process
  const [before, begun] = [cpuOf(pid), performance.now()]
  await sleep(WATCHED * 1000)
  const seconds = (performance.now() - begun) / 1000
  console.log(`${what.padEnd(28)} ${((cpuOf(pid) - before) / seconds).toFixed(2)} ms/s`)
  await lifeline.stop()
}

/** The CPU time that all threads of a process have used, in ms (proc(5): schedstat counts ns). */
function cpuOf(pid: number): number {
  const folder = `/proc/${pid}/task`
  const times = readdirSync(folder).map((thread) => {
    const [ran] = readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')
    return Number(ran) / 1e6
  })
  return times.reduce((sum, time) => sum + time, 0)
}
